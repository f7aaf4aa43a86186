//! How an object that is going away is emptied: its list of capabilities and hooks, and the entries of a Table or
//! Directory.
//!
//! What must hold: nothing new enters a dying object, and nothing is live before its cursor; its count of live
//! entries says when nothing is left, so that what is empty is not looked through at all (9, 20).

use freehold_captree::{Link, Slots, remove};

use crate::layout::{self, ENTRIES, IN_DIRECTORY, IN_TABLE};
use crate::{Budget, Entry, Flush, FrameType, Memory, Progress, Tables};

/// Entries that are looked at for one unit, while they are empty: 256 bytes of them, as with clearing.
pub const STRETCH: u32 = 64;

impl<M: Memory> Tables<M> {
    /// Takes everything off the list of a dying object, whose root is `root`, one node a unit. All that is
    /// there descends from the root, and that gets another node soon: so there is neither a depth to be
    /// compared nor a refund to be counted, as in a revoke.
    #[inline(always)]
    pub fn disband(&mut self, root: Link, budget: &mut impl Budget) -> (Progress, Flush) {
        let mut flush = Flush::None;
        loop {
            let taken = self.next(root);
            if taken.is_none() {
                return (Progress::Done, flush);
            }
            if !budget.spend(1) {
                self.set_revoking(root, true);
                return (Progress::Preempted, flush);
            }
            let behind = self.next(taken);
            self.set_next(root, behind);
            if !behind.is_none() {
                self.set_prev(behind, root);
            }
            self.set_next(taken, Link::NONE);
            self.set_prev(taken, Link::NONE);
            flush = flush.and(self.clear_slot(taken));
        }
    }

    /// Takes back every entry of the dying Table or Directory at `table`, whose views are gone, and all
    /// that hangs on it: one node, or a stretch of empty entries, a unit.
    pub fn empty(&mut self, table: u32, budget: &mut impl Budget) -> (Progress, Flush) {
        let kind = if self.was(table) == FrameType::Directory { IN_DIRECTORY } else { IN_TABLE };
        let mut flush = Flush::None;
        let mut index = self.cursor(table);
        let progress = loop {
            if self.aux(table) == 0 {
                break Progress::Done;
            }
            debug_assert!(index < ENTRIES, "more live entries are counted than there are");
            let slot = Link::new(table + 4 * index, kind);
            let live = self.entry(slot) != Entry::ZERO;
            if live {
                let (progress, due) = self.revoke(slot, budget);
                flush = flush.and(due);
                if progress == Progress::Preempted {
                    break progress;
                }
            }
            if !budget.spend(1) {
                break Progress::Preempted;
            }
            if live {
                let removed = remove(self, slot);
                debug_assert!(removed.is_ok(), "nothing is derived from it any more");
                flush = flush.and(self.clear_slot(slot));
                index += 1;
            } else {
                index += self.memory.zeros(slot.address(), STRETCH - index % STRETCH);
            }
        };
        self.set_cursor(table, index);
        (progress, flush)
    }
}

const _: () = assert!(4 * STRETCH == 256 && ENTRIES.is_multiple_of(STRETCH));
const _: () = assert!(layout::USER_TABLES.is_multiple_of(STRETCH));
