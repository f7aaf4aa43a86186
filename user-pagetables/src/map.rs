//! Mappings: frames derived into entries, taken back one by one or with all that hangs on them.

use freehold_captree::{DeriveError, Link, Slots, barred, derive, insert, pay, remove, revoke_steps};

use crate::layout::{self, IN_DIRECTORY, IN_NODE, IN_TABLE};
use crate::meta::SOLE;
use crate::slots::Entries;
use crate::{Budget, Entry, Flush, FrameType, Kind, Memory, Meta, Offspring, Progress, Tables, total};

/// Right of a mapping to be written.
pub const WRITE: u8 = 1;

/// Why a frame was not mapped. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// The source entry holds no frame.
    EmptySource,
    /// The destination entry takes no mapping: it is in use, or its Table is a page-table area's own or
    /// is being destroyed.
    Occupied,
    /// The source's revoke is not finished.
    Busy,
    /// The source is as deep as nodes can lie.
    TooDeep,
    /// The source cannot pay, or the destination's memory was lent with a smaller total.
    NoCredits,
}

impl From<DeriveError> for MapError {
    fn from(error: DeriveError) -> MapError {
        match error {
            DeriveError::Busy => MapError::Busy,
            DeriveError::TooDeep => MapError::TooDeep,
            DeriveError::NoCredits => MapError::NoCredits,
        }
    }
}

/// What the mappings of a run have in common.
struct Run {
    node: Offspring,
    entry: u32,
    total: u32,
}

impl Run {
    /// Derives one mapping.
    #[inline(always)]
    fn map<M: Memory>(
        &self,
        entries: &mut Entries<'_, M>,
        source: Link,
        destination: Link,
    ) -> Result<(), MapError> {
        if !entries.meta(source).holds_frame() {
            return Err(MapError::EmptySource);
        }
        if !entries.meta(destination).is(Kind::Empty) {
            return Err(MapError::Occupied);
        }
        pay(entries, source, self.total)?;
        insert(entries, source, destination);
        entries.set_meta(destination, self.node.of(entries.meta(source)));
        entries.set_entry(destination, entries.entry(source).child(self.entry));
        Ok(())
    }
}

/// What came of taking back a run of mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// Entries that are empty now, or were before: all of them, or those before the first that is something else than a
    /// mapping or has descendants.
    pub done: u32,
    /// The bits that the entries had between them, accessed and dirty among them.
    pub used: u32,
    /// What is due.
    pub flush: Flush,
}

/// Revokes `slot` until nothing is left that was derived from it, or the budget ends. Each slot that is taken goes to
/// `empty`.
#[inline(always)]
fn revoke_all<S: Slots>(
    slots: &mut S,
    slot: Link,
    budget: &mut impl Budget,
    mut empty: impl FnMut(&mut S, Link),
) -> Progress {
    loop {
        let units = budget.take(u32::MAX);
        let (taken, complete) = revoke_steps(slots, slot, units, &mut empty);
        budget.give_back(units - taken);
        if complete {
            return Progress::Done;
        }
        if units == 0 {
            return Progress::Preempted;
        }
    }
}

impl<M: Memory> Tables<M> {
    /// Derives a mapping from the frame in slot `source` into the empty entry `destination` of a Table,
    /// with those of `rights` that the source has. A new mapping leaves nothing stale: the
    /// processor does not keep translations that were not present.
    ///
    /// # Errors
    /// [`MapError`]; Occupied comes before what the source lacks, TooDeep before NoCredits.
    pub fn map(&mut self, source: Link, destination: Link, rights: u8, code: u32) -> Result<(), MapError> {
        self.map_run(source, destination, 1, rights, code).1
    }

    /// The same for `count` slots from `source` on and as many entries from `destination` on, each in one Table: one
    /// after the other, and no further than to the first error. Returns how many were mapped.
    #[inline(never)]
    pub fn map_run(
        &mut self,
        source: Link,
        destination: Link,
        count: u32,
        rights: u8,
        code: u32,
    ) -> (u32, Result<(), MapError>) {
        let table = layout::table_of(destination.address());
        if !self.takes_mappings(table) || self.exceeds_limit(table, code) {
            return (0, Err(self.refusal(source, destination)));
        }
        let writable = rights & WRITE != 0;
        let run = Run {
            node: Offspring::new(rights & WRITE, Kind::Mapping, code),
            entry: Entry::inherited(writable),
            total: total::decode(code),
        };
        let mut entries = Entries(&mut self.memory);
        let (mut made, mut result) = (0, Ok(()));
        while made < count {
            result = run.map(&mut entries, layout::behind(source, made), layout::behind(destination, made));
            if result.is_err() {
                break;
            }
            made += 1;
        }
        let live = self.aux(table);
        self.set_aux(table, live + made);
        (made, result)
    }

    /// Whether mappings can be made in a Table: it is none of a page-table area's own, nor being destroyed.
    #[inline(always)]
    fn takes_mappings(&self, table: u32) -> bool {
        self.is(table, FrameType::Table) && !self.is_area_table(table)
    }

    /// Whether the memory of a Table was lent with a smaller total than that of `code`: codes grow with their totals.
    #[inline(always)]
    fn exceeds_limit(&self, table: u32, code: u32) -> bool {
        code != 0 && code > self.meta(self.root(table)).code() && self.memory.is_bounded()
    }

