//! Time limits: a wheel of four levels with 64 slots each.
//!
//! A thread hangs in the slot that its deadline will reach next; when the wheel gets to a slot of a
//! higher level, its threads move down, so each is touched at most four times before it expires.
//!
//! What must hold: `done` never passes a tick whose threads have not all been dealt with; each tick, and each thread
//! touched, is a unit of work, or several, so that 10,000 of them in one slot delay interrupts by no more than others.

use core::cell::Cell;

use freehold_abi::layout::{FOREVER, TICK_MS};

use crate::queue::{self, TIMER};
use crate::thread::{ThreadRef, special};
use crate::units;

const BITS: u32 = 6;
const SLOTS: u32 = 1 << BITS;
const LEVELS: u32 = 4;
/// Longest time that the wheel can tell apart; longer limits go round more than once.
const HORIZON: u32 = (1 << (BITS * LEVELS)) - 1;

/// The wheel.
pub struct Wheel {
    /// Every tick up to this one has been dealt with.
    done: u32,
    /// Level whose slot for the next tick is to be emptied before the wheel turns; 0: the lowest.
    level: u32,
    slots: [Cell<Option<ThreadRef>>; (SLOTS * LEVELS) as usize],
}

impl Wheel {
    /// An empty wheel at tick 0.
    pub const fn new() -> Wheel {
        Wheel { done: 0, level: LEVELS, slots: [const { Cell::new(None) }; (SLOTS * LEVELS) as usize] }
    }

    /// Lets the wait of `thread` end in so many milliseconds, but not before the next tick; or never ([`FOREVER`]).
    #[inline(always)]
    pub fn limit(&mut self, thread: ThreadRef, limit: u32) {
        if limit != FOREVER {
            self.arm(thread, limit.div_ceil(TICK_MS).max(1));
        }
    }

    /// Sets the time limit of `thread` to `ticks` from now (at least one).
    pub fn arm(&mut self, thread: ThreadRef, ticks: u32) {
        self.cancel(thread);
        // One more, since part of the present tick has passed already. Half of what the comparison of
        // ticks can tell apart, so that the wheel may lag behind.
        let ticks = ticks.min(u32::MAX >> 2) + 1;
        thread.deadline.set(units::ticks().wrapping_add(ticks));
        self.hang(thread);
    }

    /// Lets the time limit of `thread` pass at the tick `deadline`; if that is over, at the next one.
    #[cold]
    #[inline(never)]
    pub fn arm_until(&mut self, thread: ThreadRef, deadline: u32) {
        self.cancel(thread);
        thread.deadline.set(deadline);
        self.hang(thread);
    }

    /// Takes the time limit of `thread` away, if it has one.
    #[inline]
    pub fn cancel(&mut self, thread: ThreadRef) {
        if let Some(slot) = thread.wheel.take() {
            thread.mark(special::TIMED, false);
            queue::remove(&self.slots[usize::from(slot)], thread, TIMER);
        }
    }

    fn hang(&mut self, thread: ThreadRef) {
        // Counted from the tick that is dealt with next: a slot of any level that is at least one of
        // its own spans ahead of that tick has not been emptied yet.
        let next = self.done.wrapping_add(1);
        let ahead = (thread.deadline.get().wrapping_sub(next) as i32).max(1) as u32;
        let ahead = ahead.min(HORIZON);
        let tick = next.wrapping_add(ahead);
        let level = ahead.ilog2() / BITS;
        let slot = level * SLOTS + (tick >> (level * BITS) & (SLOTS - 1));
        thread.wheel.set(Some(slot as u8));
        thread.mark(special::TIMED, true);
        queue::push_back(&self.slots[slot as usize], thread, TIMER);
    }

    /// Whether ticks have passed that are not dealt with yet.
    #[inline(always)]
    pub fn is_behind(&self) -> bool {
        self.done != units::ticks()
    }

    /// The next thread whose limit has passed; `None`: the wheel has caught up, or `*budget` does not suffice for
    /// what is next.
    pub fn expire(&mut self, budget: &mut u32) -> Option<ThreadRef> {
        while self.is_behind() {
            let tick = self.done.wrapping_add(1);
            // Higher levels first: their threads may belong to this very tick.
            while self.level > 0 {
                let level = self.level - 1;
                let turned = tick & ((1 << (level * BITS)) - 1) == 0;
                if turned {
                    let slot = level * SLOTS + (tick >> (level * BITS) & (SLOTS - 1));
                    while let Some(thread) = self.slots[slot as usize].get() {
                        let has_passed = thread.deadline.get().wrapping_sub(tick) as i32 <= 0;
                        let cost = if has_passed { units::of_wait(thread) } else { 1 };
                        *budget = budget.checked_sub(cost)?;
                        self.cancel(thread);
                        if has_passed {
                            return Some(thread);
                        }
                        self.hang(thread);
                    }
                }
                self.level = level;
            }
            *budget = budget.checked_sub(1)?;
            self.done = tick;
            self.level = LEVELS;
        }
        None
    }
}
