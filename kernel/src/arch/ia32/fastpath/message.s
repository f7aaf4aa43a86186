// Call to a thread that waits, ReplyReceive when nobody waits, and the switch from one thread to another.

// ESP: the current thread, whose registers are saved, and still in the processor.
.macro call_path long
    fast_slot
    fast_right {send_mask}, {send}
    mov     ebx, ss:[ecx + {map} + {badge}]
    mov     ecx, ss:[ecx + {map} + {object}]
    mov     eax, ss:[ecx + {map} + {spare}]
    test    eax, eax
    jz      ordinary_call
    fast_partner {receiving}
    mov     edx, ss:[{kernel} + {revocations}]
    cmp     edx, ss:[eax + {map} + {waits_since}]
    jne     ordinary_call
    cmp     eax, ss:[eax + {map} + {queue_next}]
    jne     ordinary_call
    // From here on nothing fails.
    xor     edx, edx
    mov     ss:[ecx + {map} + {spare}], edx
    mov     [esp + {range_count}], edx
    mov     [esp + {buffers}], edx
    mov     byte ptr [esp + {standing}], {awaiting}
    mov     dword ptr [esp + {reply}], {held}
    mov     [esp + {reply} + 4], eax
    lea     ecx, [esp - {map}]
    mov     ss:[eax + {map} + {caller}], ecx
    .if     \long
    fast_words
    .endif
.endm

// The same with the reply, \long or not; \accept: strings are accepted.
.macro reply_receive_path long, accept
    fast_slot
    fast_right {receive_mask}, {receive}
    mov     ebx, ss:[ecx + {map} + {object}]
    cmp     dword ptr ss:[ebx + {map} + {spare}], 0
    jne     ordinary_call
    fast_lives {endpoint}
    mov     eax, [esp + {caller}]
    test    eax, eax
    jz      ordinary_call
    fast_partner {awaiting}
    .if     \accept
    fast_buffer
    .endif
    // From here on nothing fails.
    lea     edx, [esp - {map}]
    mov     ss:[ebx + {map} + {spare}], edx
    or      ebx, {in_node}
    mov     [esp + {waits_on}], ebx
    or      ecx, {in_node}
    mov     [esp + {waits_by}], ecx
    mov     edx, ss:[{kernel} + {wait_stamp}]
    mov     [esp + {waits_since}], edx
    xor     ebx, ebx
    mov     [esp + {caller}], ebx
    mov     ss:[eax + {map} + {reply}], ebx
    mov     byte ptr [esp + {standing}], {receiving}
    .if     \accept
    mov     [esp + {first_address}], esi
    mov     [esp + {first_bytes}], edi
    mov     [esp + {buffers}], edi
    mov     edx, [esp + {utcb}]
    mov     esi, ss:[edx + {fault_mine}]
    mov     edi, ss:[edx + {fault_other}]
    mov     [esp + {mine}], esi
    mov     [esp + {other}], edi
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
    mov     ebp, [esp + {regs_ebp}]
    mov     dword ptr [esp + {regs_eax}], {number_receive} + {accept}
    .else
    mov     [esp + {buffers}], ebx
    mov     dword ptr [esp + {regs_eax}], {number_receive}
    .endif
    .if     \long
    fast_words
    .endif
    jmp     fast_switch
.endm

.balign 16
fast_call_long:
    fast_tag {words_max}, ordinary_call
    call_path 1
    jmp     fast_switch

.balign 16
.globl fast_call
fast_call:
    fast_tag 2, fast_call_long
    call_path 0

// EAX: the thread that runs next, in a space of its own perhaps. EBX, ESI, EDI, EBP: what it receives.
fast_switch:
    mov     byte ptr ss:[eax + {map} + {standing}], {ready}
    mov     ss:[{kernel} + {current}], eax
    mov     ss:[{kernel} + {loaded}], eax
    mov     ecx, ss:[eax + {map} + {directory}]
    cmp     ecx, [esp + {directory}]
    je      1f
    mov     cr3, ecx
    mov     ss:[{kernel} + {tables_current}], ecx
    inc     dword ptr ss:[{kernel} + {space_switches}]
1:  lea     esp, [eax + {map}]
    lea     ecx, [eax + {map} + {regs_bytes}]
    mov     ss:[{task} + {esp0}], ecx
    mov     ecx, {user_data}
    mov     ds, ecx
    mov     es, ecx
    xor     eax, eax
    mov     fs, eax
    mov     gs, eax
    cmp     dword ptr [esp + {regs_vector}], {vector_sysenter}
    jne     2f
    mov     edx, [esp + {regs_eip}]
    mov     ecx, [esp + {regs_esp}]
    sti                                         // takes effect behind the next instruction
    sysexit
    // It came in by another way, and goes out by it.
2:  mov     [esp + {regs_edi}], edi
    mov     [esp + {regs_esi}], esi
    mov     [esp + {regs_ebp}], ebp
    mov     [esp + {regs_ebx}], ebx
    mov     [esp + {regs_eax}], eax
    jmp     resume

.balign 16
.globl fast_reply_receive
fast_reply_receive:
    fast_tag 2, fast_reply_receive_long
    reply_receive_path 0, 0

.balign 16
fast_reply_receive_long:
    fast_tag {words_max}, ordinary_call
    reply_receive_path 1, 0

.balign 16
.globl fast_reply_receive_strings
fast_reply_receive_strings:
    fast_tag 2, fast_reply_receive_strings_long
    reply_receive_path 0, 1

.balign 16
fast_reply_receive_strings_long:
    fast_tag {words_max}, ordinary_call
    reply_receive_path 1, 1