    /// Why nothing can be mapped into the Table of `destination`, or not with this total.
    #[cold]
    fn refusal(&self, source: Link, destination: Link) -> MapError {
        if !self.meta(source).holds_frame() {
            return MapError::EmptySource;
        }
        if !self.takes_mappings(layout::table_of(destination.address())) || !self.is_empty(destination) {
            return MapError::Occupied;
        }
        barred(self, source).map_or(MapError::NoCredits, MapError::from)
    }

    /// Whether nothing is in an entry.
    pub fn is_empty(&self, slot: Link) -> bool {
        self.meta(slot).is(Kind::Empty)
    }

    /// Makes the one mapping of a Utcb frame, a child of its donated root.
    ///
    /// # Errors
    /// As [`Tables::map`].
    #[inline(never)]
    pub fn map_utcb(&mut self, frame: u32, destination: Link) -> Result<(), MapError> {
        debug_assert!(self.frame_type(frame) == FrameType::Utcb);
        let (root, table) = (self.root(frame), layout::table_of(destination.address()));
        if !self.root_is_leaf(root) || !self.takes_mappings(table) || !self.is_empty(destination) {
            return Err(MapError::Occupied);
        }
        derive(&mut Entries(&mut self.memory), root, destination, WRITE | SOLE, 0)?;
        let meta = self.meta(destination).with_kind(Kind::Mapping);
        self.set_meta(destination, meta);
        self.memory.store(destination.address(), Entry::user(frame, true).0);
        let live = self.aux(table);
        self.set_aux(table, live + 1);
        Ok(())
    }

    /// Takes back the mappings in up to `count` entries of one Table, from `first` on, which pays their parents where
    /// they are the node before. Empty entries are passed over; what is no mapping (a root, a view), or has
    /// descendants, ends the run. `address` is where the current space sees the first entry, if the caller named it so.
    #[inline(never)]
    pub fn unmap_run(&mut self, first: Link, count: u32, address: Option<u32>) -> Unmapped {
        let mut entries = Entries(&mut self.memory);
        let (mut done, mut used, mut passed_over) = (0, 0, 0);
        while done < count {
            let slot = layout::behind(first, done);
            let meta = entries.meta(slot);
            if meta.is(Kind::Mapping) {
                if remove(&mut entries, slot).is_err() {
                    break;
                }
                used |= entries.empty(slot);
            } else if meta.is(Kind::Empty) {
                passed_over += 1;
            } else {
                break;
            }
            done += 1;
        }
        let table = layout::table_of(first.address());
        let live = self.aux(table);
        self.set_aux(table, live - (done - passed_over));
        let flush = match address {
            _ if used & Entry::ACCESSED == 0 => Flush::None,
            Some(address) if self.links(table) == 1 => Flush::Pages(address, done),
            _ => self.flush_table(table),
        };
        Unmapped { done, used, flush }
    }

    /// Takes everything derived from `slot` back, one node a unit. The slot itself stays. Done as
    /// soon as the last is taken: there is no moment at which others could derive anew and keep a
    /// revoke going that has nothing left to take.
    pub fn revoke(&mut self, slot: Link, budget: &mut impl Budget) -> (Progress, Flush) {
        if slot.kind() == IN_TABLE && self.meta(slot).holds_frame() {
            return self.revoke_frame(slot, budget);
        }
        let mut flush = Flush::None;
        let progress =
            revoke_all(self, slot, budget, |tables, taken| flush = flush.and(tables.clear_slot(taken)));
        (progress, flush)
    }

    /// The same for a slot that holds a frame, a root or a mapping: what is derived from it are mappings.
    #[inline(always)]
    pub fn revoke_frame(&mut self, slot: Link, budget: &mut impl Budget) -> (Progress, Flush) {
        let (elements, mut used) = (self.elements(), 0);
        let progress = revoke_all(&mut Entries(&mut self.memory), slot, budget, |entries, taken| {
            let entry = entries.empty(taken);
            if elements.one_less(entries.0, layout::table_of(taken.address())) != 0 {
                used |= entry;
            }
        });
        (progress, if used & Entry::ACCESSED != 0 { Flush::All } else { Flush::None })
    }

    /// Empties a slot that is off every list.
    pub(crate) fn clear_slot(&mut self, slot: Link) -> Flush {
        match slot.kind() {
            IN_NODE => {
                self.memory.clear(slot.address(), layout::SLOT);
                Flush::None
            }
            IN_DIRECTORY => self.clear_hook(slot),
            _ => {
                self.memory.swap(slot.address(), 0);
                self.set_meta(slot, Meta(0));
                let table = layout::table_of(slot.address());
                let live = self.aux(table);
                self.set_aux(table, live - 1);
                self.flush_table(table)
            }
        }
    }

    /// Empties a slot of a Directory that is off every list.
    #[inline(always)]
    pub(crate) fn clear_hook(&mut self, slot: Link) -> Flush {
        let table = Entry(self.memory.swap(slot.address(), 0)).address();
        self.set_meta(slot, Meta(0));
        self.unlink(table);
        let directory = layout::table_of(slot.address());
        let hooks = self.aux(directory);
        self.set_aux(directory, hooks - 1);
        self.flush_directory(directory)
    }

    /// What is due when an entry of `directory` has changed: all, if the processor uses it.
    pub(crate) fn flush_directory(&self, directory: u32) -> Flush {
        if directory == self.current { Flush::All } else { Flush::None }
    }
}
