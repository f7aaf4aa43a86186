//! Mappings: frames derived into entries, taken back one by one or with all that hangs on them.

use freehold_captree::{
    DeriveError, HasDescendants, Link, barred, derive, is_leaf, remove, revoke_step, settle,
};

use crate::layout::{self, IN_DIRECTORY, IN_NODE};
use crate::{Budget, Entry, Flush, FrameType, Kind, Memory, Meta, Progress, Tables, total};

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

impl<M: Memory> Tables<M> {
    /// Derives a mapping from the frame in slot `source` into the empty entry `destination` of a Table,
    /// with those of `rights` that the source has. A new mapping leaves nothing stale: the
    /// processor does not keep translations that were not present.
    ///
    /// # Errors
    /// [`MapError`]; Occupied comes before what the source lacks, TooDeep before NoCredits.
    pub fn map(&mut self, source: Link, destination: Link, rights: u8, code: u32) -> Result<(), MapError> {
        let entry = self.entry(source);
        let maps = matches!(self.meta(source).kind(), Kind::Root | Kind::Mapping);
        if !maps || !entry.is_present() {
            return Err(MapError::EmptySource);
        }
        self.map_frame(source, entry.address(), destination, rights, code)
    }

    /// Whether nothing is in an entry.
    pub fn is_empty(&self, slot: Link) -> bool {
        self.meta(slot).kind() == Kind::Empty
    }

    /// Makes the one mapping of a Utcb frame, a child of its donated root.
    ///
    /// # Errors
    /// As [`Tables::map`].
    pub fn map_utcb(&mut self, frame: u32, destination: Link) -> Result<(), MapError> {
        debug_assert!(self.frame_type(frame) == FrameType::Utcb);
        let root = self.root(frame);
        if !self.root_is_leaf(root) {
            return Err(MapError::Occupied);
        }
        self.map_frame(root, frame, destination, WRITE, 0)
    }

    fn map_frame(
        &mut self,
        parent: Link,
        frame: u32,
        destination: Link,
        rights: u8,
        code: u32,
    ) -> Result<(), MapError> {
        let table = layout::table_of(destination.address());
        let usable = self.frame_type(table) == FrameType::Table && !self.is_area_table(table);
        if !usable || !self.is_empty(destination) {
            return Err(MapError::Occupied);
        }
        if total::decode(code) > self.total_limit(table) {
            return Err(barred(self, parent).map_or(MapError::NoCredits, MapError::from));
        }
        derive(self, parent, destination, rights & WRITE, total::decode(code))?;
        let meta = self.meta(destination).with_kind(Kind::Mapping);
        self.set_meta(destination, meta);
        let entry = Entry::user(frame, meta.rights() & WRITE != 0);
        self.memory.store(destination.address(), entry.0);
        let live = self.aux(table);
        self.set_aux(table, live + 1);
        Ok(())
    }

    /// Takes back the mapping in `slot`, from which nothing is derived. `address` is where the
    /// current space sees it, if the caller named it so. What is no mapping (an empty entry, a root,
    /// a view) stays as it is.
    ///
    /// # Errors
    /// [`HasDescendants`]: revoke first.
    pub fn unmap(&mut self, slot: Link, address: Option<u32>) -> Result<Flush, HasDescendants> {
        if self.meta(slot).kind() != Kind::Mapping {
            return Ok(Flush::None);
        }
        remove(self, slot)?;
        let all = self.clear_slot(slot);
        let table = layout::table_of(slot.address());
        Ok(match (address, all) {
            (Some(address), Flush::All) if self.links(table) == 1 => Flush::Page(address),
            _ => all,
        })
    }

    /// Takes everything derived from `slot` back, one node a unit. The slot itself stays. Done as
    /// soon as the last is taken: there is no moment at which others could derive anew and keep a
    /// revoke going that has nothing left to take.
    pub fn revoke(&mut self, slot: Link, budget: &mut impl Budget) -> (Progress, Flush) {
        let mut flush = Flush::None;
        loop {
            if !budget.spend(1) {
                return (Progress::Preempted, flush);
            }
            let Some(taken) = revoke_step(self, slot) else {
                return (Progress::Done, flush);
            };
            flush = flush.and(self.clear_slot(taken));
            if is_leaf(self, slot) {
                settle(self, slot);
                return (Progress::Done, flush);
            }
        }
    }

    /// Empties a slot that is off every list.
    pub(crate) fn clear_slot(&mut self, slot: Link) -> Flush {
        match slot.kind() {
            IN_NODE => {
                self.memory.clear(slot.address(), layout::SLOT);
                Flush::None
            }
            IN_DIRECTORY => {
                let table = Entry(self.memory.swap(slot.address(), 0)).address();
                self.set_meta(slot, Meta(0));
                self.unlink(table);
                self.flush_directory(layout::table_of(slot.address()))
            }
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

    /// What is due when an entry of `directory` has changed: all, if the processor uses it.
    pub(crate) fn flush_directory(&self, directory: u32) -> Flush {
        if directory == self.current { Flush::All } else { Flush::None }
    }

    /// One unit of emptying a slot of a Table or Directory that is going away: the last of its
    /// descendants, or the slot itself. `true` when it is empty.
    pub fn reap(&mut self, slot: Link) -> (bool, Flush) {
        match self.meta(slot).kind() {
            Kind::Mapping | Kind::Hook => {}
            _ => return (true, Flush::None),
        }
        if let Some(taken) = revoke_step(self, slot) {
            return (false, self.clear_slot(taken));
        }
        // A slot whose list shows nothing deeper behind it has no descendants to lose.
        let removed = remove(self, slot);
        debug_assert!(removed.is_ok());
        (true, self.clear_slot(slot))
    }
}
