//! Units of work, and the check for interrupts between them.
//!
//! What must hold (docs/invariants.md, 9): at most [`UNITS`] units are done between two checks. A check opens
//! interrupts for an instant; the handler only notes the line. No unit is more than some seventy instructions: what is
//! dearer costs several, named here (docs/latency.md).

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::UNITS;
use freehold_user_pagetables::Budget;

use crate::arch::{self, pic, pit};
use crate::thread::ThreadRef;

/// A root that is reclaimed, beside what it has become.
pub const ROOT: u32 = 4;
/// A slot of a node that ends, with those that are empty behind it.
pub const SLOT: u32 = 2;
/// A capability that is deleted, beside what is derived from it and who waits on it.
pub const CAPABILITY: u32 = 4;
/// A hook or a capability that is taken back with what it was derived from.
pub const OFFSPRING: u32 = 2;
/// An entry that is emptied with its Table or Directory, and each node that hangs on it.
pub const ENTRY: u32 = 4;
/// A capability that a message carries: derived, refused and taken back.
pub const ITEM: u32 = 7;
/// A thread that does its errand, or ends.
pub const THREAD: u32 = 5;
/// A word of a Validate: the page is looked up.
pub const WORD: u32 = 3;
/// An entry that a RevokeRange looks at, beside what is derived from it.
pub const REVOKE: u32 = 3;
/// An entry that an Unmap takes back: its parent may have to be paid.
pub const UNMAP: u32 = 2;
/// An entry that an Unmap finds with descendants, beside those.
pub const PARENT: u32 = 4;

/// A thread whose wait ends.
pub fn of_wait(thread: ThreadRef) -> u32 {
    // With it ends the transfer.
    if thread.role.get().is_some() { THREAD } else { 3 }
}

/// Lines that have interrupted and are not yet dealt with, a bit each.
pub static NOTED: AtomicU32 = AtomicU32::new(0);
/// Ticks of the timer since boot, modulo 2³².
static TICKS: AtomicU32 = AtomicU32::new(0);

/// Acknowledges `line` and notes it. May run in the middle of other kernel work.
pub fn note_irq(line: u32) {
    if !pic::is_real(line) {
        return;
    }
    if line == pit::LINE {
        TICKS.store(ticks().wrapping_add(1), Ordering::Relaxed);
    } else {
        // The line stays closed until its driver has dealt with the device.
        pic::mask(line);
    }
    pic::eoi(line);
    NOTED.store(NOTED.load(Ordering::Relaxed) | 1 << line, Ordering::Relaxed);
}

/// Whether any line waits to be dealt with.
#[inline(always)]
pub fn noted() -> bool {
    NOTED.load(Ordering::Relaxed) != 0
}

/// Takes over the lines that wait.
pub fn take_noted() -> u32 {
    let lines = NOTED.load(Ordering::Relaxed);
    NOTED.store(0, Ordering::Relaxed);
    lines
}

/// Notes a line once more that could not be dealt with now.
pub fn note_again(line: u32) {
    NOTED.store(NOTED.load(Ordering::Relaxed) | 1 << line, Ordering::Relaxed);
}

/// Ticks since boot, modulo 2³².
pub fn ticks() -> u32 {
    TICKS.load(Ordering::Relaxed)
}

/// What may still be done before the next check.
pub struct Units {
    left: u32,
    /// The least that was left at a check so far.
    least: u32,
}

impl Units {
    /// Where stands how many are left, for the short paths.
    pub const LEFT: usize = core::mem::offset_of!(Units, left);

    /// A full budget.
    pub const fn new() -> Units {
        Units { left: UNITS, least: UNITS }
    }

    /// A call or trap begins: interrupts were possible just before.
    #[inline(always)]
    pub fn begin(&mut self) {
        if self.left < self.least {
            self.least = self.left;
        }
        self.left = UNITS;
    }

    /// How many may still be done.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Spends them if that takes no check.
    pub fn afford(&mut self, units: u32) -> bool {
        let enough = units <= self.left;
        if enough {
            self.left -= units;
        }
        enough
    }

    /// The most units done between two checks so far.
    pub fn most(&self) -> u32 {
        UNITS - self.least.min(self.left)
    }

    /// Lets interrupts in; `false` if one came.
    #[cold]
    fn check(&mut self) -> bool {
        self.least = self.least.min(self.left);
        arch::interrupt_window();
        if noted() {
            return false;
        }
        self.left = UNITS;
        true
    }
}

impl Budget for Units {
    #[inline(always)]
    fn spend(&mut self, units: u32) -> bool {
        debug_assert!(units <= UNITS);
        if units > self.left && !self.check() {
            return false;
        }
        self.left -= units;
        true
    }

    #[inline(always)]
    fn take(&mut self, most: u32) -> u32 {
        if self.left == 0 && !self.check() {
            return 0;
        }
        let taken = most.min(self.left);
        self.left -= taken;
        taken
    }

    #[inline(always)]
    fn give_back(&mut self, units: u32) {
        self.left += units;
        debug_assert!(self.left <= UNITS);
    }
}

/// A budget each of whose units costs several: for work that the pure crates count, and of which a step is dear.
pub struct Dear<'a> {
    units: &'a mut Units,
    price: u32,
}

impl Units {
    /// This budget for work whose units cost `price` each.
    pub fn at(&mut self, price: u32) -> Dear<'_> {
        Dear { units: self, price }
    }
}

impl Budget for Dear<'_> {
    #[inline(always)]
    fn spend(&mut self, units: u32) -> bool {
        self.units.spend(self.price * units)
    }

    #[inline(always)]
    fn take(&mut self, most: u32) -> u32 {
        if self.units.left < self.price && !self.units.check() {
            return 0;
        }
        let taken = most.min(self.units.left / self.price);
        self.units.left -= self.price * taken;
        taken
    }

    #[inline(always)]
    fn give_back(&mut self, units: u32) {
        self.units.give_back(self.price * units);
    }
}
