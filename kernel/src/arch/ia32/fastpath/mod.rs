//! The short paths, in the processor's registers: Call to a thread that waits, ReplyReceive when nobody waits,
//! Notify, Receive of a notification, Update and Unmap of one page, Null, all by SYSENTER; a page fault in user mode
//! and its pager's answer.
//!
//! They are taken when all of this holds; else the event goes the ordinary way, from its beginning, with nothing
//! changed:
//!
//! 1. EAX is the call's number and nothing else: a reply is to the caller that the thread holds implicitly, and
//!    no strings are accepted; but Call and ReplyReceive can accept strings, into one buffer that is as it must be.
//! 2. EBX names an endpoint (Notify, Receive: a notification), with the right that the call needs, in a node of
//!    the space, and it is not being deleted.
//!
//! For notifications:
//!
//! 3. Notify: nobody waits there; or bits are to be set and one thread waits, without a time limit, still with the
//!    capability by which it does, in a call by SYSENTER. It does not use the FPU and its priority is not above
//!    the caller's. Receive: a bit is set; or nobody waits there, and the thread sets no limit to its wait. Who
//!    runs then the scheduler's queues say; if that is nobody, or the next thread has an errand, or one of the
//!    two uses the FPU, the way out is the ordinary one, `kernel_wait`.
//!
//! For messages:
//!
//! 4. The message is its tag and words: no items, strings, ranges. Up to two words are in registers already. But a
//!    Call, and a ReplyReceive that accepts strings, can have one string, for which the partner's first buffer is
//!    large enough.
//! 5. Call: one thread waits there, to receive, and still has the capability by which it does. ReplyReceive: nobody
//!    waits there, and the thread holds a reply capability.
//! 6. Both threads have the same priority and came in by SYSENTER. Neither uses the FPU, has faulted, has an errand
//!    or a time limit that runs.
//! 7. The thread that is going to wait sets no limit to that.
//!
//! For page faults:
//!
//! 8. The thread's pager is UPCALL, and it is in no upcall. Or it is the name of an endpoint as in 2, with the right
//!    to send; 5 and 6 hold as for a Call.
//! 9. Its answer: 1 to 7 hold as for a ReplyReceive that accepts no strings, but that the caller has faulted, and
//!    not in a transfer; the label is RESUME.
//!
//! For memory:
//!
//! 10. Update: one update of one page, at its beginning, into a space, with total 0. Unmap: one page of the own space.
//! 11. The capabilities allow it, and neither a Table nor the space is being destroyed. The page lies in a Table of the
//!     space's own; Unmap: which has one hook.
//! 12. Update: the source holds a frame, is not being revoked, is not as deep as can be and can pay; the destination
//!     is empty. Unmap: the entry is a mapping, nothing is derived from it, and the node before it has no bound, so
//!     that nobody is paid.
//!
//! The partner's part of 5 and 6 is one comparison: [`Thread::receiver_beside`], [`Thread::caller_beside`].
//!
//! What must hold: what it does is what `ipc.rs`, `notification.rs`, `pager.rs`, `upcall.rs` and `mapping.rs` would
//! have done (their tests run both ways); up to the line that says so it changes nothing but registers, all of which
//! are saved already, and what the thread accepts strings in, which the ordinary way reads anew. What it leaves
//! undone, `Kernel::enter` makes up for. Memory is reached through SS: DS and ES are still the program's, as EFLAGS
//! is; they are cleaned where the space changes, so that between spaces nothing passes in them. Within one, what the
//! thread before made its call with stays; a page fault, which is no call, passes no DF on.
//!
//! A string is copied before that line. When a page is missing, or an interrupt comes between two pieces of 16 KiB,
//! the ordinary way goes on behind the last byte (`ipc::string_begun`), with the string that was read: to begin anew
//! would show where string and buffer, or the list that names the string, are the same memory.

use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;

