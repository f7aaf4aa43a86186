//! Further threads in the program's own space.
//!
//! What must hold: a thread has a block of addresses of its own, so that its stack pointer leads to its
//! UTCB. Its frames are in a row: thread, UTCB, stack.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::fault::UPCALL;
use freehold_abi::info::{place, start};
use freehold_abi::layout::FRAME;
use freehold_abi::{CapName, Error, Rights};

use crate::Utcb;
use crate::calls::{self, Stop, ThreadPlace};
use crate::layout::{self, BLOCK, STACK_END, THREADS, THREADS_MAX};
use crate::lock::Mutex;
use crate::memory::{self, MapError};
use crate::pager::upcall;
use crate::roots::Extent;
use crate::slots::Slot;

/// How a thread is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// 0 (lowest) to the maker's own highest.
    pub priority: u8,
    /// Pages of its stack, 1 to 28.
    pub stack_pages: u32,
    /// Whether it may use the FPU.
    pub fpu: bool,
    /// Endpoint that hears of its faults, or what [`pager::name`](crate::pager::name) says.
    pub pager: CapName,
}

impl Options {
    /// A thread with 16 KiB of stack, no FPU and no pager.
    pub const fn new(priority: u8) -> Options {
        Options { priority, stack_pages: 4, fpu: false, pager: CapName::NONE }
    }
}

/// A thread of this program. It goes on when this is dropped; [`Thread::destroy`] ends it.
#[derive(Debug)]
pub struct Thread {
    slot: core::mem::ManuallyDrop<Slot>,
    frames: Extent,
    block: u32,
}

/// Blocks of addresses in use, a bit each.
static BLOCKS: Mutex<u32> = Mutex::new(0);
const _: () = assert!(THREADS_MAX == u32::BITS);

/// The capability to the thread in each block.
static NAMES: [AtomicU32; THREADS_MAX as usize] = [const { AtomicU32::new(0) }; THREADS_MAX as usize];

/// What lies on top of a new stack.
#[repr(C)]
struct Beginning {
    main: fn(u32),
    argument: u32,
    thread: CapName,
}

// The stack pointer points to a Beginning.
global_asm!(
    ".pushsection .text.thread_entry, \"ax\"",
    "freehold_thread_entry:",
    "mov eax, esp",
    "and esp, -16",
    "xor ebp, ebp",
    "sub esp, 12",
    "push eax",
    "call {begin}",
    "ud2",
    ".popsection",
    begin = sym begin,
);

unsafe extern "C" {
    fn freehold_thread_entry();
}

/// Starts a thread that runs `main` with `argument`, then stops.
///
/// # Errors
/// [`MapError`].
///
/// # Panics
/// If the stack has no page, or more than fit.
pub fn spawn(main: fn(u32), argument: u32, options: Options) -> Result<Thread, MapError> {
    let stack_bytes = options.stack_pages * FRAME;
    assert!(stack_bytes > 0 && stack_bytes < STACK_END, "a stack of {stack_bytes} bytes");
    let frames = memory::take(2 + options.stack_pages, 1).ok_or(MapError::OutOfMemory)?;
    let slot = Slot::take().ok_or(MapError::OutOfSlots).inspect_err(|_| memory::give_back(frames))?;
    let mut taken = BLOCKS.lock();
    let block = taken.trailing_ones();
    if block == THREADS_MAX {
        memory::give_back(frames);
        return Err(MapError::OutOfMemory);
    }
    *taken |= 1 << block;
    drop(taken);
    let thread = Thread { slot: core::mem::ManuallyDrop::new(slot), frames, block };
    match thread.set_up(main, argument, options) {
        Ok(()) => Ok(thread),
        Err(error) => {
            // What cannot be reclaimed stays out of the books.
            let _ = thread.destroy();
            Err(error)
        }
    }
}

/// The capability to the calling thread; [`CapName::NONE`] if it is neither the first nor made by [`spawn`].
pub fn current() -> CapName {
    let utcb = Utcb::current().address();
    if utcb == place::UTCB {
        return start::THREAD;
    }
    let block = utcb.checked_sub(THREADS).and_then(|offset| NAMES.get((offset / BLOCK) as usize));
    block.map_or(CapName::NONE, |name| CapName(name.load(Ordering::Relaxed)))
}

impl Thread {
    fn set_up(&self, main: fn(u32), argument: u32, options: Options) -> Result<(), MapError> {
        let base = THREADS + self.block * BLOCK;
        let end = base + STACK_END;
        let (_, stack) = self.frames.split(2);
        memory::map(stack, end - stack.count * FRAME, Rights::WRITE)?;
        let place = ThreadPlace {
            container: self.frames.container,
            thread: self.frames.first,
            utcb: self.frames.first + 1,
            space: CapName::NONE,
            address: base + layout::UTCB,
            fpu: options.fpu,
        };
        calls::make_thread(place, self.slot.reference())?;
        NAMES[self.block as usize].store(self.name().0, Ordering::Relaxed);
        if options.pager.0 == UPCALL {
            upcall::prepare(place.address);
        }
        let top = end - size_of::<Beginning>().next_multiple_of(16) as u32;
        // SAFETY: the top of a stack that was just mapped, and on which nothing runs yet.
        unsafe { (top as *mut Beginning).write(Beginning { main, argument, thread: self.name() }) };
        let entry = freehold_thread_entry as *const () as u32;
        Ok(calls::start_thread(self.name(), entry, top, options.pager, options.priority)?)
    }

    /// The capability to it.
    pub fn name(&self) -> CapName {
        self.slot.name()
    }

    /// Address of its UTCB.
    pub fn utcb(&self) -> u32 {
        THREADS + self.block * BLOCK + layout::UTCB
    }

    /// Ends it, wherever it is, and takes its frames back. What it held locked stays locked, and what it
    /// owned on the heap stays there.
    ///
    /// # Errors
    /// A [`Stop`]; its frames are then out of use.
    pub fn destroy(self) -> Result<(), Stop> {
        drop(core::mem::ManuallyDrop::into_inner(self.slot));
        memory::release(self.frames)?;
        *BLOCKS.lock() &= !(1 << self.block);
        Ok(())
    }
}

extern "C" fn begin(beginning: *const Beginning) -> ! {
    // SAFETY: `set_up` has put one there, above the stack that is in use from here on.
    let Beginning { main, argument, thread } = unsafe { beginning.read() };
    Utcb::current().remove_limits();
    main(argument);
    loop {
        // A thread that is started again after its end ends again.
        let _: Result<(), Error> = calls::stop_thread(thread);
    }
}
