//! Mappings taken back: what hangs on one, the mapping itself, or the right to write.

use freehold_user_pagetables::{Budget, Entry, Flush, Memory, PoolPlace, Progress, Tables, layout};

use crate::Database;
use crate::list::due;
use crate::map::go_on;

/// Units that a mapping which is taken back costs.
pub const NODE_UNITS: u32 = 2;

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

    /// Takes the right to write from all that hangs on `node`. This does not stop: nothing would tell where to go on.
    pub(crate) fn protect<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        node: u32,
        budget: &mut impl Budget,
    ) -> Flush {
        let (depth, mut flush, mut at) = (self.depth(t, node), Flush::None, node);
        while let Some(next) = self.next(t, at).filter(|&next| self.depth(t, next) > depth) {
            go_on(budget, 1);
            flush = flush.and(self.protect_entry(t, self.entry_of(t, next)));
            at = next;
        }
        flush
    }

    fn protect_entry<M: Memory>(&mut self, t: &mut Tables<M>, entry: u32) -> Flush {
        let was = Entry(t.memory.load(entry));
        if !was.is_writable() {
            return Flush::None;
        }
        t.memory.swap(entry, was.0 & !Entry::WRITABLE);
        due(t, was, t.seen(entry))
    }

    /// Takes back what hangs on the pages of a space, and with `own` the pages themselves, from page `*done` on, of
    /// `pages` from `address` on. Goes on from `*done` when called again; what hung on the page there may be gone in
    /// part.
    pub fn unmap<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        pages: Pages,
        own: bool,
        done: &mut u32,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let mut flush = Flush::None;
        while let Some(entry) = self.next_entry(t, pages, done, budget) {
            let node = self.node_of(t, entry);
            let (progress, due) = self.revoke(t, node, budget);
            flush = flush.and(due);
            if progress == Progress::Preempted || !budget.spend(NODE_UNITS) {
                return (Progress::Preempted, flush);
            }
            if own {
                flush = flush.and(self.take(t, node));
            }
            *done += 1;
        }
        (if *done < pages.count { Progress::Preempted } else { Progress::Done }, flush)
    }

    /// Takes the right to write from what hangs on the pages of a space, and with `own` from the pages themselves. The
    /// budget is one that always goes on.
    pub fn unmap_write<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        pages: Pages,
        own: bool,
        budget: &mut impl Budget,
    ) -> Flush {
        let (mut flush, mut done) = (Flush::None, 0);
        while let Some(entry) = self.next_entry(t, pages, &mut done, budget) {
            go_on(budget, NODE_UNITS);
            let node = self.node_of(t, entry);
            flush = flush.and(self.protect(t, node, budget));
            if own {
                flush = flush.and(self.protect_entry(t, entry));
            }
            done += 1;
        }
        flush
    }

    /// The entry of the first page from `*done` on that is mapped by the pool; `*done` is its number then. `None`: there
    /// is none, or the budget ends before it is found.
    #[inline(always)]
    fn next_entry<M: Memory>(
        &self,
        t: &Tables<M>,
        pages: Pages,
        done: &mut u32,
        budget: &mut impl Budget,
    ) -> Option<u32> {
        while *done < pages.count {
            let page = (pages.address >> 12) + *done;
            let rest = (layout::ENTRIES - page % layout::ENTRIES).min(pages.count - *done);
            if page / layout::ENTRIES >= layout::USER_TABLES {
                *done = pages.count;
            } else if !budget.spend(1) {
                return None;
            } else if let PoolPlace::Table(table) = t.pool_place(pages.directory, page / layout::ENTRIES) {
                let entry = table + 4 * (page % layout::ENTRIES);
                if t.memory.load(entry) != 0 {
                    return Some(entry);
                }
                *done += t.memory.zeros(entry, rest.min(STRETCH));
            } else {
                *done += rest;
            }
        }
        None
    }
}

/// Pages of a space, side by side.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// Its Directory.
    pub directory: u32,
    /// Address of the first.
    pub address: u32,
    /// How many.
    pub count: u32,
}

/// Entries that are looked at for one unit while they are empty.
const STRETCH: u32 = 64;
