// What the paths are made of. Each piece goes to ordinary_call where a condition does not hold.
//
// ESP is the current thread, whose registers are saved and still in the processor. EFLAGS is the program's: who
// needs DF clear clears it. So are DS and ES.

// ECX + EBX := the slot that EBX names, less the direct map. Uses EDX.
.macro find_slot
    mov     ecx, ebx
    shr     ecx, 7
    and     ecx, 31
    mov     edx, [esp + {directory}]
    mov     ecx, ss:[edx + ecx*4 + {nodes}]
    test    ecx, ecx
    jz      ordinary_call
    and     ebx, 127
    shl     ebx, 5
.endm

// Requires the slot at ECX + EBX to have what \bits says of those in \mask. Uses EAX.
.macro require_right mask, bits
    mov     eax, ss:[ecx + ebx + {map} + {slot_meta}]
    and     eax, \mask
    cmp     eax, \bits
    jne     ordinary_call
.endm

// Requires the object that lives in the slot at EDX to be of \kind, and so not about to be deleted. Uses EAX.
.macro require_life kind
    mov     eax, ss:[edx + {map} + {slot_meta}]
    and     eax, {kind_mask}
    cmp     eax, \kind
    jne     ordinary_call
.endm

// The message is \most words or fewer and nothing else; or goes to \other.
.macro require_words most, other
    cmp     si, \most
    ja      \other
.endm

// EAX is the partner: of the same priority, in the state that \beside stands for, and nothing is special about
// either; and the thread sets no limit to its wait. Uses ECX.
.macro require_partner beside
    mov     ecx, [esp + \beside]
    cmp     ecx, ss:[eax + {map} + {standing}]
    jne     ordinary_call
    mov     ecx, [esp + {utcb}]
    cmp     dword ptr ss:[ecx + {receive_limit}], {forever}
    jne     ordinary_call
.endm

// EAX: the partner. The words beyond the second, of which there are some, go to its UTCB. Uses ECX.
.macro copy_words
    cld
    mov     ecx, {user_data}
    mov     es, ecx
    movzx   ecx, si
    sub     ecx, 2
    mov     esi, [esp + {utcb}]
    mov     edi, ss:[eax + {map} + {utcb}]
    add     esi, {third_word}
    add     edi, {third_word}
    rep     movsd es:[edi], ss:[esi]
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
.endm

// The one buffer that a call accepts strings in, checked as `strings::read_buffers` does: EDI := its bytes, ESI :=
// its address. Uses ECX, EBP.
.macro require_buffer
    mov     ecx, [esp + {utcb}]
    cmp     dword ptr ss:[ecx + {buffers_count}], 1
    jne     ordinary_call
    mov     esi, ss:[ecx + {buffer}]
    mov     edi, ss:[ecx + {buffer} + 4]
    test    edi, edi
    jz      ordinary_call
    mov     ebp, esi
    add     ebp, edi
    jc      ordinary_call
    cmp     ebp, {user_end}
    ja      ordinary_call
    mov     ecx, [esp + {directory}]
    mov     ecx, ss:[ecx + {area_base}]
    cmp     ebp, ecx
    jbe     1f
    add     ecx, {block}
    cmp     esi, ecx
    jb      ordinary_call
1:
.endm
