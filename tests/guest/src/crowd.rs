//! Hundreds of threads with nothing but a UTCB: their stack is its upper part.
//!
//! What must hold: a crowd stands in a Table of its own at [`INDEX`], UTCBs one behind the other, so that
//! the stack pointer tells which thread it is. One crowd at a time.

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

/// Many threads of the own space.
#[derive(Debug)]
pub struct Crowd {
    frames: Vec<Extent>,
    table: Extent,
    /// The hook hangs on the capability to the Table, so that stays until the crowd ends.
    _capability: Slot,
    count: u32,
}

impl Crowd {
    /// Makes `count` threads that run `main`, and starts them.
    ///
    /// # Panics
    /// If memory or slots are used up, or the kernel refuses.
    pub fn start(count: u32, priority: u8, main: fn(Member)) -> Crowd {
        assert!(count <= MAX);
        MAIN.store(main as usize as u32, Ordering::Relaxed);
        let table = memory::take(4, 4).expect("memory for a Table");
        let slot = Slot::take().expect("a slot");
        let own = freehold_abi::info::start::SPACE;
        calls::make_table(table.container, table.first, slot.reference(), own).expect("a Table");
        calls::hook(slot.name(), CapName::NONE, INDEX, freehold_rt::Rights::WRITE).expect("a hook");
        let mut crowd = Crowd { frames: Vec::new(), table, _capability: slot, count: 0 };
        let name = Slot::take().expect("a slot");
        while crowd.count < count {
            let wanted = (2 * (count - crowd.count)).min(512);
            let extent = memory::take_up_to(wanted, 1).expect("memory for threads");
            crowd.frames.push(extent);
            for pair in 0..extent.count / 2 {
                crowd.add(extent, extent.first + 2 * pair, &name, priority);
            }
        }
        crowd
    }

    fn add(&mut self, extent: Extent, first: u32, name: &Slot, priority: u8) {
        let address = INDEX * BLOCK + self.count * FRAME;
        let place = ThreadPlace {
            container: extent.container,
            thread: first,
            utcb: first + 1,
            space: CapName::NONE,
            address,
            fpu: false,
        };
        calls::make_thread(place, name.reference()).expect("a thread");
        let entry = crowd_entry as *const () as u32;
        calls::start_thread(name.name(), entry, address + FRAME, CapName::NONE, priority).expect("a start");
        // Whoever gives a thread's frames can always end it, so the capability may go.
        calls::delete(name.reference()).expect("an own slot");
        self.count += 1;
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
        check_eq!(memory::release(self.table), Ok(()), "a crowd's Table");
    }
}

extern "C" fn begin(stack: u32) -> ! {
    let utcb = stack & !(FRAME - 1);
    let member = Member { index: (utcb - INDEX * BLOCK) / FRAME, utcb: utcb as *mut u32 };
    // SAFETY: `start` put a function of this type there.
    let main: fn(Member) = unsafe { core::mem::transmute(MAIN.load(Ordering::Relaxed)) };
    main(member);
    // SAFETY: raises an exception and does not come back; without a pager the thread stops.
    unsafe { core::arch::asm!("ud2", options(noreturn)) }
}
