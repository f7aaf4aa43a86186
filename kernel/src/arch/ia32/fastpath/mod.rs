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
    ".pushsection .text",
    include_str!("macros.s"),
    include_str!("message.s"),
    include_str!("notify.s"),
    ".popsection",
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
