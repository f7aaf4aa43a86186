// Messages that have a string, to a thread with a buffer for it: Call, and the reply of a ReplyReceive.

// Requires the message to be words and strings.
.macro require_string
    mov     ecx, esi
    xor     ecx, {string_flag}
    cmp     cx, {words_max}
    ja      ordinary_call
.endm

// The one string of the thread's message goes to EAX. EBP := its bytes. Uses ECX, ESI, EDI; EFLAGS, DS and ES are the
// kernel's from here on.
.macro copy_string
    // Checked as `strings::read_strings` does: ESI := its address.
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
    jae     2f
    call    copy_pieces
    jmp     4f
2:  shr     ecx, {unit_shift}
    cmp     ecx, [{kernel} + {units_left}]
    jae     3f
    mov     [{kernel} + {units_left}], ecx
3:  mov     ecx, ebp
    call    copy_bytes
4:  mov     dword ptr [edx + {window_entry}], 0
    mov     dword ptr [edx + {window_entry} + 4], 0
    test    ecx, ecx
    jnz     fast_string_stopped
    pop     ecx                                 // ESI, which is not needed any more
    pop     edx
    pop     ebx
    pop     eax
    pop     esp
.endm

.macro string_call_path accept
    require_string
    find_receiver
    accept_strings \accept
    copy_string
    // From here on nothing fails.
    hand_call_over
    jmp     fast_string_delivered
.endm

.balign 16
fast_call_string:
    string_call_path 0

.balign 16
fast_call_strings_string:
    string_call_path 1

.balign 16
fast_reply_receive_string:
    require_string
    find_caller
    accept_strings 1
    copy_string
    // From here on nothing fails.
    hand_reply_over

// EAX: the partner. EBP: bytes of the string.
fast_string_delivered:
    mov     ecx, [eax + {map} + {utcb}]
    mov     [ecx + {arrived}], ebp
    restore_message
    mov     ecx, esi
    and     ecx, {words_mask}
    cmp     ecx, 2
    jbe     fast_switch
    copy_words 1

// EDI, ESI, EBP: to, from, bytes, more than a piece. Between two of them interrupts are noted. ECX := 0 if none was
// and no page is missing. Uses EAX, EBX.
.balign 16
copy_pieces:
    mov     dword ptr [{kernel} + {units_left}], 0
    mov     ebx, ebp
1:  mov     ecx, {piece}
    call    copy_bytes
    test    ecx, ecx
    jnz     2f
    sti
    nop                                         // interrupts come in behind it
    cli
    mov     ecx, [{noted}]
    test    ecx, ecx
    jnz     2f
    sub     ebx, {piece}
    cmp     ebx, {piece}
    ja      1b
    mov     ecx, ebx
    call    copy_bytes
2:  ret

// A page is missing or a line has interrupted: the ordinary path goes on behind what is copied.
fast_string_stopped:
    pop     eax
    sub     esi, eax
    push    esi
    push    ebp
    push    eax
    call    {kernel_string_begun}
    jmp     resume
