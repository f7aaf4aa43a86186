//! The shortest paths, in the processor's registers: Call to a thread that waits, ReplyReceive when nobody
//! waits, Notify that wakes nobody, Receive of bits that are there already, Null; all by SYSENTER.
//!
//! They are taken when all of this holds; else the call goes the ordinary way, from its beginning, with nothing
//! changed:
//!
//! 1. EAX is the call's number and nothing else: a reply is to the caller that the thread holds implicitly, and
//!    no strings are accepted; but a ReplyReceive can accept strings, into one buffer that is as it must be.
//! 2. EBX names an endpoint (Notify, Receive: a notification), with the right that the call needs, in a node of
//!    the space, and it is not being deleted.
//! 3. Notify: nobody waits there. Receive: a bit is set.
//!
//! And for messages:
//!
//! 4. The message is its tag and words: no items, strings, ranges. Up to two words are in registers already.
//! 5. Call: one thread waits there, to receive; no slot was emptied since it began to. ReplyReceive: nobody
//!    waits there, and the thread holds a reply capability.
//! 6. Both threads have the same priority. Neither uses the FPU, has faulted, has an errand or a time limit that
//!    runs.
//! 7. The thread that is going to wait sets no limit to that.
//!
//! What must hold: what it does is what `ipc.rs` would have done (s30-ipc runs both ways); up to the line that
//! says so it changes nothing but registers, all of which are saved already. Memory is reached through SS: DS
//! and ES are still the program's.

use core::arch::global_asm;
use core::mem::offset_of;

use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{BLOCK, FOREVER, USER_END, utcb};
use freehold_abi::message::{ACCEPT, WORDS_MAX};
use freehold_abi::{Call, Rights};
use freehold_user_pagetables::cap_bits;
use freehold_user_pagetables::layout::{AREA_BASE, BADGE, IN_NODE, OBJECT, SLOT_META, SPACE_NODES, SPARE};

use super::paging::KERNEL_BASE;
use super::regs::{REGS_BYTES, Regs, VECTOR_SYSENTER};
use super::segments::{ESP0, TASK, USER_DATA};
use crate::kernel::{KERNEL, offsets};
use crate::strings::List;
use crate::thread::{Place, ReplyPlace, Thread};

const READY: u32 = State::Ready as u32;
const KIND: u32 = cap_bits(15, 0);

