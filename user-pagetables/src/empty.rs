//! How an object that is going away is emptied: its list of capabilities and hooks, and the entries of a Table or
//! Directory.
//!
//! What must hold: nothing new enters a dying object, and nothing is live before its cursor; its count of live
//! entries says when nothing is left, so that what is empty is not looked through at all (9, 20).

use freehold_captree::{Link, Slots, remove};

use crate::layout::{self, ENTRIES};
use crate::{Budget, Entry, Flush, FrameType, Memory, Progress, Tables};

/// Entries that are looked at for one unit, while they are empty: 256 bytes of them, as with clearing.
pub const STRETCH: u32 = 64;
/// Units that a hook takes.
pub const HOOK: u32 = 2;

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

    /// Takes back every entry of the dying Table or Directory at `table`, whose views are gone, and all that hangs on
    /// it: a mapping or a stretch of empty entries a unit, a hook, which stands among slots of all kinds, [`HOOK`].
    pub fn empty(&mut self, table: u32, budget: &mut impl Budget) -> (Progress, Flush) {
        let is_directory = self.was(table) == FrameType::Directory;
        let mut flush = Flush::None;
        let mut index = self.cursor(table);
        let progress = loop {
            if self.aux(table) == 0 {
                break Progress::Done;
            }
            debug_assert!(index < ENTRIES, "more live entries are counted than there are");
            let slot = layout::in_table(table, index);
            if self.entry(slot) == Entry::ZERO {
                if !budget.spend(1) {
                    break Progress::Preempted;
                }
                index += self.memory.zeros(slot.address(), STRETCH - index % STRETCH);
            } else if is_directory {
                if !budget.spend(HOOK) {
                    break Progress::Preempted;
                }
                flush = flush.and(self.take_hook(layout::in_directory(table, index)));
                index += 1;
            } else {
                if !budget.spend(1) {
                    break Progress::Preempted;
                }
                let run = self.unmap_run(slot, 1, None);
                flush = flush.and(run.flush);
                index += run.done;
                if run.done == 0 {
                    // What hangs on it goes first.
                    budget.give_back(1);
                    let (progress, due) = self.revoke(slot, budget);
                    flush = flush.and(due);
                    if progress == Progress::Preempted {
                        break progress;
                    }
                }
            }
        };
        self.set_cursor(table, index);
        (progress, flush)
    }

    /// Takes a hook, from which nothing is ever derived, back.
    fn take_hook(&mut self, slot: Link) -> Flush {
        let removed = remove(self, slot);
        debug_assert!(removed.is_ok(), "nothing is ever derived from a hook");
        self.clear_hook(slot)
    }
}

const _: () = assert!(4 * STRETCH == 256 && ENTRIES.is_multiple_of(STRETCH));
const _: () = assert!(layout::USER_TABLES.is_multiple_of(STRETCH));