use freehold_abi::fault::{ACCESS_PRESENT, ACCESS_WRITE, PAGE_FAULT};
use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{BLOCK, FOREVER, STRING_BYTES_MAX, UNIT_BYTES, UNITS, USER_END, utcb};
use freehold_abi::message::WORDS_MAX;
use freehold_abi::update::UPDATES_AT;
use freehold_abi::{Call, Rights, Tag};
use freehold_captree::MAX_DEPTH;
use freehold_user_pagetables::layout::{self, AREA_BASE, BADGE, OBJECT, SLOT_META, SPACE_NODES, SPARE};
use freehold_user_pagetables::total::UNLIMITED_CODE;
use freehold_user_pagetables::{Entry, FrameType, Kind as EntryKind, Meta, cap_bits, cap_uses, frames, meta};

use super::entry::{KERNEL_STACK, STACK_BYTES, ordinary_call, ordinary_trap};
use super::paging::{KERNEL_BASE, WINDOW_TABLE, entry_bits};
use super::regs::{EFLAGS_USER, REGS_BYTES, Regs, VECTOR_SYSENTER};
use super::segments::{DIRECTORY, ESP0, TASK, USER_DATA};
use super::window::WINDOW_BASE;
use crate::arch::kernel_string_begun;
#[cfg(feature = "designs")]
use crate::designs::trust::{DOORS, TRUST};
use crate::kernel::{KERNEL, offsets};
use crate::queue::Place;
use crate::strings::List;
use crate::thread::{Thread, special};
use crate::units::NOTED;

