//! A pager that runs for one test, and threads that it pages.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::State;
use freehold_abi::layout::FRAME;
use freehold_guest_tests::check_eq;
use freehold_guest_tests::worker::eventually;
use freehold_rt::calls::{self, ThreadState};
use freehold_rt::pager::{self, Config, Mode, Statistics};
use freehold_rt::thread::{self, Options, Thread};

/// Where the regions of the tests are: the last 512 pages of one Table, and the next.
pub const AT: u32 = 0x5000_0000 + 512 * FRAME;

/// A pager thread above the first thread.
pub const BY_THREAD: Mode = Mode::Thread { priority: 20 };

/// Priority of paged threads: the first thread's, so that they take turns.
pub const PRIORITY: u8 = 15;

/// Address of page `page` of the tests' regions.
pub const fn page(page: u32) -> u32 {
    AT + page * FRAME
}

/// A pager. Dropping it stops it, which must succeed.
pub struct Scene;

impl Scene {
    /// Starts it.
    pub fn new(mode: Mode, resident: u32, stored: u32, pinned: u32) -> Scene {
        check_eq!(pager::start(Config { resident, stored, pinned }, mode), Ok(()));
        Scene
    }

    /// What it has done.
    pub fn statistics(&self) -> Statistics {
        pager::statistics().expect("a pager")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        check_eq!(pager::stop(), Ok(()));
    }
}

/// Threads at a time.
const JOBS: usize = 8;

struct Job {
    main: AtomicU32,
    argument: AtomicU32,
    state: AtomicU32,
}

const FREE: u32 = 0;
const RUNS: u32 = 1;
const DONE: u32 = 2;

static TABLE: [Job; JOBS] =
    [const { Job { main: AtomicU32::new(0), argument: AtomicU32::new(0), state: AtomicU32::new(FREE) } };
        JOBS];

/// A thread of the runtime's, by default with the pager. Dropping it destroys it.
pub struct Paged {
    thread: Option<Thread>,
    index: usize,
}

impl Paged {
    /// Starts it at `main`, with the first thread's priority.
    pub fn spawn(main: fn(u32), argument: u32) -> Paged {
        Paged::with(Options { pager: pager::name(), ..Options::new(PRIORITY) }, main, argument)
    }

    /// Starts it.
    pub fn with(options: Options, main: fn(u32), argument: u32) -> Paged {
        let is_free = |job: &Job| job.state.load(Ordering::SeqCst) == FREE;
        let index = TABLE.iter().position(is_free).expect("few threads");
        TABLE[index].main.store(main as usize as u32, Ordering::SeqCst);
        TABLE[index].argument.store(argument, Ordering::SeqCst);
        TABLE[index].state.store(RUNS, Ordering::SeqCst);
        let thread = thread::spawn(run, index as u32, options).expect("a thread");
        Paged { thread: Some(thread), index }
    }

    fn thread(&self) -> &Thread {
        self.thread.as_ref().expect("it has not been dropped")
    }

    /// What it is doing.
    pub fn info(&self) -> ThreadState {
        calls::thread_info(self.thread().name()).expect("a thread")
    }

    /// A word of its UTCB page.
    pub fn utcb_word(&self, index: u32) -> u32 {
        freehold_guest_tests::pages::peek(self.thread().utcb() + 4 * index)
    }

    /// Waits until its function has returned. Returns whether it has.
    pub fn ends(&self) -> bool {
        (0..5).any(|_| eventually(|| TABLE[self.index].state.load(Ordering::SeqCst) == DONE))
    }

    /// Waits until it stands still, though its function has not returned. Returns whether it does.
    pub fn is_stopped(&self) -> bool {
        eventually(|| self.info().state == State::Stopped)
            && TABLE[self.index].state.load(Ordering::SeqCst) == RUNS
    }
}

impl Drop for Paged {
    fn drop(&mut self) {
        let destroyed = self.thread.take().map(Thread::destroy);
        check_eq!(destroyed, Some(Ok(())), "a thread's frames");
        TABLE[self.index].state.store(FREE, Ordering::SeqCst);
    }
}

fn run(index: u32) {
    let job = &TABLE[index as usize];
    // SAFETY: `with` put a function of this type there.
    let main: fn(u32) = unsafe { core::mem::transmute(job.main.load(Ordering::SeqCst)) };
    main(job.argument.load(Ordering::SeqCst));
    job.state.store(DONE, Ordering::SeqCst);
}
