//! Directory entries with a table that is no Table: one of the kernel's pool (designs with a pool).
//!
//! What must hold: such an entry has kind Pool and leads to a frame of type Kernel whose owner is this entry, so nothing
//! that looks for a hook, a view or a Table takes it for one.

use crate::layout::{self, AREA_BASE, ENTRIES, TABLE};
use crate::{Entry, Flush, Kind, Memory, Meta, Tables};

/// What a directory entry is to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolPlace {
    /// It has this table of the pool's.
    Table(u32),
    /// It can have one.
    Free,
    /// It is a hook's or the page-table area's.
    Taken,
}

/// Where an entry of a table of the pool is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The Directory.
    pub directory: u32,
    /// The page's address there.
    pub address: u32,
}

impl<M: Memory> Tables<M> {
    /// What entry `index` (below 768) of a Directory is to the pool.
    #[inline(always)]
    pub fn pool_place(&self, directory: u32, index: u32) -> PoolPlace {
        let slot = layout::in_directory(directory, index);
        let meta = self.meta(slot);
        if meta.is(Kind::Pool) {
            return PoolPlace::Table(self.entry(slot).address());
        }
        match meta.is(Kind::Empty) && self.space_field(directory, AREA_BASE) >> 22 != index {
            true => PoolPlace::Free,
            false => PoolPlace::Taken,
        }
    }

    /// Puts the clear frame at `table` into a free entry. A new table leaves nothing stale.
    pub fn put_pool_table(&mut self, directory: u32, index: u32, table: u32) {
        debug_assert!(self.pool_place(directory, index) == PoolPlace::Free);
        let slot = layout::in_directory(directory, index);
        self.set_owner(table, directory | index);
        self.set_meta(slot, Meta::new(0, 0, Kind::Pool, 0));
        self.memory.store(slot.address(), Entry::user(table, true).0);
    }

    /// Takes the table in an entry out again; it is nobody's then.
    pub fn take_pool_table(&mut self, directory: u32, index: u32) -> Flush {
        let slot = layout::in_directory(directory, index);
        debug_assert!(self.meta(slot).is(Kind::Pool));
        let table = Entry(self.memory.swap(slot.address(), 0)).address();
        self.set_meta(slot, Meta(0));
        self.set_owner(table, 0);
        self.flush_directory(directory)
    }

    /// Where the entry at `entry` of a table of the pool is seen: there alone.
    #[inline(always)]
    pub fn seen(&self, entry: u32) -> Seen {
        let owner = self.owner(entry);
        let (directory, index) = (owner & !(TABLE - 1), owner & (TABLE - 1));
        Seen { directory, address: index << 22 | (entry >> 2 & (ENTRIES - 1)) << 12 }
    }
}
