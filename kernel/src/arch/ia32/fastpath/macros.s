// What the paths are made of. Each piece goes to ordinary_call where a condition does not hold.

// ECX := the slot that EBX names, less the direct map. Uses EBX.
.macro fast_slot
    mov     ecx, ebx
    shr     ecx, 5
    and     ecx, 31 * 4
    add     ecx, [esp + {directory}]
    mov     ecx, ss:[ecx + {nodes}]
    test    ecx, ecx
    jz      ordinary_call
    and     ebx, 127
    shl     ebx, 5
    add     ecx, ebx
.endm

// Requires the slot at ECX to have what \bits says of those in \mask. Uses EAX.
.macro fast_right mask, bits
    mov     eax, ss:[ecx + {map} + {slot_meta}]
    and     eax, \mask
    cmp     eax, \bits
    jne     ordinary_call
.endm

// Requires the object that lives in the slot at EBX to be of \kind, and so not about to be deleted. Uses EAX.
.macro fast_lives kind
    mov     eax, ss:[ebx + {map} + {slot_meta}]
    and     eax, {kind_mask}
    cmp     eax, \kind
    jne     ordinary_call
.endm

// The message is \most words or fewer and nothing else; or goes to \other. Uses EAX.
.macro fast_tag most, other
    movzx   eax, si
    cmp     eax, \most
    ja      \other
.endm

// EAX: the partner. The words beyond the second, of which there are some, go to its UTCB. Uses ECX; DS and ES
// are the kernel's from here on.
.macro fast_words
    mov     ecx, {user_data}
    mov     ds, ecx
    mov     es, ecx
    movzx   ecx, si
    sub     ecx, 2
    mov     esi, [esp + {utcb}]
    mov     edi, [eax + {map} + {utcb}]
    add     esi, {third_word}
    add     edi, {third_word}
    rep     movsd
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
.endm

// EAX is the partner: of the same priority, in state \state, and nothing is special about either. EDX: used.
.macro fast_partner state
    mov     edx, [esp + {standing}]
    xor     edx, {ready} ^ \state
    cmp     edx, ss:[eax + {map} + {standing}]
    jne     ordinary_call
    test    edx, 0x00FFFF00
    jnz     ordinary_call
    mov     edx, [esp + {utcb}]
    cmp     dword ptr ss:[edx + {receive_limit}], {forever}
    jne     ordinary_call
.endm

// The one buffer that a call accepts strings in, checked as `strings::read_buffers` does: EDI := its bytes, ESI :=
// its address. Uses EDX, EBP.
.macro fast_buffer
    mov     edx, [esp + {utcb}]
    cmp     dword ptr ss:[edx + {buffers_count}], 1
    jne     ordinary_call
    mov     esi, ss:[edx + {buffer}]
    mov     edi, ss:[edx + {buffer} + 4]
    test    edi, edi
    jz      ordinary_call
    mov     ebp, esi
    add     ebp, edi
    jc      ordinary_call
    cmp     ebp, {user_end}
    ja      ordinary_call
    mov     edx, [esp + {directory}]
    mov     edx, ss:[edx + {area_base}]
    cmp     ebp, edx
    jbe     1f
    add     edx, {block}
    cmp     esi, edx
    jb      ordinary_call
1:
.endm
