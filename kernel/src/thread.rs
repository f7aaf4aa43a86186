//! Threads: what lies in a frame of type Thread, and safe handles to it.
//!
//! What must hold: a [`ThreadRef`] names a frame of type Thread. Destroying a thread takes its name
//! out of every place that could hold it (queues, wheel, reply links, the scheduler) first. All
//! fields are cells: the kernel runs on one processor and holds no reference across a call, so a
//! sender and a receiver, or a thread and itself, can be in hand at once.

use core::cell::{Cell, UnsafeCell};
use core::mem::{offset_of, size_of};
use core::num::NonZeroU32;
use core::ops::Deref;

use freehold_abi::info::State;
use freehold_abi::layout::SLICE_TICKS;
use freehold_abi::layout::utcb::{MESSAGE, RANGES_MAX};
use freehold_abi::message::{ITEMS_MAX, WORDS_MAX};
use freehold_abi::{Error, Tag};
use freehold_captree::Link;
use freehold_user_pagetables::layout::IN_NODE;

use crate::arch::fpu::FpuArea;
use crate::arch::paging::{to_physical, to_virtual};
use crate::arch::{EFLAGS_USER, Regs, VECTOR_RESTART, VECTOR_SYSENTER};
use crate::items::Named;
use crate::queue::Place;
use crate::reply::ReplyCell;
use crate::strings::List;
use crate::transfer::{Progress, Role};

/// Indices of registers in [`Thread::regs`].
#[allow(missing_docs, reason = "the names are the processor's")]
pub mod reg {
    use super::{Regs, offset_of};

    pub const EDI: usize = offset_of!(Regs, edi) / 4;
    pub const ESI: usize = offset_of!(Regs, esi) / 4;
    pub const EBP: usize = offset_of!(Regs, ebp) / 4;
    pub const EBX: usize = offset_of!(Regs, ebx) / 4;
    pub const EDX: usize = offset_of!(Regs, edx) / 4;
    pub const ECX: usize = offset_of!(Regs, ecx) / 4;
    pub const EAX: usize = offset_of!(Regs, eax) / 4;
    pub const VECTOR: usize = offset_of!(Regs, vector) / 4;
    pub const ERROR: usize = offset_of!(Regs, error) / 4;
    pub const EIP: usize = offset_of!(Regs, eip) / 4;
    pub const EFLAGS: usize = offset_of!(Regs, eflags) / 4;
    pub const ESP: usize = offset_of!(Regs, esp) / 4;
}

/// A slot of a capability node, by its address; or none.
#[derive(Default)]
pub struct InNode(Cell<u32>);

impl InNode {
    /// The slot. Of none, nothing must be asked.
    pub fn get(&self) -> Link {
        Link::new(self.0.get(), IN_NODE)
    }

    /// Names another.
    pub fn set(&self, slot: Link) {
        self.0.set(slot.address());
    }
}

/// What the kernel does for a Ready thread, when it is its turn, before it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Errand {
    /// Nothing.
    None,
    /// Goes on with the transfer that the thread drives.
    Transfer,
    /// Goes on receiving.
    Receive,
    /// Begins to receive: the second half of ReplyReceive.
    FreshReceive,
}

/// When a receive ends that finds nobody.
#[derive(Clone, Copy)]
pub enum Until {
    /// It has not waited yet: the limit in the UTCB is to be read.
    Fresh,
    /// At this tick: it has waited before.
    Tick(u32),
    /// It has waited before, without a limit.
    Forever,
}

/// The message of a faulting thread, which its registers cannot hold.
#[derive(Clone, Copy, Default)]
pub struct FaultMessage {
    /// A label of [`freehold_abi::fault`].
    pub label: u16,
    /// How many words count.
    pub count: u32,
    /// The words.
    pub words: [u32; 5],
}

/// Bits of [`Thread::special`]: what makes a thread none for the shortest path. A thread that runs has none but FPU.
pub mod special {
    /// It was made with FPU use.
    pub const FPU: u8 = 1;
    /// A time limit runs.
    pub const TIMED: u8 = 2;
    /// It has faulted, and its pager has not answered.
    pub const FAULTED: u8 = 4;
    /// It waits in another way than most: not alone in its queue, perhaps without the capability by which it began
    /// to, or in a call that was not made by SYSENTER.
    pub const INVOLVED: u8 = 8;
    /// It has faulted in a transfer.
    pub const IN_TRANSFER: u8 = 16;
    /// Its message goes by way of the redirector, and is not past it.
    pub const REDIRECTED: u8 = 32;
    /// It is past it, and has items, which are what the redirector saw.
    pub const PROPAGATED: u8 = 64;
}

