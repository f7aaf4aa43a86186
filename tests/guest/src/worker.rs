//! Threads with a stack and a function, in any space.
//!
//! What must hold: a thread's block of addresses is its own among all workers of the program, whatever
//! their spaces; so the stack pointer tells which one it is, and the UTCB lies where the runtime looks.

use core::arch::{asm, global_asm};
use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_abi::update::Update;
use freehold_rt::calls::{self, Stop, ThreadPlace, ThreadState};
use freehold_rt::layout::{BLOCK, STACK_END, UTCB};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, Utcb, memory, time};

use crate::check_eq;
use crate::home::{BLOCKS, Home};

/// Workers at a time.
pub const WORKERS: usize = 32;
/// In other spaces: the slot of worker 0's own thread; the others' are behind it.
pub const OWN_THREAD: CapName = CapName(64);

/// How a worker is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// 0 to 31; the program's first thread has [`MAIN_PRIORITY`].
    pub priority: u8,
    /// Whether it may use the FPU.
    pub fpu: bool,
    /// The endpoint, as its space names it, that hears of its faults.
    pub pager: CapName,
}

/// Priority of the first program's first thread.
pub const MAIN_PRIORITY: u8 = 15;
/// A thread that runs when the first one waits.
pub const BELOW: Options = Options { priority: MAIN_PRIORITY - 1, fpu: false, pager: CapName::NONE };
/// A thread that runs at once.
pub const ABOVE: Options = Options { priority: MAIN_PRIORITY + 1, fpu: false, pager: CapName::NONE };

/// Pages of a stack.
const STACK_PAGES: u32 = 2;

/// What a worker finds when it starts.
struct Start {
    main: AtomicU32,
    argument: AtomicU32,
    own: AtomicU32,
    ended: AtomicU32,
}

static STARTS: [Start; WORKERS] = [const {
    Start {
        main: AtomicU32::new(0),
        argument: AtomicU32::new(0),
        own: AtomicU32::new(0),
        ended: AtomicU32::new(0),
    }
}; WORKERS];
static TAKEN: AtomicU32 = AtomicU32::new(0);

global_asm!(
    ".pushsection .text.worker_entry, \"ax\"",
    ".globl worker_entry",
    "worker_entry:",
    "xor ebp, ebp",
    "sub esp, 12",
    "push esp",
    "call {begin}",
    "ud2",
    ".popsection",
    begin = sym begin,
);

unsafe extern "C" {
    fn worker_entry();
}

/// A thread. Dropping it destroys it.
#[derive(Debug)]
pub struct Worker {
    slot: ManuallyDrop<Slot>,
    frames: Extent,
    index: usize,
    options: Options,
}

impl Worker {
    /// Makes a thread in `home`, stopped.
    ///
    /// # Panics
    /// If there are [`WORKERS`] already, memory is used up, or the kernel refuses.
    pub fn new(home: &Home, options: Options) -> Worker {
        let taken = TAKEN.load(Ordering::Relaxed);
        let index = taken.trailing_ones() as usize;
        assert!(index < WORKERS, "too many workers");
        TAKEN.store(taken | 1 << index, Ordering::Relaxed);
        let slot = Slot::take().expect("a slot");
        let frames = memory::take(2 + STACK_PAGES, 1).expect("memory for a thread");
        let base = BLOCKS + index as u32 * BLOCK;
        let stack = Update {
            source: frames.container,
            first: frames.first + 2,
            count: STACK_PAGES,
            destination: home.space(),
            page: (base + STACK_END) / FRAME - STACK_PAGES,
            rights: Rights::WRITE,
            total_code: 0,
        };
        calls::update(&[stack]).expect("a stack");
        let place = ThreadPlace {
            container: frames.container,
            thread: frames.first,
            utcb: frames.first + 1,
            space: home.space(),
            address: base + UTCB,
            fpu: options.fpu,
        };
        calls::make_thread(place, slot.reference()).expect("a thread");
        let mut own = slot.name();
        if home.space() != CapName::NONE {
            own = CapName(OWN_THREAD.0 + index as u32);
            home.give(own, slot.name(), Rights::CONTROL, 0);
        }
        STARTS[index].own.store(own.0, Ordering::Relaxed);
        Worker { slot: ManuallyDrop::new(slot), frames, index, options }
    }

