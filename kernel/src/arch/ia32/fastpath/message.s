// Call to a thread that waits, ReplyReceive when nobody waits, and the switch from one thread to another.

// A Call; \long: with more than two words; \accept: the answer can bring strings.
.macro call_path long, accept
    find_receiver
    accept_strings \accept
    // From here on nothing fails.
    hand_call_over
    .if     \accept
    restore_message
    .endif
    .if     \long
    copy_words
    .endif
.endm

// The same with the reply of a ReplyReceive.
.macro reply_receive_path long, accept
    .if     \accept
    find_caller
    .else
    find_caller fast_answer
    .endif
    accept_strings \accept
    // From here on nothing fails.
    hand_reply_over
    .if     \accept
    restore_message
    .endif
    .if     \long
    copy_words
    .else
    jmp     fast_switch
    .endif
.endm

.balign 16
fast_call_long:
    require_words {words_max}, fast_call_string
    call_path 1, 0

.balign 16
.globl fast_call
fast_call:
    require_words 2, fast_call_long
    call_path 0, 0

// EAX: the thread that runs next, which came in by SYSENTER. EBX, ESI, EDI, EBP: what it receives.
fast_switch:
    enter_thread
    mov     edx, ss:[eax + {map} + {regs_edx}]
    mov     ecx, ss:[eax + {map} + {regs_ecx}]
    xor     eax, eax
    sti                                         // takes effect behind the next instruction
    sysexit

.balign 16
.globl fast_call_strings
fast_call_strings:
    require_words 2, fast_call_strings_long
    call_path 0, 1
    jmp     fast_switch

.balign 16
fast_call_strings_long:
    require_words {words_max}, fast_call_strings_string
    call_path 1, 1

.balign 16
.globl fast_reply_receive
fast_reply_receive:
    require_words 2, fast_reply_receive_long
    reply_receive_path 0, 0

.balign 16
fast_reply_receive_long:
    require_words {words_max}, ordinary_call
    reply_receive_path 1, 0

.balign 16
.globl fast_reply_receive_strings
fast_reply_receive_strings:
    require_words 2, fast_reply_receive_strings_long
    reply_receive_path 0, 1

.balign 16
fast_reply_receive_strings_long:
    require_words {words_max}, fast_reply_receive_string
    reply_receive_path 1, 1