/// A thread. The first line of cache is the registers', the second what a message touches.
#[repr(C, align(64))]
pub struct Thread {
    regs: [Cell<u32>; size_of::<Regs>() / 4],
    /// What it waits for, if anything. This and the next three make one word for the shortest path.
    pub state: Cell<State>,
    /// What is to be done before it runs.
    pub errand: Cell<Errand>,
    special: Cell<u8>,
    /// 0 to 31. [`Thread::set_priority`] sets it.
    pub priority: Cell<u8>,
    /// Its Directory; 0 once the space is gone.
    pub directory: Cell<u32>,
    /// Its UTCB's frame; 0 once that is gone. [`Thread::set_utcb`] sets it.
    pub utcb: Cell<u32>,
    /// Where the words of a message lie in it that are in no register, in the direct map: the third and on.
    pub words: Cell<u32>,
    /// Whom it may answer without naming a capability.
    pub caller: Cell<Option<ThreadRef>>,
    /// Where the answer to its own call will come from, while it awaits one.
    pub reply: ReplyCell,
    /// Badge of the capability that it sends through.
    pub badge: Cell<u32>,
    /// Slot of the endpoint or notification it is queued on.
    pub waits_on: InNode,
    /// Slot of the capability by which it waits there: without it, the wait is over.
    pub waits_by: InNode,
    /// Its place in the ready queue or on an endpoint or notification.
    pub queue: Place,
    /// The word that begins with `state`, as it is in a thread that receives and to which this one, while it runs,
    /// can hand over by the shortest path; 0, which it is in none that waits, if it can to nobody.
    pub receiver_beside: Cell<u32>,
    /// The same of a thread that awaits its reply.
    pub caller_beside: Cell<u32>,
    /// Highest priority that it may give.
    pub max_priority: Cell<u8>,
    fault: Cell<FaultMessage>,
    /// Name, in its own space, of the endpoint that its faults go to, or [`UPCALL`](freehold_abi::fault::UPCALL).
    pub pager: Cell<u32>,
    /// Ticks left of its slice: at least one.
    pub slice: Cell<u32>,
    /// Tick at which it stops waiting.
    pub deadline: Cell<u32>,
    /// Slot of the timer wheel that it hangs in; `None`: no time limit runs.
    pub wheel: Cell<Option<u8>>,
    /// Its place there.
    pub timer: Place,
    /// Its place among the threads of its space.
    pub siblings: Place,
    /// Ranges that its call declared: address, bytes and the writable flag.
    pub ranges: [Cell<(u32, u32)>; RANGES_MAX],
    /// How many of them count.
    pub range_count: Cell<u32>,
    /// Strings of the message that it sends.
    pub strings: List,
    /// Buffers for those that it receives.
    pub buffers: List,
    /// The items that come behind the strings.
    pub named: Cell<Named>,
    /// Its part in a transfer of strings.
    pub role: Cell<Option<Role>>,
    /// Where the transfer is that it drives.
    pub progress: Cell<Progress>,
    /// When its receive ends.
    pub until: Cell<Until>,
    /// The words of its message's items, as the redirector saw them.
    pub shown: Cell<[[u32; 2]; ITEMS_MAX as usize]>,
    /// FPU state while it does not run.
    fpu_area: UnsafeCell<FpuArea>,
}

const _: () = assert!(size_of::<Thread>() <= 4096);
// The word of which the short paths compare two threads'.
const _: () = assert!(offset_of!(Thread, state).is_multiple_of(4));
const _: () = assert!(offset_of!(Thread, errand) == offset_of!(Thread, state) + 1);
const _: () = assert!(Thread::SPECIAL == offset_of!(Thread, state) + 2);
const _: () = assert!(offset_of!(Thread, priority) == offset_of!(Thread, state) + 3);
// What `ThreadRef::init` takes zeros for.
const _: () = assert!(State::Stopped as u8 == 0 && Errand::None as u8 == 0 && Link::NONE.word() == 0);

/// The name of a thread: the physical address of its frame.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct ThreadRef(NonZeroU32);

impl ThreadRef {
    /// The thread in the frame at `frame`.
    ///
    /// # Safety
    /// The frame is of type Thread (or is dying, and was), and [`ThreadRef::init`] has run.
    pub unsafe fn new(frame: u32) -> ThreadRef {
        ThreadRef(NonZeroU32::new(frame).expect("frame 0 is never a thread"))
    }

    /// The thread whose registers these are.
    ///
    /// # Safety
    /// They are a thread's.
    #[inline(always)]
    pub unsafe fn of_regs(regs: *mut Regs) -> ThreadRef {
        // SAFETY: they are the first thing in a frame, which is not frame 0.
        ThreadRef(unsafe { NonZeroU32::new_unchecked(to_physical(regs as u32)) })
    }

