//! Mappings taken back: what hangs on one, the mapping itself, or the right to write.

use freehold_user_pagetables::{Budget, Entry, Flush, Memory, PoolPlace, Progress, Tables, layout};

use crate::Database;
use crate::list::due;

/// Units that a mapping which is taken back costs.
pub const NODE_UNITS: u32 = 2;

/// What is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The space's own mapping too, not only what hangs on it.
    pub own: bool,
    /// The right to write, and nothing else.
    pub only_write: bool,
}

impl Database {
    /// Takes back all that hangs on `node`.
    #[inline(always)]
    pub(crate) fn revoke<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        node: u32,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let (depth, mut flush) = (self.depth(t, node), Flush::None);
        while let Some(next) = self.next(t, node).filter(|&next| self.depth(t, next) > depth) {
            if !budget.spend(NODE_UNITS) {
                return (Progress::Preempted, flush);
            }
            flush = flush.and(self.take(t, next));
        }
        (Progress::Done, flush)
    }

    /// Takes the right to write from all that hangs on `node`.
    pub(crate) fn protect<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        node: u32,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let (depth, mut flush, mut at) = (self.depth(t, node), Flush::None, node);
        while let Some(next) = self.next(t, at).filter(|&next| self.depth(t, next) > depth) {
            if !budget.spend(1) {
                return (Progress::Preempted, flush);
            }
            flush = flush.and(self.protect_entry(t, self.entry_of(t, next)));
            at = next;
        }
        (Progress::Done, flush)
    }

    fn protect_entry<M: Memory>(&mut self, t: &mut Tables<M>, entry: u32) -> Flush {
        let was = Entry(t.memory.load(entry));
        if !was.is_writable() {
            return Flush::None;
        }
        t.memory.swap(entry, was.0 & !Entry::WRITABLE);
        due(t, was, t.seen(entry))
    }

    /// Takes back what hangs on the pages of a space from page `*done` on, of `pages` from `address` on. Goes on from
    /// `*done` when called again; what hung on the page there may be gone in part.
    pub fn unmap<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        (directory, address, pages): (u32, u32, u32),
        taken: Taken,
        done: &mut u32,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let mut flush = Flush::None;
        while *done < pages {
            let page = (address >> 12) + *done;
            let rest = (layout::ENTRIES - page % layout::ENTRIES).min(pages - *done);
            if page / layout::ENTRIES >= layout::USER_TABLES {
                *done = pages;
                break;
            }
            if !budget.spend(1) {
                return (Progress::Preempted, flush);
            }
            let PoolPlace::Table(table) = t.pool_place(directory, page / layout::ENTRIES) else {
                *done += rest;
                continue;
            };
            let entry = table + 4 * (page % layout::ENTRIES);
            if t.memory.load(entry) == 0 {
                // As many words as may be looked at for a unit.
                *done += t.memory.zeros(entry, rest.min(STRETCH));
                continue;
            }
            let (progress, due) = self.unmap_entry(t, entry, taken, budget);
            flush = flush.and(due);
            if progress == Progress::Preempted {
                return (progress, flush);
            }
            *done += 1;
        }
        (Progress::Done, flush)
    }

    #[inline(always)]
    fn unmap_entry<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        entry: u32,
        taken: Taken,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let node = self.node_of(t, entry);
        let (progress, flush) = match taken.only_write {
            true => self.protect(t, node, budget),
            false => self.revoke(t, node, budget),
        };
        if progress == Progress::Preempted || !taken.own {
            return (progress, flush);
        }
        if !budget.spend(NODE_UNITS) {
            return (Progress::Preempted, flush);
        }
        let own = if taken.only_write { self.protect_entry(t, entry) } else { self.take(t, node) };
        (Progress::Done, flush.and(own))
    }
}

/// Entries that are looked at for one unit while they are empty.
const STRETCH: u32 = 64;