/// The short paths, and those of some designs, with what only they need to know.
macro_rules! short_paths {
    ($($file:literal),* ; $($operands:tt)*) => {
        global_asm!(
            ".pushsection .text",
            include_str!("macros.s"),
            include_str!("message.s"),
            include_str!("notify.s"),
            include_str!("string.s"),
            include_str!("fault.s"),
            include_str!("map.s"),
            $(include_str!($file),)*
            ".popsection",
            map = const KERNEL_BASE,
            nodes = const KERNEL_BASE + SPACE_NODES,
            slot_meta = const SLOT_META,
            badge = const BADGE,
            object = const OBJECT,
            spare = const SPARE,
            send = const cap_uses(Kind::Endpoint as u32, Rights::SEND.0),
            receive = const cap_uses(Kind::Endpoint as u32, Rights::RECEIVE.0),
            notify = const cap_uses(Kind::Notification as u32, Rights::SEND.0),
            wait = const cap_uses(Kind::Notification as u32, Rights::RECEIVE.0),
            receive_limit = const 4 * (utcb::RECEIVE_LIMIT - Thread::THIRD_WORD),
            forever = const FOREVER as i32,
            words_max = const WORDS_MAX,
            buffers_count = const KERNEL_BASE + 4 * utcb::BUFFERS_COUNT as u32,
            buffer = const KERNEL_BASE + 4 * utcb::BUFFERS as u32,
            fault_mine = const KERNEL_BASE + 4 * utcb::RECEIVE_FAULT_MINE as u32,
            fault_other = const KERNEL_BASE + 4 * utcb::RECEIVE_FAULT_OTHER as u32,
            area_base = const KERNEL_BASE + AREA_BASE,
            user_end = const USER_END,
            block = const BLOCK,
            receiving = const State::Receiving as u32,
            awaiting = const State::AwaitingReply as u32,
            standing = const offset_of!(Thread, state),
            directory = const offset_of!(Thread, directory),
            utcb = const offset_of!(Thread, utcb),
            words = const offset_of!(Thread, words),
            caller = const offset_of!(Thread, caller),
            reply = const offset_of!(Thread, reply),
            waits_on = const offset_of!(Thread, waits_on),
            waits_by = const offset_of!(Thread, waits_by),
            receiver_beside = const offset_of!(Thread, receiver_beside),
            caller_beside = const offset_of!(Thread, caller_beside),
            range_count = const offset_of!(Thread, range_count),
            buffers = const offset_of!(Thread, buffers) + List::BYTES,
            first_address = const offset_of!(Thread, buffers) + List::FIRST_ADDRESS,
            first_bytes = const offset_of!(Thread, buffers) + List::FIRST_BYTES,
            mine = const offset_of!(Thread, buffers) + List::MINE,
            other = const offset_of!(Thread, buffers) + List::OTHER,
            kernel = sym KERNEL,
            space_switches = const offsets::SPACE_SWITCHES,
            regs_bytes = const REGS_BYTES,
            regs_edi = const offset_of!(Regs, edi),
            regs_esi = const offset_of!(Regs, esi),
            regs_ebp = const offset_of!(Regs, ebp),
            regs_ebx = const offset_of!(Regs, ebx),
            regs_edx = const offset_of!(Regs, edx),
            regs_ecx = const offset_of!(Regs, ecx),
            regs_eax = const offset_of!(Regs, eax),
            task = sym TASK,
            esp0 = const ESP0,
            task_directory = const DIRECTORY,
            user_data = const USER_DATA,
            // A message with a string.
            string_flag = const Tag::new(0, 0).with_strings().0,
            words_mask = const 63,
            strings_count = const KERNEL_BASE + 4 * utcb::STRINGS_COUNT as u32,
            string = const KERNEL_BASE + 4 * utcb::STRINGS as u32,
            arrived = const KERNEL_BASE + 4 * utcb::ARRIVED as u32,
            string_most = const STRING_BYTES_MAX,
            piece = const UNITS * UNIT_BYTES,
            unit_shift = const UNIT_BYTES.ilog2(),
            units_left = const offsets::UNITS_LEFT,
            noted = sym NOTED,
            not_user = const !entry_bits::USER as i32,
            window_entry = const KERNEL_BASE + 4 * WINDOW_TABLE as u32,
            window = const WINDOW_BASE,
            stack = sym KERNEL_STACK,
            stack_bytes = const STACK_BYTES,
            kernel_string_begun = sym kernel_string_begun,
            // Of notifications.
            ready = const State::Ready as u32,
            waiting = const State::Waiting as u32,
            special = const Thread::SPECIAL,
            priority = const offset_of!(Thread, priority),
            queue_next = const offset_of!(Thread, queue) + offset_of!(Place, next),
            queue_prev = const offset_of!(Thread, queue) + offset_of!(Place, prev),
            ready_bits = const offsets::READY,
            queues = const offsets::QUEUES,
            regs_vector = const offset_of!(Regs, vector),
            vector_sysenter = const VECTOR_SYSENTER,
            // Of faults.
            pager = const offset_of!(Thread, pager),
            faulted = const special::FAULTED | special::INVOLVED,
            page_fault = const Tag::new(PAGE_FAULT, 3).0 as i32,
            page_fault_label = const PAGE_FAULT,
            access = const ACCESS_PRESENT | ACCESS_WRITE,
            upcall = const KERNEL_BASE + 4 * utcb::UPCALL as u32,
            upcall_eip = const KERNEL_BASE + 4 * utcb::UPCALL_EIP as u32,
            upcall_esp = const KERNEL_BASE + 4 * utcb::UPCALL_ESP as u32,
            regs_error = const offset_of!(Regs, error),
            regs_eip = const offset_of!(Regs, eip),
            regs_eflags = const offset_of!(Regs, eflags),
            regs_esp = const offset_of!(Regs, esp),
            eflags_user = const EFLAGS_USER,
            // Of mappings.
            frame_table = const offsets::FRAME_TABLE,
            type_directory = const FrameType::Directory as u32,
            type_table = const FrameType::Table as u32,
            links = const frames::LINKS,
            live = const frames::LIVE,
            owner = const frames::OWNER,
            frame = const layout::FRAME,
            table = const layout::TABLE,
            entries = const layout::ENTRIES,
            next = const layout::NEXT,
            prev = const layout::PREV,
            meta = const layout::META,
            in_table = const layout::IN_TABLE,
            user_pages = const USER_END / layout::FRAME,
            update = const KERNEL_BASE + 4 * (utcb::MESSAGE + UPDATES_AT) as u32,
            kind_and_edit = const cap_bits(15, Rights::EDIT.0),
            container = const cap_bits(Kind::Container as u32, Rights::EDIT.0),
            space = const cap_bits(Kind::Space as u32, Rights::EDIT.0),
            cap_rights = const cap_bits(0, 1).trailing_zeros(),
            write = const Rights::WRITE.0,
            present = const Entry::PRESENT,
            user = const Entry::USER,
            accessed = const Entry::ACCESSED,
            dirty = const Entry::DIRTY,
            depth = const MAX_DEPTH,
            meta_rights = const meta::bits::RIGHTS,
            kind = const meta::bits::KIND_MASK,
            mapping = const Meta::new(0, 0, EntryKind::Mapping, UNLIMITED_CODE).0,
            holds_frame = const meta::bits::HOLDS_FRAME,
            revoking = const meta::bits::REVOKING,
            bounded = const meta::bits::BOUNDED,
            credit = const meta::bits::CREDIT,
            child = const Meta::new(1, 0, EntryKind::Mapping, 0).0,
            $($operands)*
        );
    };
}