    /// Makes the cleared frame at `frame` a thread.
    ///
    /// # Safety
    /// The frame was just given type Thread and cleared; nobody names it yet.
    pub unsafe fn init(frame: u32) -> ThreadRef {
        let thread = ThreadRef(NonZeroU32::new(frame).expect("frame 0 is never a thread"));
        let place = to_virtual(frame) as *mut Thread;
        // SAFETY: the frame is ours alone, and large and aligned enough. Zeros are what a thread begins with:
        // numbers, links and threads that are none, enumerations whose first value is 0. Where that is not
        // so, or the language does not promise it, the first value is written, before anything reads it.
        unsafe {
            (&raw mut (*place).queue).write(Place::alone(thread));
            (&raw mut (*place).timer).write(Place::alone(thread));
            (&raw mut (*place).siblings).write(Place::alone(thread));
            (&raw mut (*place).slice).write(Cell::new(SLICE_TICKS));
            (&raw mut (*place).wheel).write(Cell::new(None));
            (&raw mut (*place).role).write(Cell::new(None));
            (&raw mut (*place).progress).write(Cell::new(Progress::default()));
            (&raw mut (*place).until).write(Cell::new(Until::Fresh));
        }
        thread.set_regs(Regs::new(0, 0));
        thread.with_fpu_area(crate::arch::fpu::init_area);
        thread
    }

    /// The physical address of its frame.
    pub const fn frame(self) -> u32 {
        self.0.get()
    }
}

impl Deref for ThreadRef {
    type Target = Thread;

    #[inline(always)]
    fn deref(&self) -> &Thread {
        // SAFETY: the frame holds an initialised Thread for as long as anybody names it (see the
        // top of the file), and its fields are cells.
        unsafe { &*(to_virtual(self.0.get()) as *const Thread) }
    }
}

impl Thread {
    /// Where its bits of [`special`] stand.
    pub const SPECIAL: usize = offset_of!(Thread, special);

    /// Where the entry code stores the registers.
    pub fn regs_pointer(&self) -> *mut Regs {
        self.regs.as_ptr() as *mut Regs
    }

    /// A register, by its index in [`reg`].
    #[inline(always)]
    pub fn get(&self, register: usize) -> u32 {
        self.regs[register].get()
    }

    /// Sets a register.
    #[inline(always)]
    pub fn set(&self, register: usize, word: u32) {
        self.regs[register].set(word);
    }

    /// Sets all registers.
    pub fn set_regs(&self, regs: Regs) {
        // SAFETY: Regs is 15 words, which the cells own; no reference to their contents exists.
        unsafe { self.regs_pointer().write(regs) }
    }

    /// The arguments of a call: EBX, ESI, EDI, EBP.
    #[inline(always)]
    pub fn args(&self) -> [u32; 4] {
        [self.get(reg::EBX), self.get(reg::ESI), self.get(reg::EDI), self.get(reg::EBP)]
    }

    /// EAX bits 8–31 of a call.
    #[inline(always)]
    pub fn immediate(&self) -> u32 {
        self.get(reg::EAX) >> 8
    }

    /// Sets the status of the call that it is in.
    #[inline(always)]
    pub fn finish(&self, result: Result<(), Error>) {
        self.set(reg::EAX, result.map_or_else(|error| error as u32, |()| 0));
    }

    /// Whether it came into the kernel by SYSENTER.
    #[inline]
    pub fn calls_by_sysenter(&self) -> bool {
        self.get(reg::VECTOR) == VECTOR_SYSENTER
    }

    /// Where it goes on, and its stack pointer.
    pub fn place(&self) -> (u32, u32) {
        match self.calls_by_sysenter() {
            true => (self.get(reg::EDX), self.get(reg::ECX)),
            false => (self.get(reg::EIP), self.get(reg::ESP)),
        }
    }

    /// Makes the call that it is in start again, with the registers as they are now.
    pub fn restart(&self) {
        let (eip, esp) = self.place();
        self.resume_at(eip.wrapping_sub(2), esp);
    }

    /// Lets it go on at `eip` with stack `esp`, all other registers as they are.
    pub fn resume_at(&self, eip: u32, esp: u32) {
        if self.calls_by_sysenter() {
            self.set(reg::EFLAGS, EFLAGS_USER);
        }
        self.set(reg::EIP, eip);
        self.set(reg::ESP, esp);
        self.set(reg::VECTOR, VECTOR_RESTART);
    }

    /// The word of a UTCB at which [`Thread::words`] begin.
    pub const THIRD_WORD: usize = MESSAGE + 3;

