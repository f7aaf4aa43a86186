// A page fault in user mode: to the thread's own handler, or to its pager that waits for it; and the pager's answer.

// The registers are saved as behind any trap. NT and TF are clear.
.balign 16
.globl fast_page_fault
fast_page_fault:
    mov     ebx, [esp + {pager}]
    test    ebx, ebx
    js      fast_upcall
    find_slot ordinary_trap
    require_use ecx + ebx, {send}, ordinary_trap
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    mov     eax, ss:[edx + {map} + {spare}]
    test    eax, eax
    jz      ordinary_trap
    mov     ebx, ss:[ecx + ebx + {map} + {badge}]
    require_partner {receiver_beside}, ordinary_trap
    // From here on nothing fails.
    mov     dword ptr ss:[edx + {map} + {spare}], 0
    mov     byte ptr [esp + {standing}], {awaiting}
    mov     byte ptr [esp + {special}], {faulted}
    mov     [esp + {reply}], eax
    lea     ecx, [esp - {map}]
    mov     ss:[eax + {map} + {caller}], ecx
    mov     edx, ss:[eax + {map} + {words}]
    mov     ecx, [esp + {regs_eip}]
    mov     ss:[edx], ecx
    mov     ebp, [esp + {regs_error}]
    and     ebp, {access}
    mov     edi, cr2
    mov     esi, {page_fault}
    cld                                         // Not set for a pager of the same space: this was no call.
    jmp     fast_switch

// The thread is its own pager: what happened stands in its UTCB, and it goes on in its handler, in which it is not yet.
.balign 16
fast_upcall:
    mov     edx, [esp + {utcb}]
    add     edx, {upcall}
    xor     ecx, ecx
    cmp     ecx, ss:[edx]
    jne     ordinary_trap
    // From here on nothing fails.
    mov     eax, cr2
    mov     ebx, [esp + {regs_error}]
    and     ebx, {access}
    mov     esi, [esp + {regs_eip}]
    mov     edi, [esp + {regs_esp}]
    mov     ebp, [esp + {regs_eflags}]
    mov     dword ptr ss:[edx], {page_fault_label}
    mov     ss:[edx + 4], ecx
    mov     ss:[edx + 8], eax
    mov     ss:[edx + 12], ebx
    mov     ss:[edx + 16], esi
    mov     ss:[edx + 20], ecx
    mov     ss:[edx + 24], ecx
    mov     ss:[edx + 28], esi
    mov     ss:[edx + 32], edi
    mov     ss:[edx + 36], ebp
    mov     eax, ss:[edx + {upcall_eip} - {upcall}]
    mov     ecx, ss:[edx + {upcall_esp} - {upcall}]
    mov     [esp + {regs_eip}], eax
    mov     dword ptr [esp + {regs_eflags}], {eflags_user}
    mov     [esp + {regs_esp}], ecx
    popad
    add     esp, 8                              // vector, error
    iretd

// ReplyReceive by the capability in the slot at EBX on the endpoint at EDX, where nobody waits, to the caller at EAX, which is
// not as one must be that is answered (ECX). It waits for its pager, and this is the pager's answer: it goes on where
// it faulted.
.balign 16
fast_answer:
    or      ecx, {faulted} << 16
    cmp     ecx, ss:[eax + {map} + {standing}]
    jne     ordinary_call
    cmp     esi, {words_max}                    // The label is RESUME, and there is nothing but words.
    ja      ordinary_call
    require_patience
    // From here on nothing fails.
    queue_up {receiving}
    xor     ebx, ebx
    mov     [esp + {caller}], ebx
    mov     [esp + {buffers}], ebx
    mov     byte ptr ss:[eax + {map} + {special}], bl
    jmp     fast_resume
