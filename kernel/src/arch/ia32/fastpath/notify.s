// Notify that wakes nobody, Receive of bits that are there, Null.

.balign 16
.globl fast_notify
fast_notify:
    find_slot
    require_use ecx + ebx, {notify}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    cmp     dword ptr ss:[edx + {map} + {spare}], 0
    jne     ordinary_call
    require_use edx, {wait}                     // the first capability has all rights, while it lives
    // The bits: the capability's badge, unless it has none or is the notification's own slot.
    lea     eax, [ecx + ebx]
    cmp     eax, edx
    je      1f
    mov     ecx, ss:[eax + {map} + {badge}]
    test    ecx, ecx
    jnz     2f
1:  mov     ecx, esi
2:  or      ss:[edx + {map} + {badge}], ecx

// Goes back with status 0 and all registers as they were; segment registers and EFLAGS too: nothing has used them.
    mov     dword ptr [esp + {regs_eax}], 0
    popad
    sti
    sysexit

// The same, before any register was changed.
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
    mov     edi, ss:[edx + {map} + {badge}]
    test    edi, edi
    jz      ordinary_call
    require_use edx, {wait}                     // the first capability has all rights, while it lives
    xor     eax, eax
    mov     ss:[edx + {map} + {badge}], eax
    xor     ebx, ebx
    mov     edx, [esp + {regs_edx}]
    mov     ecx, [esp + {regs_ecx}]
    sti
    sysexit
