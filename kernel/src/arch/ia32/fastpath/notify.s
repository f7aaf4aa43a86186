// Notify that wakes nobody, Receive of bits that are there, Null.

.balign 16
.globl fast_notify
fast_notify:
    fast_slot
    fast_right {send_mask}, {notify}
    mov     ebx, ss:[ecx + {map} + {object}]
    cmp     dword ptr ss:[ebx + {map} + {spare}], 0
    jne     ordinary_call
    fast_lives {notification}
    // The bits: the capability's badge, unless it has none or is the notification's own slot.
    cmp     ecx, ebx
    je      1f
    mov     edx, ss:[ecx + {map} + {badge}]
    test    edx, edx
    jnz     2f
1:  mov     edx, esi
2:  or      ss:[ebx + {map} + {badge}], edx

// Goes back with status 0 and all registers as they were. DS and ES too: nothing has used them.
.globl fast_null
fast_null:
    mov     dword ptr [esp + {regs_eax}], 0
    popad
    sti
    sysexit

.balign 16
.globl fast_receive
fast_receive:
    fast_slot
    fast_right {receive_mask}, {wait}
    mov     ebx, ss:[ecx + {map} + {object}]
    mov     edi, ss:[ebx + {map} + {badge}]
    test    edi, edi
    jz      ordinary_call
    fast_lives {notification}
    mov     dword ptr ss:[ebx + {map} + {badge}], 0
    mov     [esp + {regs_edi}], edi
    mov     dword ptr [esp + {regs_ebx}], 0
    jmp     fast_null
