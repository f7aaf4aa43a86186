// Messages of untrusted threads that have no items: a Call or a ReplyReceive to the redirector that waits, to which a
// string makes no difference; and what it then lets past, if that is words, to a thread that waits for it. Where a
// condition does not hold the first two go to watched_call.

// EDX := the slot of the endpoint where the redirector receives from. Uses ECX.
.macro find_door
    mov     ecx, [esp + {directory}]
    mov     edx, ss:[ecx + {trust}]
    mov     ecx, edx
    and     ecx, {doors_mask}
    cmp     edx, ss:[{kernel} + {doors} + ecx*8]
    jne     watched_call
    mov     edx, ss:[{kernel} + {doors} + ecx*8 + 4]
    test    edx, edx
    jz      watched_call
.endm

// The thread in \thread, which the message is for or could be for, is of another space. Uses ECX.
.macro require_foreign thread
    mov     ecx, ss:[\thread + {map} + {directory}]
    cmp     ecx, [esp + {directory}]
    je      watched_call
.endm

// The message is words, and strings perhaps. Uses ECX.
.macro require_no_items
    mov     ecx, esi
    and     ecx, {but_strings}
    cmp     cx, {words_max}
    ja      watched_call
.endm

.balign 16
.globl redirected_call
redirected_call:
    require_no_items
    find_slot watched_call
    require_use ecx + ebx, {send}, watched_call
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    mov     eax, ss:[edx + {map} + {spare}]
    test    eax, eax
    jz      1f
    require_foreign eax
1:  mov     ecx, [esp + {words}]
    cmp     dword ptr ss:[ecx + {send_limit}], {forever}
    jne     watched_call
    jmp     fast_show

.balign 16
.globl redirected_reply_receive
redirected_reply_receive:
    require_no_items
    mov     eax, [esp + {caller}]
    test    eax, eax
    jz      watched_call
    require_foreign eax

// What `redirect::redirect` does when the redirector waits.
fast_show:
    find_door
    mov     eax, ss:[edx + {map} + {spare}]
    test    eax, eax
    jz      watched_call
    require_partner {receiver_beside}, watched_call
    // From here on nothing fails.
    xor     ecx, ecx
    mov     ss:[edx + {map} + {spare}], ecx
    mov     [esp + {range_count}], ecx
    mov     [esp + {buffers}], ecx
    mov     byte ptr [esp + {standing}], {awaiting}
    mov     byte ptr [esp + {special}], {redirected}
    mov     [esp + {reply}], eax
    lea     ecx, [esp - {map}]
    mov     ss:[eax + {map} + {caller}], ecx
    mov     ecx, [esp + {directory}]
    mov     ebx, ss:[ecx + {trust} + 4]
    mov     ecx, esi
    and     ecx, {words_mask}
    cmp     ecx, 2
    jbe     fast_switch
    copy_words 1

