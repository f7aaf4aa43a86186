//! Units of work, and the check for interrupts between them.
//!
//! What must hold (docs/invariants.md, 9): at most [`UNITS`] units are done between two checks. A check opens
//! interrupts for an instant; the handler only notes the line.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::UNITS;
use freehold_user_pagetables::Budget;

use crate::arch::{self, pic, pit};

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