    /// Makes a thread and starts it.
    ///
    /// # Panics
    /// As [`Worker::new`].
    pub fn spawn(home: &Home, options: Options, main: fn(u32), argument: u32) -> Worker {
        let worker = Worker::new(home, options);
        worker.start(main, argument);
        worker
    }

    /// Lets it run `main`, which it does once.
    ///
    /// # Panics
    /// If it is not stopped.
    pub fn start(&self, main: fn(u32), argument: u32) {
        self.start_with_pager(main, argument, self.options.pager);
    }

    /// The same with another pager than it was made for.
    ///
    /// # Panics
    /// If it is not stopped.
    pub fn start_with_pager(&self, main: fn(u32), argument: u32, pager: CapName) {
        let start = &STARTS[self.index];
        start.main.store(main as usize as u32, Ordering::Relaxed);
        start.argument.store(argument, Ordering::Relaxed);
        start.ended.store(0, Ordering::Relaxed);
        let entry = worker_entry as *const () as u32;
        calls::start_thread(self.name(), entry, self.stack_end(), pager, self.options.priority)
            .expect("a thread that can start");
    }

    /// Lets it run at `eip` with the stack pointer `esp`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn start_at(&self, eip: u32, esp: u32) -> Result<(), Error> {
        calls::start_thread(self.name(), eip, esp, self.options.pager, self.options.priority)
    }

    /// The capability to it.
    pub fn name(&self) -> CapName {
        self.slot.name()
    }

    /// Its frames: thread, UTCB, stack.
    pub fn frames(&self) -> Extent {
        self.frames
    }

    /// Where its stack ends, a multiple of 16.
    pub fn stack_end(&self) -> u32 {
        BLOCKS + self.index as u32 * BLOCK + STACK_END
    }

    /// Address of its UTCB in its space.
    pub fn utcb(&self) -> u32 {
        BLOCKS + self.index as u32 * BLOCK + UTCB
    }

    /// What it is doing.
    ///
    /// # Panics
    /// If the capability is gone.
    pub fn info(&self) -> ThreadState {
        calls::thread_info(self.name()).expect("a thread")
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.info().state
    }

    /// Waits until it is in `state`, at most a second. Returns whether it came to that.
    pub fn reaches(&self, state: State) -> bool {
        eventually(|| self.state() == state)
    }

    /// Waits until its function has returned, at most a second. Returns whether it has.
    pub fn ends(&self) -> bool {
        eventually(|| self.has_ended() && self.state() == State::Stopped)
    }

    /// Whether its function has returned.
    pub fn has_ended(&self) -> bool {
        STARTS[self.index].ended.load(Ordering::Relaxed) != 0
    }

    /// Ends it and takes its frames back.
    ///
    /// # Errors
    /// What reclaiming meets.
    pub fn destroy(mut self) -> Result<(), Stop> {
        let result = self.take_back();
        core::mem::forget(self);
        result
    }

    fn take_back(&mut self) -> Result<(), Stop> {
        // SAFETY: not used again: the worker ends here.
        drop(unsafe { ManuallyDrop::take(&mut self.slot) });
        let result = memory::release(self.frames);
        TAKEN.store(TAKEN.load(Ordering::Relaxed) & !(1 << self.index), Ordering::Relaxed);
        result
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        check_eq!(self.take_back(), Ok(()), "a worker's frames");
    }
}

/// Waits until `condition` holds, at most a second. Returns whether it does.
pub fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    for _ in 0..1000 {
        if condition() {
            return true;
        }
        time::sleep(1);
    }
    condition()
}

extern "C" fn begin(stack: u32) -> ! {
    let start = &STARTS[((stack - BLOCKS) / BLOCK) as usize];
    Utcb::current().set_limits((FOREVER, FOREVER));
    // SAFETY: `start` put a function of this type there.
    let main: fn(u32) = unsafe { core::mem::transmute(start.main.load(Ordering::Relaxed)) };
    main(start.argument.load(Ordering::Relaxed));
    start.ended.store(1, Ordering::Relaxed);
    let _: Result<(), Error> = calls::stop_thread(CapName(start.own.load(Ordering::Relaxed)));
    // Without the capability, a fault ends it as well.
    // SAFETY: raises an exception and does not come back.
    unsafe { asm!("ud2", options(noreturn)) }
}
