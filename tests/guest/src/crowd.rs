//! Hundreds of threads with nothing but a UTCB: their stack is its upper part.
//!
//! What must hold: a crowd stands in a Table of its own at [`INDEX`], or, in another space, in that for threads; UTCBs
//! one behind the other, so that the stack pointer tells which thread it is. One crowd of a space at a time, and those
//! of several spaces run the same function.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use alloc::vec::Vec;

use freehold_abi::Call;
use freehold_abi::layout::{BLOCK, FRAME};
use freehold_rt::call::enter;
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, memory};

use crate::check_eq;
use crate::home::{BLOCKS_INDEX, Home};

/// Directory index of the crowd's Table.
pub const INDEX: u32 = 258;
/// Threads of a crowd at most.
pub const MAX: u32 = 1024;

static MAIN: AtomicU32 = AtomicU32::new(0);

/// A thread of a crowd, seen from inside.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Which one it is.
    pub index: u32,
    utcb: *mut u32,
}

impl Member {
    /// Sets a word of its UTCB.
    pub fn set(self, index: usize, word: u32) {
        // SAFETY: the lower part of its own UTCB, which nothing else refers to.
        unsafe { self.utcb.add(index).write_volatile(word) }
    }

    /// Makes a call: status and registers.
    pub fn call(self, number: Call, registers: [u32; 4]) -> (u32, [u32; 4]) {
        enter(number as u32, registers)
    }
}

global_asm!(
    ".pushsection .text.crowd_entry, \"ax\"",
    ".globl crowd_entry",
    "crowd_entry:",
    "xor ebp, ebp",
    "sub esp, 12",
    "push esp",
    "call {begin}",
    "ud2",
    ".popsection",
    begin = sym begin,
);

unsafe extern "C" {
    fn crowd_entry();
}

/// Many threads of a space.
#[derive(Debug)]
pub struct Crowd {
    frames: Vec<Extent>,
    /// In the own space: the hook hangs on the capability to the Table, so that stays until the crowd ends.
    table: Option<(Extent, Slot)>,
    count: u32,
}

impl Crowd {
    /// Makes `count` threads of the own space that run `main`, and starts them.
    ///
    /// # Panics
    /// If memory or slots are used up, or the kernel refuses.
    pub fn start(count: u32, priority: u8, main: fn(Member)) -> Crowd {
        Crowd::start_in(&Home::own(), CapName::NONE, count, priority, main)
    }

    /// The same in `home`; `pager` is the name, there, of the endpoint that hears of their faults.
    ///
    /// # Panics
    /// As [`Crowd::start`].
    pub fn start_in(home: &Home, pager: CapName, count: u32, priority: u8, main: fn(Member)) -> Crowd {
        assert!(count <= MAX);
        MAIN.store(main as usize as u32, Ordering::Relaxed);
        let is_own = home.space() == CapName::NONE;
        let mut crowd = Crowd { frames: Vec::new(), table: is_own.then(table), count: 0 };
        let base = if is_own { INDEX } else { BLOCKS_INDEX } * BLOCK;
        let name = Slot::take().expect("a slot");
        while crowd.count < count {
            let wanted = (2 * (count - crowd.count)).min(512);
            let extent = memory::take_up_to(wanted, 1).expect("memory for threads");
            crowd.frames.push(extent);
            for pair in 0..extent.count / 2 {
                let address = base + crowd.count * FRAME;
                let place = ThreadPlace {
                    container: extent.container,
                    thread: extent.first + 2 * pair,
                    utcb: extent.first + 2 * pair + 1,
                    space: home.space(),
                    address,
                    fpu: false,
                };
                calls::make_thread(place, name.reference()).expect("a thread");
                let entry = crowd_entry as *const () as u32;
                let started = calls::start_thread(name.name(), entry, address + FRAME, pager, priority);
                started.expect("a start");
                // Whoever gives a thread's frames can always end it, so the capability may go.
                calls::delete(name.reference()).expect("an own slot");
                crowd.count += 1;
            }
        }
        crowd
    }

    /// How many threads there are.
    pub fn count(&self) -> u32 {
        self.count
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for extent in self.frames.drain(..) {
            check_eq!(memory::release(extent), Ok(()), "a crowd's frames");
        }
        if let Some((table, _)) = &self.table {
            check_eq!(memory::release(*table), Ok(()), "a crowd's Table");
        }
    }
}

/// A Table at [`INDEX`], and the capability to it.
fn table() -> (Extent, Slot) {
    let (frames, slot) = (memory::take(4, 4).expect("memory for a Table"), Slot::take().expect("a slot"));
    let own = freehold_abi::info::start::SPACE;
    calls::make_table(frames.container, frames.first, slot.reference(), own).expect("a Table");
    calls::hook(slot.name(), CapName::NONE, INDEX, freehold_rt::Rights::WRITE).expect("a hook");
    (frames, slot)
}

extern "C" fn begin(stack: u32) -> ! {
    let utcb = stack & !(FRAME - 1);
    let member = Member { index: utcb % BLOCK / FRAME, utcb: utcb as *mut u32 };
    // SAFETY: `start` put a function of this type there.
    let main: fn(Member) = unsafe { core::mem::transmute(MAIN.load(Ordering::Relaxed)) };
    main(member);
    // SAFETY: raises an exception and does not come back; without a pager the thread stops.
    unsafe { core::arch::asm!("ud2", options(noreturn)) }
}
