// Call whose message has a string, to a thread that waits with a buffer for it.

.balign 16
fast_call_string:
    mov     ecx, esi
    xor     ecx, {string_flag}
    cmp     cx, {words_max}
    ja      ordinary_call
    find_receiver
    // The string, checked as `strings::read_strings` does: ESI := its address, EBP := its bytes.
    mov     ecx, [esp + {utcb}]
    cmp     dword ptr ss:[ecx + {strings_count}], 1
    jne     ordinary_call
    mov     esi, ss:[ecx + {string}]
    mov     ebp, ss:[ecx + {string} + 4]
    lea     ecx, [ebp - 1]                      // makes the most of 0 bytes
    cmp     ecx, {string_most} - 1
    ja      ordinary_call
    mov     ecx, {user_end}
    sub     ecx, ebp
    cmp     esi, ecx
    ja      ordinary_call
    // EDI := where it goes.
    cmp     ebp, ss:[eax + {map} + {buffers}]
    ja      ordinary_call
    cmp     ebp, ss:[eax + {map} + {first_bytes}]
    ja      ordinary_call
    mov     edi, ss:[eax + {map} + {first_address}]
    // From here on the copy alone can fail. It needs a stack, which there is none below the thread's registers.
    mov     ecx, esp
    mov     esp, offset {stack} + {stack_bytes}
    push    2
    popfd
    push    ecx
    push    eax
    push    ebx
    push    edx
    push    esi
    mov     edx, {user_data}
    mov     ds, edx
    mov     es, edx
    mov     edx, [ecx + {directory}]
    mov     eax, [eax + {map} + {directory}]
    cmp     eax, edx
    je      1f
    // `Window::open`; the second entry only if the buffer goes on there.
    mov     ebx, edi
    shr     ebx, 22
    lea     ebx, [eax + 4 * ebx + {map}]
    mov     eax, [ebx]
    and     eax, {not_user}
    mov     [edx + {window_entry}], eax
    and     edi, {block} - 1
    lea     eax, [edi + ebp]
    add     edi, {window}
    cmp     eax, {block}
    jbe     1f
    mov     eax, [ebx + 4]
    and     eax, {not_user}
    mov     [edx + {window_entry} + 4], eax
1:  mov     ecx, {piece}
    sub     ecx, ebp
    jb      fast_string_pieces
    shr     ecx, {unit_shift}
    cmp     ecx, [{kernel} + {units_left}]
    jae     2f
    mov     [{kernel} + {units_left}], ecx
2:  mov     ecx, ebp
    call    copy_bytes
fast_string_copied:
    mov     dword ptr [edx + {window_entry}], 0
    mov     dword ptr [edx + {window_entry} + 4], 0
    test    ecx, ecx
    jnz     fast_string_stopped
    pop     ecx                                 // ESI, which is not needed any more
    pop     edx
    pop     ebx
    pop     eax
    pop     esp
    // From here on nothing fails.
    hand_call_over
    mov     ecx, [eax + {map} + {utcb}]
    mov     [ecx + {arrived}], ebp
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
    mov     ebp, [esp + {regs_ebp}]
    mov     ecx, esi
    and     ecx, {words_mask}
    cmp     ecx, 2
    jbe     fast_switch
    copy_words 1

// More than a piece: between two of them interrupts are noted. ECX := 0 if none was and no page is missing.
.balign 16
fast_string_pieces:
    mov     dword ptr [{kernel} + {units_left}], 0
    mov     ebx, ebp
1:  mov     ecx, {piece}
    call    copy_bytes
    test    ecx, ecx
    jnz     fast_string_copied
    sti
    nop                                         // interrupts come in behind it
    cli
    mov     ecx, [{noted}]
    test    ecx, ecx
    jnz     fast_string_copied
    sub     ebx, {piece}
    cmp     ebx, {piece}
    ja      1b
    mov     ecx, ebx
    call    copy_bytes
    jmp     fast_string_copied

// A page is missing or a line has interrupted: the ordinary path goes on behind what is copied.
fast_string_stopped:
    pop     eax
    sub     esi, eax
    push    esi
    push    ebp
    push    eax
    call    {kernel_call_begun}
    jmp     resume