global_asm!(
    r#"
    .pushsection .text

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

    // ESP: the current thread, whose registers are saved, and still in the processor.
    .macro call_path long
    fast_slot
    fast_right {send_mask}, {send}
    mov     ebx, ss:[ecx + {map} + {badge}]
    mov     ecx, ss:[ecx + {map} + {object}]
    mov     eax, ss:[ecx + {map} + {spare}]
    test    eax, eax
    jz      ordinary_call
    fast_partner {receiving}
    mov     edx, ss:[{kernel} + {revocations}]
    cmp     edx, ss:[eax + {map} + {waits_since}]
    jne     ordinary_call
    cmp     eax, ss:[eax + {map} + {queue_next}]
    jne     ordinary_call
    // From here on nothing fails.
    xor     edx, edx
    mov     ss:[ecx + {map} + {spare}], edx
    mov     ss:[eax + {map} + {queue_next}], edx
    mov     ss:[eax + {map} + {queue_prev}], edx
    mov     [esp + {range_count}], edx
    mov     [esp + {buffers}], edx
    mov     byte ptr [esp + {standing}], {awaiting}
    mov     dword ptr [esp + {reply}], {held}
    mov     [esp + {reply} + 4], eax
    lea     ecx, [esp - {map}]
    mov     ss:[eax + {map} + {caller}], ecx
    .if     \long
    fast_words
    .endif
    .endm

    // The same with the reply, \long or not; \accept: strings are accepted.
    .macro reply_receive_path long, accept
    fast_slot
    fast_right {receive_mask}, {receive}
    mov     ebx, ss:[ecx + {map} + {object}]
    cmp     dword ptr ss:[ebx + {map} + {spare}], 0
    jne     ordinary_call
    fast_lives {endpoint}
    mov     eax, [esp + {caller}]
    test    eax, eax
    jz      ordinary_call
    fast_partner {awaiting}
    .if     \accept
    fast_buffer
    .endif
    // From here on nothing fails.
    lea     edx, [esp - {map}]
    mov     ss:[ebx + {map} + {spare}], edx
    mov     [esp + {queue_next}], edx
    mov     [esp + {queue_prev}], edx
    or      ebx, {in_node}
    mov     [esp + {waits_on}], ebx
    or      ecx, {in_node}
    mov     [esp + {waits_by}], ecx
    mov     edx, ss:[{kernel} + {wait_stamp}]
    mov     [esp + {waits_since}], edx
    xor     ebx, ebx
    mov     [esp + {caller}], ebx
    mov     ss:[eax + {map} + {reply}], ebx
    mov     byte ptr [esp + {standing}], {receiving}
    .if     \accept
    mov     [esp + {first_address}], esi
    mov     [esp + {first_bytes}], edi
    mov     [esp + {buffers}], edi
    mov     edx, [esp + {utcb}]
    mov     esi, ss:[edx + {fault_mine}]
    mov     edi, ss:[edx + {fault_other}]
    mov     [esp + {mine}], esi
    mov     [esp + {other}], edi
    mov     esi, [esp + {regs_esi}]
    mov     edi, [esp + {regs_edi}]
    mov     ebp, [esp + {regs_ebp}]
    mov     dword ptr [esp + {regs_eax}], {number_receive} + {accept}
    .else
    mov     [esp + {buffers}], ebx
    mov     dword ptr [esp + {regs_eax}], {number_receive}
    .endif
    .if     \long
    fast_words
    .endif
    jmp     fast_switch
    .endm

    .balign 16
fast_call_long:
    fast_tag {words_max}, ordinary_call
    call_path 1
    jmp     fast_switch

    .balign 16
    .globl  fast_call
fast_call:
    fast_tag 2, fast_call_long
    call_path 0

    // EAX: the thread that runs next, in a space of its own perhaps. EBX, ESI, EDI, EBP: what it receives.
fast_switch:
    mov     byte ptr ss:[eax + {map} + {standing}], {ready}
    mov     ss:[{kernel} + {current}], eax
    mov     ss:[{kernel} + {loaded}], eax
    mov     ecx, ss:[eax + {map} + {directory}]
    cmp     ecx, [esp + {directory}]
    je      1f
    mov     cr3, ecx
    mov     ss:[{kernel} + {tables_current}], ecx
    inc     dword ptr ss:[{kernel} + {space_switches}]
1:  lea     esp, [eax + {map}]
    lea     ecx, [eax + {map} + {regs_bytes}]
    mov     ss:[{task} + {esp0}], ecx
    mov     ecx, {user_data}
    mov     ds, ecx
    mov     es, ecx
    xor     eax, eax
    mov     fs, eax
    mov     gs, eax
    cmp     dword ptr [esp + {regs_vector}], {vector_sysenter}
    jne     2f
    mov     edx, [esp + {regs_eip}]
    mov     ecx, [esp + {regs_esp}]
    sti                                         // takes effect behind the next instruction
    sysexit
    // It came in by another way, and goes out by it.
2:  mov     [esp + {regs_edi}], edi
    mov     [esp + {regs_esi}], esi
    mov     [esp + {regs_ebp}], ebp
    mov     [esp + {regs_ebx}], ebx
    mov     [esp + {regs_eax}], eax
    jmp     resume

    .balign 16
    .globl  fast_reply_receive
fast_reply_receive:
    fast_tag 2, fast_reply_receive_long
    reply_receive_path 0, 0

    .balign 16
fast_reply_receive_long:
    fast_tag {words_max}, ordinary_call
    reply_receive_path 1, 0

    .balign 16
    .globl  fast_reply_receive_strings
fast_reply_receive_strings:
    fast_tag 2, fast_reply_receive_strings_long
    reply_receive_path 0, 1

    .balign 16
fast_reply_receive_strings_long:
    fast_tag {words_max}, ordinary_call
    reply_receive_path 1, 1

    .balign 16
    .globl  fast_notify
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
    .globl  fast_null
fast_null:
    mov     dword ptr [esp + {regs_eax}], 0
    popad
    sti
    sysexit

    .balign 16
    .globl  fast_receive
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

    .popsection
    "#,
    map = const KERNEL_BASE,
    nodes = const KERNEL_BASE + SPACE_NODES,
    slot_meta = const SLOT_META,
    badge = const BADGE,
    object = const OBJECT,
    spare = const SPARE,
    in_node = const IN_NODE,
    send_mask = const KIND | cap_bits(0, Rights::SEND.0),
    send = const cap_bits(Kind::Endpoint as u32, Rights::SEND.0),
    receive_mask = const KIND | cap_bits(0, Rights::RECEIVE.0),
    receive = const cap_bits(Kind::Endpoint as u32, Rights::RECEIVE.0),
    notify = const cap_bits(Kind::Notification as u32, Rights::SEND.0),
    wait = const cap_bits(Kind::Notification as u32, Rights::RECEIVE.0),
    kind_mask = const KIND,
    endpoint = const cap_bits(Kind::Endpoint as u32, 0),
    notification = const cap_bits(Kind::Notification as u32, 0),
    receive_limit = const KERNEL_BASE + 4 * utcb::RECEIVE_LIMIT as u32,
    forever = const FOREVER as i32,
    number_receive = const Call::Receive as u32,
    accept = const ACCEPT << 8,
    words_max = const WORDS_MAX,
    third_word = const KERNEL_BASE + 4 * (utcb::MESSAGE as u32 + 3),
    buffers_count = const KERNEL_BASE + 4 * utcb::BUFFERS_COUNT as u32,
    buffer = const KERNEL_BASE + 4 * utcb::BUFFERS as u32,
    fault_mine = const KERNEL_BASE + 4 * utcb::RECEIVE_FAULT_MINE as u32,
    fault_other = const KERNEL_BASE + 4 * utcb::RECEIVE_FAULT_OTHER as u32,
    area_base = const KERNEL_BASE + AREA_BASE,
    user_end = const USER_END,
    block = const BLOCK,
    ready = const READY,
    receiving = const State::Receiving as u32,
    awaiting = const State::AwaitingReply as u32,
    held = const ReplyPlace::HELD,
    standing = const offset_of!(Thread, state),
    directory = const offset_of!(Thread, directory),
    utcb = const offset_of!(Thread, utcb),
    caller = const offset_of!(Thread, caller),
    reply = const offset_of!(Thread, reply),
    waits_on = const offset_of!(Thread, waits_on),
    waits_by = const offset_of!(Thread, waits_by),
    waits_since = const offset_of!(Thread, waits_since),
    queue_next = const offset_of!(Thread, queue) + offset_of!(Place, next),
    queue_prev = const offset_of!(Thread, queue) + offset_of!(Place, prev),
    range_count = const offset_of!(Thread, range_count),
    buffers = const offset_of!(Thread, buffers) + List::BYTES,
    first_address = const offset_of!(Thread, buffers) + List::FIRST_ADDRESS,
    first_bytes = const offset_of!(Thread, buffers) + List::FIRST_BYTES,
    mine = const offset_of!(Thread, buffers) + List::MINE,
    other = const offset_of!(Thread, buffers) + List::OTHER,
    kernel = sym KERNEL,
    current = const offsets::CURRENT,
    loaded = const offsets::LOADED,
    tables_current = const offsets::TABLES_CURRENT,
    space_switches = const offsets::SPACE_SWITCHES,
    revocations = const offsets::REVOCATIONS,
    wait_stamp = const offsets::WAIT_STAMP,
    regs_bytes = const REGS_BYTES,
    regs_vector = const offset_of!(Regs, vector),
    regs_edi = const offset_of!(Regs, edi),
    regs_esi = const offset_of!(Regs, esi),
    regs_ebp = const offset_of!(Regs, ebp),
    regs_ebx = const offset_of!(Regs, ebx),
    regs_eax = const offset_of!(Regs, eax),
    regs_eip = const offset_of!(Regs, eip),
    regs_esp = const offset_of!(Regs, esp),
    vector_sysenter = const VECTOR_SYSENTER,
    task = sym TASK,
    esp0 = const ESP0,
    user_data = const USER_DATA,
);