// Propagate with the verdict that the message may go on, and an endpoint to receive from, where nobody waits.
// EAX becomes the sender, EBP whom its message is for, EBX what that finds there; ESI and EDI are where the
// redirector is going to wait, and by what.
.balign 16
.globl fast_propagate
fast_propagate:
    test    esi, esi
    jnz     ordinary_call
    find_slot
    require_use ecx + ebx, {receive}
    mov     esi, ss:[ecx + ebx + {map} + {object}]
    cmp     dword ptr ss:[esi + {map} + {spare}], 0
    jne     ordinary_call
    require_use esi, {receive}
    lea     edi, [ecx + ebx]
    require_patience
    // The sender, whose call this makes.
    mov     eax, [esp + {caller}]
    test    eax, eax
    jz      ordinary_call
    mov     ecx, [esp + {caller_beside}]
    or      ecx, {redirected} << 16
    cmp     ecx, ss:[eax + {map} + {standing}]
    jne     ordinary_call
    cmp     dword ptr ss:[eax + {map} + {regs_vector}], {vector_sysenter}
    jne     ordinary_call
    cmp     word ptr ss:[eax + {map} + {regs_esi}], {words_max}
    ja      ordinary_call
    mov     ecx, ss:[eax + {map} + {words}]
    cmp     dword ptr ss:[ecx + {receive_limit}], {forever}
    jne     ordinary_call
    // ECX + EBX := the slot that it names.
    mov     ebx, ss:[eax + {map} + {regs_ebx}]
    mov     ecx, ebx
    shr     ecx, 7
    and     ecx, 31
    mov     edx, ss:[eax + {map} + {directory}]
    mov     ecx, ss:[edx + ecx*4 + {nodes}]
    test    ecx, ecx
    jz      ordinary_call
    and     ebx, 127
    shl     ebx, 5
    cmp     dword ptr ss:[eax + {map} + {regs_eax}], {number_call}
    jne     1f
    // A Call, to a thread that waits.
    require_use ecx + ebx, {send}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    mov     ebx, ss:[ecx + ebx + {map} + {badge}]
    mov     ebp, ss:[edx + {map} + {spare}]
    test    ebp, ebp
    jz      ordinary_call
    mov     ecx, [esp + {receiver_beside}]
    cmp     ecx, ss:[ebp + {map} + {standing}]
    jne     ordinary_call
    // From here on nothing fails.
    mov     dword ptr ss:[edx + {map} + {spare}], 0
    mov     ss:[eax + {map} + {reply}], ebp
    mov     ss:[ebp + {map} + {caller}], eax
    jmp     fast_let_past

    // A ReplyReceive, to a thread that awaits it, from an endpoint where nobody waits.
1:  cmp     dword ptr ss:[eax + {map} + {regs_eax}], {number_reply_receive}
    jne     ordinary_call
    require_use ecx + ebx, {receive}
    mov     edx, ss:[ecx + ebx + {map} + {object}]
    cmp     edx, esi
    je      ordinary_call                       // where the redirector is going to wait
    cmp     dword ptr ss:[edx + {map} + {spare}], 0
    jne     ordinary_call
    require_use edx, {receive}
    add     ebx, ecx
    mov     ebp, ss:[eax + {map} + {caller}]
    test    ebp, ebp
    jz      ordinary_call
    mov     ecx, [esp + {caller_beside}]
    cmp     ecx, ss:[ebp + {map} + {standing}]
    jne     ordinary_call
    // From here on nothing fails.
    mov     ss:[edx + {map} + {spare}], eax
    mov     ss:[eax + {map} + {waits_on}], edx
    mov     ss:[eax + {map} + {waits_by}], ebx
    mov     byte ptr ss:[eax + {map} + {standing}], {receiving}
    xor     ebx, ebx
    mov     ss:[eax + {map} + {caller}], ebx

fast_let_past:
    mov     byte ptr ss:[eax + {map} + {special}], 0
    lea     ecx, [esp - {map}]
    mov     ss:[esi + {map} + {spare}], ecx
    mov     [esp + {waits_on}], esi
    mov     [esp + {waits_by}], edi
    mov     byte ptr [esp + {standing}], {receiving}
    xor     ecx, ecx
    mov     [esp + {caller}], ecx
    mov     [esp + {buffers}], ecx
    mov     edx, eax
    mov     eax, ebp
    mov     esi, ss:[edx + {map} + {regs_esi}]
    cmp     si, 2
    jbe     1f
    cld
    movzx   ecx, si
    sub     ecx, 2
    mov     esi, {user_data}
    mov     es, esi
    mov     esi, ss:[edx + {map} + {words}]
    mov     edi, ss:[eax + {map} + {words}]
    rep     movsd es:[edi], ss:[esi]
    mov     esi, ss:[edx + {map} + {regs_esi}]
1:  mov     edi, ss:[edx + {map} + {regs_edi}]
    mov     ebp, ss:[edx + {map} + {regs_ebp}]
    jmp     fast_switch