#[cfg(not(feature = "designs"))]
short_paths!(;);
#[cfg(feature = "designs")]
short_paths!("redirect.s";
    trust = const KERNEL_BASE + TRUST,
    doors = const offsets::DOORS,
    doors_mask = const DOORS as u32 - 1,
    redirected = const special::REDIRECTED | special::INVOLVED,
    send_limit = const 4 * (utcb::SEND_LIMIT as i32 - Thread::THIRD_WORD as i32),
    but_strings = const !Tag::new(0, 0).with_strings().0 as i32,
    number_call = const Call::Call as u32,
    number_reply_receive = const Call::ReplyReceive as u32,
);

/// Where a call goes that was made by SYSENTER, by what is in EAX: the calls' numbers, then the ReplyReceive and the
/// Call that accept strings; and where a page fault goes, [`PAGE_FAULT_PATH`].
#[repr(C, align(64))]
pub(super) struct Paths(UnsafeCell<[Path; PAGE_FAULT_PATH + 1]>);

pub(super) const PAGE_FAULT_PATH: usize = Call::ALL.len() + 2;

type Path = unsafe extern "C" fn();

// SAFETY: changed only before the first program runs.
unsafe impl Sync for Paths {}

pub(super) static PATHS: Paths = Paths(UnsafeCell::new(short()));

unsafe extern "C" {
    fn fast_call();
    fn fast_call_strings();
    fn fast_reply_receive();
    fn fast_reply_receive_strings();
    fn fast_notify();
    fn fast_receive();
    fn fast_null();
    fn fast_page_fault();
    fn fast_update();
    fn fast_unmap();
}

const fn ordinary() -> [Path; PAGE_FAULT_PATH + 1] {
    let mut paths: [Path; _] = [ordinary_call; PAGE_FAULT_PATH + 1];
    paths[PAGE_FAULT_PATH] = ordinary_trap;
    paths
}

const fn short() -> [Path; PAGE_FAULT_PATH + 1] {
    let mut paths = ordinary();
    paths[Call::Null as usize] = fast_null;
    paths[Call::Call as usize] = fast_call;
    paths[Call::Receive as usize] = fast_receive;
    paths[Call::ReplyReceive as usize] = fast_reply_receive;
    paths[Call::Notify as usize] = fast_notify;
    paths[Call::Update as usize] = fast_update;
    paths[Call::Unmap as usize] = fast_unmap;
    paths[Call::ALL.len()] = fast_reply_receive_strings;
    paths[Call::ALL.len() + 1] = fast_call_strings;
    paths[PAGE_FAULT_PATH] = fast_page_fault;
    paths
}

/// Whether there are short paths at this boot.
#[cfg(feature = "designs")]
pub(super) fn is_on() -> bool {
    // SAFETY: changed only before the first program runs, by what has returned by now.
    let null = unsafe { (*PATHS.0.get())[Call::Null as usize] };
    null as usize != ordinary_call as *const () as usize
}

/// Sends everything the ordinary way, so that both can be compared. Costs the short paths nothing: their table is
/// another then. To be called before the first program runs.
pub fn switch_off() {
    // SAFETY: nothing else uses the table yet.
    unsafe { *PATHS.0.get() = ordinary() }
}