    /// Names the frame of its UTCB; 0: it has none.
    pub fn set_utcb(&self, frame: u32) {
        self.utcb.set(frame);
        self.words.set(to_virtual(frame) + 4 * Self::THIRD_WORD as u32);
    }

    /// A word of its UTCB.
    #[inline]
    pub fn utcb_word(&self, index: usize) -> u32 {
        debug_assert!(index < 1024 && self.utcb.get() != 0);
        // SAFETY: the frame is of type Utcb while its address stands here, and is read by the
        // word; the program may write it at any time between two calls, hence volatile.
        unsafe { (to_virtual(self.utcb.get()) as *const u32).add(index).read_volatile() }
    }

    /// Sets a word of its UTCB.
    #[inline]
    pub fn set_utcb_word(&self, index: usize, word: u32) {
        debug_assert!(index < 1024 && self.utcb.get() != 0);
        // SAFETY: as above; no reference into the frame exists.
        unsafe { (to_virtual(self.utcb.get()) as *mut u32).add(index).write_volatile(word) }
    }

    /// Takes over so many words of a message beyond the second, at most 60, as they stand in the UTCB of `from`.
    pub fn take_words(&self, from: ThreadRef, words: u32) {
        debug_assert!(words <= WORDS_MAX - 2 && self.utcb.get() != 0 && from.utcb.get() != 0);
        // SAFETY: as above, for both frames; they are two, since each is one thread's, and no thread sends to itself.
        unsafe {
            (self.words.get() as *mut u32)
                .copy_from_nonoverlapping(from.words.get() as *mut u32, words as usize)
        };
    }

    /// Message register `index`, 0 to 63, of the message that it sends.
    #[inline]
    pub fn message(&self, index: usize) -> u32 {
        match index {
            0 => self.get(reg::ESI),
            1 => self.get(reg::EDI),
            2 => self.get(reg::EBP),
            index => self.utcb_word(MESSAGE + index),
        }
    }

    /// Sets message register `index` of the message that it receives.
    #[inline]
    pub fn set_message(&self, index: usize, word: u32) {
        match index {
            0 => self.set(reg::ESI, word),
            1 => self.set(reg::EDI, word),
            2 => self.set(reg::EBP, word),
            index => self.set_utcb_word(MESSAGE + index, word),
        }
    }

    /// The tag of the message that it sends: its fault's, if it faulted.
    #[inline]
    pub fn tag(&self) -> Tag {
        match self.fault() {
            None => Tag(self.get(reg::ESI)),
            Some(fault) => Tag::new(fault.label, fault.count),
        }
    }

    /// Its fault message, while that is not answered.
    #[inline]
    pub fn fault(&self) -> Option<FaultMessage> {
        self.has_faulted().then(|| self.fault.get())
    }

    /// Whether it waits for its pager, or would if it had one.
    #[inline]
    pub fn has_faulted(&self) -> bool {
        self.is(special::FAULTED)
    }

    /// It faults.
    pub fn set_fault(&self, message: FaultMessage) {
        self.fault.set(message);
        self.mark(special::FAULTED, true);
        self.mark(special::IN_TRANSFER, self.role.get().is_some());
    }

    /// Its fault is dealt with.
    pub fn clear_fault(&self) {
        self.mark(special::FAULTED | special::IN_TRANSFER, false);
    }

    /// Whether one of some bits of [`special`] is set.
    #[inline]
    pub fn is(&self, bits: u8) -> bool {
        self.special.get() & bits != 0
    }

    /// Sets or clears bits of [`special`].
    #[inline]
    pub fn mark(&self, bits: u8, set: bool) {
        self.special.set(if set { self.special.get() | bits } else { self.special.get() & !bits });
    }

    /// Lets it use the FPU, or not.
    pub fn set_fpu_use(&self, uses: bool) {
        self.mark(special::FPU, uses);
        self.look_beside();
    }

    /// Sets its priority; whether it may run is the scheduler's to say.
    pub fn set_priority(&self, priority: u8) {
        self.priority.set(priority);
        self.look_beside();
    }

    /// Works out who is beside it.
    fn look_beside(&self) {
        let beside = |state: State| match self.is(special::FPU) {
            true => 0,
            false => u32::from_le_bytes([state as u8, Errand::None as u8, 0, self.priority.get()]),
        };
        self.receiver_beside.set(beside(State::Receiving));
        self.caller_beside.set(beside(State::AwaitingReply));
    }

    /// Lets `f` at the FPU state.
    pub fn with_fpu_area<R>(&self, f: impl FnOnce(&mut FpuArea) -> R) -> R {
        // SAFETY: the area is reached only here, and `f` is one of the functions of arch::fpu,
        // none of which comes back here.
        f(unsafe { &mut *self.fpu_area.get() })
    }
}
