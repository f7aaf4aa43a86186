//! As many threads as the program's memory allows, with nothing but a UTCB: their stack is its upper part.
//!
//! What must hold: UTCBs lie one behind the other, a Table for each 1,024 of them, so that the stack pointer tells which
//! thread it is. One crowd in a program. It ends with the program.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME, utcb};
use freehold_rt::call::enter;
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::memory;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, abi::Call};

use super::abyss::priority;

/// Where the UTCBs lie.
const AT: u32 = 0x7000_0000;
/// Threads at most, whatever the memory.
pub const MOST: u32 = 10_000;
/// Frames that are left over.
const SPARE: u32 = 32;

static MAIN: AtomicU32 = AtomicU32::new(0);

/// A thread of the crowd, seen from inside.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    utcb: *mut u32,
}

impl Member {
    /// Sets its limits, in milliseconds.
    pub fn limits(self, send: u32, receive: u32) {
        for (index, limit) in [(utcb::SEND_LIMIT, send), (utcb::RECEIVE_LIMIT, receive)] {
            // SAFETY: the lower part of its own UTCB, which nothing else refers to.
            unsafe { self.utcb.add(index).write_volatile(limit) };
        }
    }

    /// Makes a call of two words; the status.
    pub fn call(self, number: Call, name: CapName) -> u32 {
        enter(number as u32, [name.0, 0, 0, 0]).0
    }

    /// Which one it is.
    pub fn index(self) -> u32 {
        (self.utcb as u32 - AT) / FRAME
    }
}

global_asm!(
    ".pushsection .text.crowd_entry, \"ax\"",
    "freehold_crowd_entry:",
    "xor ebp, ebp",
    "sub esp, 12",
    "push esp",
    "call {begin}",
    "ud2",
    ".popsection",
    begin = sym begin,
);

unsafe extern "C" {
    fn freehold_crowd_entry();
}

/// Makes threads that run `main` until memory is used up, or there are `most`. Returns how many.
pub fn gather(most: u32, main: fn(Member)) -> u32 {
    MAIN.store(main as usize as u32, Ordering::Relaxed);
    let Some(name) = Slot::take() else { return 0 };
    let (mut count, priority) = (0_u32, priority());
    while count < most.min(MOST) {
        let address = AT + count * FRAME;
        if memory::free_frames() < SPARE
            || count.is_multiple_of(ENTRIES) && memory::grow(address / BLOCK).is_err()
        {
            break;
        }
        let Some(frames) = memory::take(2, 1) else { break };
        let place = ThreadPlace {
            container: frames.container,
            thread: frames.first,
            utcb: frames.first + 1,
            space: CapName::NONE,
            address,
            fpu: false,
        };
        let entry = freehold_crowd_entry as *const () as u32;
        let made = calls::make_thread(place, name.reference());
        let started = made
            .and_then(|()| calls::start_thread(name.name(), entry, address + FRAME, CapName::NONE, priority));
        // Whoever gives a thread's frames can always end it, so the capability may go.
        if started.and_then(|()| calls::delete(name.reference())).is_err() {
            break;
        }
        count += 1;
    }
    count
}

extern "C" fn begin(stack: u32) -> ! {
    let member = Member { utcb: (stack & !(FRAME - 1)) as *mut u32 };
    // SAFETY: `gather` put a function of this type there.
    let main: fn(Member) = unsafe { core::mem::transmute(MAIN.load(Ordering::Relaxed)) };
    main(member);
    // SAFETY: raises an exception and does not come back; without a pager the thread stops.
    unsafe { core::arch::asm!("ud2", options(noreturn)) }
}
