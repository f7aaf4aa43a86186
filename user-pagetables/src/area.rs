//! Hooks and the page-table area: how Tables come into a space, and how the space sees them.
//!
//! The area's own Table is the first that a space is given, and holds nothing but read-only views of
//! its Tables, itself included: view i shows Table i. T Tables therefore bound the space's
//! mappings at 1024 × (T − 1). When a Table leaves, the last view takes its place.

use freehold_captree::{DeriveError, Link, insert, pay, remove};

use crate::frames::LINKS_MAX;
use crate::layout::{self, AREA_BASE, AREA_HIDDEN, AREA_PAGES, AREA_TABLE, AREA_TABLES, TABLE, USER_TABLES};
use crate::map::WRITE;
use crate::{Entry, Flush, FrameType, Kind, Memory, Meta, Offspring, Tables};

/// Why a Table was not hooked, donated to a space or withdrawn, or an address not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AreaError {
    /// No Table of this space is hooked there.
    NoTable,
    /// The directory entry is in use.
    Occupied,
    /// The address belongs to the page-table area.
    PageTableArea,
    /// The area has no page left for another view.
    Full,
    /// The Table belongs to a space already, or is the kernel's.
    Owned,
    /// The Table is in no area.
    NotInArea,
    /// The Table holds live entries, or is the area's own and not the last.
    NotEmpty,
    /// The Table is being destroyed.
    Gone,
    /// The container capability's revoke is not finished.
    Busy,
    /// The container capability is as deep as nodes can lie.
    TooDeep,
    /// The container capability cannot pay.
    NoCredits,
}

impl From<DeriveError> for AreaError {
    fn from(error: DeriveError) -> AreaError {
        match error {
            DeriveError::Busy => AreaError::Busy,
            DeriveError::TooDeep => AreaError::TooDeep,
            DeriveError::NoCredits => AreaError::NoCredits,
        }
    }
}

impl<M: Memory> Tables<M> {
    /// Declares the page-table area of an empty Directory: `base` is a multiple of 4 MiB below
    /// 3 GiB, `pages` 1 to 1,024.
    pub fn declare_area(&mut self, directory: u32, base: u32, pages: u32) {
        self.memory.store(directory + AREA_BASE, base);
        self.memory.store(directory + AREA_PAGES, pages);
    }

    /// Keeps the area's own Table out of sight, in a space that has none yet: entries show frame numbers. The
    /// bound stays, and so does the reserved place.
    pub fn hide_area(&mut self, directory: u32) {
        debug_assert!(self.area_table(directory).is_none());
        self.memory.store(directory + AREA_HIDDEN, 1);
    }

    /// A field of the space: [`layout::AREA_BASE`], [`layout::AREA_PAGES`], [`layout::AREA_TABLES`].
    #[inline(always)]
    pub fn space_field(&self, directory: u32, field: u32) -> u32 {
        self.memory.load(directory + field)
    }

    fn area_slot(&self, directory: u32) -> Link {
        layout::in_directory(directory, self.space_field(directory, AREA_BASE) >> 22)
    }

    /// The area's own Table, once there is one.
    pub fn area_table(&self, directory: u32) -> Option<u32> {
        match self.space_field(directory, AREA_TABLE) {
            0 => None,
            table => Some(table),
        }
    }

    /// Donates a Table, so far nobody's, to a space. The first becomes the area's own.
    ///
    /// # Errors
    /// Gone; Owned (a boot container is the kernel's); Full; Occupied if something is hooked where the
    /// area is declared; NotEmpty if the area's own would be a Table with live entries.
    pub fn attach(&mut self, directory: u32, table: u32) -> Result<(), AreaError> {
        if self.frame_type(table) != FrameType::Table {
            return Err(AreaError::Gone);
        }
        if self.owner(table) != 0 || self.is_boot_table(table) {
            return Err(AreaError::Owned);
        }
        self.check_attach(directory)?;
        let count = self.space_field(directory, AREA_TABLES);
        if count == 0 && self.aux(table) != 0 {
            return Err(AreaError::NotEmpty);
        }
        let area = self.area_table(directory).unwrap_or(table);
        if count == 0 {
            self.memory.store(directory + AREA_TABLE, table);
            if self.space_field(directory, AREA_HIDDEN) == 0 {
                let slot = self.area_slot(directory);
                self.memory.store(slot.address(), Entry::user(table, false).0);
                self.set_meta(slot, Meta::new(0, 0, Kind::View, 0));
                self.link(table);
            }
        }
        self.set_view(area, count, table);
        self.set_owner(table, directory | count);
        self.memory.store(directory + AREA_TABLES, count + 1);
        Ok(())
    }

    /// Whether the space can be given one more Table.
    ///
    /// # Errors
    /// Full; Occupied if something is hooked where the area is declared.
    pub fn check_attach(&self, directory: u32) -> Result<(), AreaError> {
        let count = self.space_field(directory, AREA_TABLES);
        if count >= self.space_field(directory, AREA_PAGES) {
            return Err(AreaError::Full);
        }
        if count == 0 && self.meta(self.area_slot(directory)).kind() != Kind::Empty {
            return Err(AreaError::Occupied);
        }
        Ok(())
    }

    fn set_view(&mut self, area: u32, index: u32, table: u32) {
        let view = layout::in_table(area, index);
        self.memory.store(view.address(), Entry::user(table, false).0);
        self.set_meta(view, Meta::new(0, 0, Kind::View, 0));
    }

