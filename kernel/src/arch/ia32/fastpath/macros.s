// What the paths are made of. Where a condition does not hold each piece goes to \other: mostly to ordinary_call.
//
// ESP is the current thread, whose registers are saved and still in the processor. EFLAGS is the program's: who
// needs DF clear clears it. So are DS and ES.

// ECX + EBX := the slot that EBX names, less the direct map. Uses EDX.
.macro find_slot other=ordinary_call
    mov     ecx, ebx
    shr     ecx, 7
    and     ecx, 31
    mov     edx, [esp + {directory}]
    mov     ecx, ss:[edx + ecx*4 + {nodes}]
    test    ecx, ecx
    jz      \other
    and     ebx, 127
    shl     ebx, 5
.endm

// Requires the capability in the slot at \slot to be of the kind and with the right for which \bit stands.
.macro require_use slot, bit, other=ordinary_call
    test    dword ptr ss:[\slot + {map} + {slot_meta}], \bit
    jz      \other
.endm

// The message is \most words or fewer and nothing else; or goes to \other.
.macro require_words most, other
    cmp     si, \most
    ja      \other
.endm

// EAX is the partner: of the same priority, in the state that \beside stands for, and nothing is special about
// either. Uses ECX.
.macro require_partner beside, other=ordinary_call
    mov     ecx, [esp + \beside]
    cmp     ecx, ss:[eax + {map} + {standing}]
    jne     \other
.endm

// The thread sets no limit to its wait. Uses ECX.
.macro require_patience
    mov     ecx, [esp + {words}]
    cmp     dword ptr ss:[ecx + {receive_limit}], {forever}
    jne     ordinary_call
.endm

// The thread waits, where nobody else does: on the object in the slot at EDX, by the capability in the one at EBX.
// Uses ECX.
.macro queue_up state
    lea     ecx, [esp - {map}]
    mov     ss:[edx + {map} + {spare}], ecx
    mov     [esp + {waits_on}], edx
    mov     [esp + {waits_by}], ebx
    mov     byte ptr [esp + {standing}], \state
.endm

// For a Call by EBX: EAX := the one thread that waits, EDX := the endpoint's slot, EBX := the badge. Uses ECX.
.macro find_receiver
    find_slot
    require_use ecx + ebx, {send}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    mov     ebx, ss:[ecx + ebx + {map} + {badge}]
    mov     eax, ss:[edx + {map} + {spare}]
    test    eax, eax
    jz      ordinary_call
    require_partner {receiver_beside}
    require_patience
.endm

// The thread has called the one in EAX, which waited at EDX. Uses ECX.
.macro hand_call_over
    mov     dword ptr ss:[edx + {map} + {spare}], 0
    mov     dword ptr [esp + {range_count}], 0
    mov     byte ptr [esp + {standing}], {awaiting}
    mov     [esp + {reply}], eax
    lea     ecx, [esp - {map}]
    mov     ss:[eax + {map} + {caller}], ecx
.endm

// For a ReplyReceive by EBX: EAX := the caller, EDX := the endpoint's slot, EBX := that of its capability.
// A caller that is not as one must be goes to \other. Uses ECX.
.macro find_caller other=ordinary_call
    find_slot
    require_use ecx + ebx, {receive}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    cmp     dword ptr ss:[edx + {map} + {spare}], 0
    jne     ordinary_call
    require_use edx, {receive}                  // the first capability has all rights, while it lives
    mov     eax, [esp + {caller}]
    test    eax, eax
    jz      ordinary_call
    add     ebx, ecx
    require_partner {caller_beside}, \other
    require_patience
.endm

// The thread has answered the one in EAX, and waits at EDX by EBX. EBX := 0. Uses ECX.
.macro hand_reply_over
    queue_up {receiving}
    xor     ebx, ebx
    mov     [esp + {caller}], ebx
.endm

// EAX: the thread that runs next, in a space of its own perhaps. The task segment says who runs, and on what directory;
// `Kernel::enter` tells the rest of the kernel. Uses ECX, ESP.
.macro enter_thread
    mov     ecx, ss:[eax + {map} + {directory}]
    cmp     ecx, [esp + {directory}]
    je      1f
    mov     ss:[{task} + {task_directory}], ecx
    mov     cr3, ecx
    inc     dword ptr ss:[{kernel} + {space_switches}]
    // Nothing goes from space to space but the message: EFLAGS, by way of the word that POPA leaves out, and the
    // segment registers.
    lea     esp, [eax + {map} + {regs_ebx}]
    push    2
    popfd
    mov     ecx, {user_data}
    mov     ds, ecx
    mov     es, ecx
    xor     ecx, ecx
    mov     fs, ecx
    mov     gs, ecx
1:  lea     ecx, [eax + {map} + {regs_bytes}]
    mov     ss:[{task} + {esp0}], ecx
.endm

// What the thread accepts strings in: nothing, or the one buffer of its list, which is checked as
// `strings::read_buffers` does. Uses ECX; \yes: and ESI, EDI, EBP.
.macro accept_strings yes
    .if     \yes
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
    jbe     7f
    add     ecx, {block}
    cmp     esi, ecx
    jb      ordinary_call
7:  mov     [esp + {first_address}], esi
    mov     [esp + {first_bytes}], edi
    mov     [esp + {buffers}], edi
    mov     ecx, [esp + {utcb}]
    mov     esi, ss:[ecx + {fault_mine}]
    mov     edi, ss:[ecx + {fault_other}]
    mov     [esp + {mine}], esi
    mov     [esp + {other}], edi
    .else
    mov     dword ptr [esp + {buffers}], 0
    .endif
.endm

// The message's registers are the program's again.
.macro restore_message
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
    mov     ebp, [esp + {regs_ebp}]
.endm

// EAX: the partner. The words beyond the second, of which there are some, go to its UTCB; then it is its turn. The tag
// can say that there are \strings, too. Setting up a string instruction takes longer than two words do.
.macro copy_words strings=0
    cmp     si, 4
    ja      8f
    mov     ecx, [esp + {words}]
    mov     edx, ss:[eax + {map} + {words}]
    mov     esi, ss:[ecx]
    mov     ss:[edx], esi
    jb      9f
    mov     esi, ss:[ecx + 4]
    mov     ss:[edx + 4], esi
9:  mov     esi, [esp + {regs_esi}]
    jmp     fast_switch
8:  cld
    mov     ecx, {user_data}
    mov     es, ecx
    movzx   ecx, si
    .if     \strings
    and     ecx, {words_mask}
    .endif
    sub     ecx, 2
    mov     esi, [esp + {words}]
    mov     edi, ss:[eax + {map} + {words}]
    rep     movsd es:[edi], ss:[esi]
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
    jmp     fast_switch
.endm
