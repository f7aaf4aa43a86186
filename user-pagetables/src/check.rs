//! The invariants as predicates, by their numbers in design.md §5. For tests: they look at
//! everything, and take as long as that takes.

use freehold_captree::check::tree;
use freehold_captree::{Link, Slots};

use crate::layout::{self, AREA_TABLES, ENTRIES, TABLE, USER_TABLES};
use crate::{Entry, FrameType, Kind, Memory, Tables};

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// (1) The counts by type differ from the types.
    Counts(FrameType),
    /// (1) A mapping leads to a frame whose type must not be mapped so.
    Mapped(Link, FrameType),
    /// (2) The links of a frame differ from the hooks or threads that hold it.
    Links(u32),
    /// (3, 4, 8) The derivation tree of this root.
    Tree(Link, freehold_captree::check::Fault),
    /// (5) Entry and node disagree.
    Entry(Link),
    /// (7) The live entries of a Table are miscounted.
    Live(u32),
    /// (11) A directory entry leads to something else than a Table.
    Level(Link),
    /// (13) An entry is not present and not zero.
    Residue(Link),
    /// A view, or the owner of a Table, does not fit the space's area.
    Area(u32),
}

impl<M: Memory> Tables<M> {
    /// Checks every frame, table and tree.
    ///
    /// # Errors
    /// The first thing found [`Broken`].
    pub fn check(&self) -> Result<(), Broken> {
        self.check_counts()?;
        for number in 0..self.frame_count() {
            let frame = number << 12;
            let root = self.root(frame);
            match self.frame_type(frame) {
                FrameType::Table => self.check_table(frame)?,
                FrameType::Directory => self.check_directory(frame)?,
                _ => {}
            }
            if matches!(self.meta(root).kind(), Kind::Root | Kind::Donated) {
                tree(self, root).map_err(|fault| Broken::Tree(root, fault))?;
            }
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), Broken> {
        for kind in FrameType::ALL {
            let frames = 0..self.frame_count();
            let found = frames.filter(|&n| self.frame_type(n << 12) == kind).count();
            if found as u32 != self.count(kind) {
                return Err(Broken::Counts(kind));
            }
        }
        Ok(())
    }

    fn check_table(&self, table: u32) -> Result<(), Broken> {
        let mut live = 0;
        for index in 0..ENTRIES {
            let slot = layout::in_table(table, index);
            let (entry, kind) = (self.entry(slot), self.meta(slot).kind());
            if !entry.is_present() && entry != Entry::ZERO {
                return Err(Broken::Residue(slot));
            }
            let maps = matches!(kind, Kind::Root | Kind::Mapping | Kind::View);
            if maps != entry.is_present() {
                return Err(Broken::Entry(slot));
            }
            match kind {
                Kind::Root if self.frame_of_root(slot) != entry.address() => {
                    return Err(Broken::Entry(slot));
                }
                Kind::Mapping => {
                    live += 1;
                    self.check_mapping(slot, entry)?;
                }
                Kind::View if entry.is_writable() => return Err(Broken::Entry(slot)),
                Kind::View => self.check_view(table, index, entry)?,
                Kind::Root => self.check_mapping(slot, entry)?,
                _ => {}
            }
        }
        if live != self.aux(table) {
            return Err(Broken::Live(table));
        }
        let hooks =
            self.count_entries(|entry, slot| entry.address() == table && slot.kind() == layout::IN_DIRECTORY);
        if hooks != self.links(table) {
            return Err(Broken::Links(table));
        }
        Ok(())
    }

    fn check_mapping(&self, slot: Link, entry: Entry) -> Result<(), Broken> {
        let node = self.node(slot);
        if entry.is_writable() != (node.rights & 1 != 0) {
            return Err(Broken::Entry(slot));
        }
        match self.frame_type(entry.address()) {
            FrameType::Data => Ok(()),
            FrameType::Utcb => {
                let root = self.root(entry.address());
                if self.next(root) == slot && self.next(slot).is_none() {
                    return Ok(());
                }
                Err(Broken::Mapped(slot, FrameType::Utcb))
            }
            // The object's list is being revoked; its last mapping may still stand.
            FrameType::Dying if self.was(entry.address()) == FrameType::Utcb => Ok(()),
            kind => Err(Broken::Mapped(slot, kind)),
        }
    }

    fn check_view(&self, area: u32, index: u32, entry: Entry) -> Result<(), Broken> {
        let directory = self.owner(area) & !(TABLE - 1);
        let fits = index < self.space_field(directory, AREA_TABLES)
            && self.owner(entry.address()) == directory | index;
        if fits { Ok(()) } else { Err(Broken::Area(area)) }
    }

    fn check_directory(&self, directory: u32) -> Result<(), Broken> {
        for index in 0..USER_TABLES {
            let slot = layout::in_directory(directory, index);
            let (entry, kind) = (self.entry(slot), self.meta(slot).kind());
            if !entry.is_present() && entry != Entry::ZERO {
                return Err(Broken::Residue(slot));
            }
            if matches!(kind, Kind::Hook | Kind::View) != entry.is_present() {
                return Err(Broken::Entry(slot));
            }
            if entry.is_present() {
                let target = entry.address();
                let dying_table =
                    self.frame_type(target) == FrameType::Dying && self.was(target) == FrameType::Table;
                if self.frame_type(target) != FrameType::Table && !dying_table {
                    return Err(Broken::Level(slot));
                }
            }
            if kind == Kind::Hook && entry.is_writable() != (self.node(slot).rights & 1 != 0) {
                return Err(Broken::Entry(slot));
            }
        }
        Ok(())
    }

    fn count_entries(&self, wanted: impl Fn(Entry, Link) -> bool) -> u32 {
        let mut found = 0;
        for number in 0..self.frame_count() {
            let frame = number << 12;
            if self.frame_type(frame) != FrameType::Directory {
                continue;
            }
            for index in 0..USER_TABLES {
                let slot = layout::in_directory(frame, index);
                let entry = self.entry(slot);
                found += u32::from(entry.is_present() && wanted(entry, slot));
            }
        }
        found
    }
}