    /// Takes a Table out of its space's area, in constant time; what hangs on it stays.
    /// The area's own Table leaves last.
    ///
    /// # Errors
    /// NotInArea; NotEmpty: it is the area's own and there are others.
    pub fn detach(&mut self, table: u32) -> Result<Flush, AreaError> {
        let owner = self.owner(table);
        if owner == 0 {
            return Err(AreaError::NotInArea);
        }
        let (directory, place) = (owner & !(TABLE - 1), owner & (TABLE - 1));
        let last = self.space_field(directory, AREA_TABLES) - 1;
        let area = self.space_field(directory, AREA_TABLE);
        if place == 0 && last != 0 {
            return Err(AreaError::NotEmpty);
        }
        // Beside its own space, those may see the views that have the area's Table hooked.
        let flush = if self.links(area) == 1 { self.flush_directory(directory) } else { Flush::All };
        if place != last {
            let moved = self.entry(layout::in_table(area, last)).address();
            self.set_view(area, place, moved);
            self.set_owner(moved, directory | place);
        }
        let view = layout::in_table(area, last);
        self.memory.swap(view.address(), 0);
        self.set_meta(view, Meta(0));
        self.set_owner(table, 0);
        self.memory.store(directory + AREA_TABLES, last);
        if last == 0 {
            self.memory.store(directory + AREA_TABLE, 0);
            let slot = self.area_slot(directory);
            if self.meta(slot).kind() == Kind::View {
                self.memory.swap(slot.address(), 0);
                self.set_meta(slot, Meta(0));
                self.unlink(table);
            }
        }
        Ok(flush)
    }

    /// Takes an empty Table out of its space's area: what `withdraw` does.
    ///
    /// # Errors
    /// NotInArea, NotEmpty.
    pub fn withdraw(&mut self, table: u32) -> Result<Flush, AreaError> {
        if self.aux(table) != 0 {
            return Err(AreaError::NotEmpty);
        }
        self.detach(table)
    }

    /// Hooks a Table into entry `index` (below 768) of a Directory, as a child of the container
    /// capability in slot `container`. Constant time, whatever the Table holds.
    ///
    /// # Errors
    /// Gone, PageTableArea, Occupied, NoCredits if the Table has as many hooks as can be counted, then
    /// what the derivation lacks.
    #[inline(always)]
    pub fn hook(
        &mut self,
        container: Link,
        table: u32,
        directory: u32,
        index: u32,
        rights: u8,
    ) -> Result<(), AreaError> {
        debug_assert!(index < USER_TABLES);
        if !self.is(table, FrameType::Table) {
            return Err(AreaError::Gone);
        }
        if self.is_area_entry(directory, index) {
            return Err(AreaError::PageTableArea);
        }
        let slot = layout::in_directory(directory, index);
        if !self.meta(slot).is(Kind::Empty) {
            return Err(AreaError::Occupied);
        }
        if self.links(table) == LINKS_MAX {
            return Err(AreaError::NoCredits);
        }
        pay(self, container, 0)?;
        insert(self, container, slot);
        let meta = Offspring::new(rights & WRITE, Kind::Hook, 0).of(self.packed(container));
        self.set_meta(slot, meta);
        let entry = Entry::user(table, meta.rights() & WRITE != 0);
        self.memory.store(slot.address(), entry.0);
        self.link(table);
        let hooks = self.aux(directory);
        self.set_aux(directory, hooks + 1);
        Ok(())
    }

    /// Takes a hook back.
    ///
    /// # Errors
    /// PageTableArea; NoTable if nothing is hooked there.
    #[inline(always)]
    pub fn unhook(&mut self, directory: u32, index: u32) -> Result<Flush, AreaError> {
        debug_assert!(index < USER_TABLES);
        let slot = layout::in_directory(directory, index);
        let meta = self.meta(slot);
        if !meta.is(Kind::Hook) {
            return Err(if meta.is(Kind::View) { AreaError::PageTableArea } else { AreaError::NoTable });
        }
        let removed = remove(self, slot);
        debug_assert!(removed.is_ok(), "nothing is ever derived from a hook");
        Ok(self.clear_hook(slot))
    }

    /// The entry of the space's own Table that maps `address`, which is below 3 GiB.
    ///
    /// # Errors
    /// PageTableArea; NoTable if nothing is hooked there, or if the Table is not the space's or is
    /// being destroyed.
    #[inline(always)]
    pub fn slot_at(&self, directory: u32, address: u32) -> Result<Link, AreaError> {
        debug_assert!(address >> 22 < USER_TABLES);
        let entry = self.entry(layout::in_directory(directory, address >> 22));
        let table = entry.address();
        // One of the space's, and not the first, which is the area's own: nothing else is hooked where the area is.
        let ours = |owner: u32| owner.wrapping_sub(directory + 1) < TABLE - 1;
        if !entry.is_present() || !ours(self.owner(table)) || !self.is(table, FrameType::Table) {
            return Err(self.no_slot_at(directory, address));
        }
        Ok(layout::in_table(table, address >> 12 & (layout::ENTRIES - 1)))
    }

    /// Why there is none.
    #[cold]
    fn no_slot_at(&self, directory: u32, address: u32) -> AreaError {
        let entry = self.entry(layout::in_directory(directory, address >> 22));
        // The area's own Table can be hooked once more, elsewhere.
        let area = || self.owner(entry.address()) == directory && self.is(entry.address(), FrameType::Table);
        if self.is_area_entry(directory, address >> 22) || entry.is_present() && area() {
            return AreaError::PageTableArea;
        }
        AreaError::NoTable
    }

    /// Whether a Table is the area's own of a space: it holds views and nothing else.
    #[inline(always)]
    pub(crate) fn is_area_table(&self, table: u32) -> bool {
        let owner = self.owner(table);
        owner != 0 && owner & (TABLE - 1) == 0
    }

    fn is_area_entry(&self, directory: u32, index: u32) -> bool {
        self.space_field(directory, AREA_BASE) >> 22 == index
    }
}
