// Notify, whether somebody waits or not; Receive of a notification's bits, whether they are there or not; Null.

.balign 16
.globl fast_notify
fast_notify:
    find_slot
    require_use ecx + ebx, {notify}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    // The bits: the capability's badge, unless it has none or is the notification's own slot.
    lea     eax, [ecx + ebx]
    cmp     eax, edx
    je      1f
    mov     ecx, ss:[eax + {map} + {badge}]
    test    ecx, ecx
    jnz     2f
1:  mov     ecx, esi
2:  mov     eax, ss:[edx + {map} + {spare}]
    test    eax, eax
    jnz     fast_wake
    require_use edx, {wait}                     // the first capability has all rights, while it lives
    or      ss:[edx + {map} + {badge}], ecx
    mov     dword ptr [esp + {regs_eax}], 0

// Goes back with all registers as they were; segment registers and EFLAGS too: nothing has used them.
notified:
    popad
    sti
    sysexit

// The thread at EAX waits for the bits in ECX of the notification at EDX, which lives if that thread still has its
// capability. It becomes ready behind the others of its priority, which is not above the current thread's.
.balign 16
fast_wake:
    or      ecx, ss:[edx + {map} + {badge}]
    jz      ordinary_call                       // No bit wakes nobody.
    mov     ebx, ss:[eax + {map} + {standing}]
    mov     edi, ebx
    shl     edi, 8
    cmp     edi, {waiting} << 8
    jne     ordinary_call
    shr     ebx, 24
    cmp     bl, [esp + {priority}]
    ja      ordinary_call
    // From here on nothing fails.
    xor     edi, edi
    mov     ss:[edx + {map} + {spare}], edi
    mov     ss:[edx + {map} + {badge}], edi
    mov     ss:[eax + {map} + {regs_ebx}], edi
    mov     ss:[eax + {map} + {regs_edi}], ecx
    mov     ss:[eax + {map} + {regs_eax}], edi
    mov     byte ptr ss:[eax + {map} + {standing}], {ready}
    mov     [esp + {regs_eax}], edi
    mov     ecx, ss:[{kernel} + {queues} + ebx*4]
    test    ecx, ecx
    jnz     1f
    mov     ss:[{kernel} + {queues} + ebx*4], eax
    bts     ss:[{kernel} + {ready_bits}], ebx
    popad
    sti
    sysexit
1:  mov     edx, ss:[ecx + {map} + {queue_prev}]
    mov     ss:[eax + {map} + {queue_next}], ecx
    mov     ss:[eax + {map} + {queue_prev}], edx
    mov     ss:[edx + {map} + {queue_next}], eax
    mov     ss:[ecx + {map} + {queue_prev}], eax
    jmp     notified

// Null: before any register was changed.
.balign 16
.globl fast_null
fast_null:
    xor     eax, eax
    sti
    sysexit

.balign 16
.globl fast_receive
fast_receive:
    find_slot
    require_use ecx + ebx, {wait}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    require_use edx, {wait}                     // the first capability has all rights, while it lives
    mov     edi, ss:[edx + {map} + {badge}]
    mov     eax, ss:[edx + {map} + {spare}]
    or      eax, edi
    jz      fast_wait
    test    edi, edi
    jz      ordinary_call
    xor     eax, eax
    mov     ss:[edx + {map} + {badge}], eax
    xor     ebx, ebx
    mov     edx, [esp + {regs_edx}]
    mov     ecx, [esp + {regs_ecx}]
    sti
    sysexit

// There is no bit, and nobody waits: this thread does, and the first one of the highest priority is next. If there is
// none, or it has an errand to be done before, or one of the two uses the FPU, that is not for here.
.balign 16
fast_wait:
    add     ebx, ecx
    require_patience
    // From here on nothing fails.
    queue_up {waiting}
    mov     edx, ss:[{kernel} + {ready_bits}]
    bsr     ecx, edx
    jz      ordinary_wait
    mov     eax, ss:[{kernel} + {queues} + ecx*4]
    mov     ebx, ss:[eax + {map} + {standing}]
    or      ebx, [esp + {standing}]
    test    ebx, 0x00FFFF00
    jnz     ordinary_wait
    mov     ebx, ss:[eax + {map} + {queue_next}]
    cmp     ebx, eax
    je      1f
    mov     edx, ss:[eax + {map} + {queue_prev}]
    mov     ss:[{kernel} + {queues} + ecx*4], ebx
    mov     ss:[ebx + {map} + {queue_prev}], edx
    mov     ss:[edx + {map} + {queue_next}], ebx
    mov     ss:[eax + {map} + {queue_next}], eax
    mov     ss:[eax + {map} + {queue_prev}], eax
    jmp     fast_resume
1:  btr     edx, ecx
    mov     ss:[{kernel} + {ready_bits}], edx
    mov     dword ptr ss:[{kernel} + {queues} + ecx*4], 0

// EAX: the thread that runs next, by whichever way it came in, with the registers that are saved.
fast_resume:
    enter_thread
    lea     esp, [eax + {map}]
    cmp     dword ptr [esp + {regs_vector}], {vector_sysenter}
    jne     1f
    popad
    sti
    sysexit
1:  popad
    add     esp, 8                              // vector, error
    push    2                                   // NT, in which IRET would see a task's end, may be a program's.
    popfd
    iretd
