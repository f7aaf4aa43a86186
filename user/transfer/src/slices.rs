//! The slices: the server's Tables, hooked where workers write.
//!
//! What must hold: a Table's capability stays in its slot for as long as it is hooked here; the hook hangs
//! on it. The capability has no Edit: which frames a slice holds, only the server decides.

use freehold_protocol::transfer::{SESSIONS_MAX, SLICE_TABLES_MAX};
use freehold_rt::abi::layout::BLOCK;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, calls};

use crate::{PRIORITY, board};

/// One slice.
struct Slice {
    /// Its Tables, in order.
    tables: [Option<Slot>; SLICE_TABLES_MAX],
    /// The highest priority that its workers get.
    priority: u8,
}

/// All slices; slice i is session i's.
pub struct Slices([Slice; SESSIONS_MAX]);

impl Slices {
    /// None yet.
    pub fn new() -> Slices {
        Slices([const { Slice { tables: [const { None }; SLICE_TABLES_MAX], priority: 0 } }; SESSIONS_MAX])
    }

    /// Hooks Table `index` of a slice. `table` holds the capability. `priority` is for the slice's workers.
    pub fn add(&mut self, slice: u32, index: u32, priority: u32, table: Slot) -> Result<(), Error> {
        let entry = self.0.get_mut(slice as usize).ok_or(Error::OutOfRange)?;
        let place = entry.tables.get_mut(index as usize).ok_or(Error::OutOfRange)?;
        if place.is_some() {
            return Err(Error::Occupied);
        }
        let address = board::slice(slice as usize) + index * BLOCK;
        calls::hook(table.name(), CapName::NONE, address / BLOCK, Rights::WRITE)?;
        *place = Some(table);
        entry.priority = priority.min(PRIORITY.into()) as u8;
        Ok(())
    }

    /// Slices that have a Table.
    pub fn count(&self) -> usize {
        self.0.iter().filter(|slice| slice.tables[0].is_some()).count()
    }

    /// Bytes that a slice has room for: its Tables from the first on without a gap.
    pub fn bytes(&self, slice: usize) -> u32 {
        self.0[slice].tables.iter().take_while(|table| table.is_some()).count() as u32 * BLOCK
    }

    /// The highest priority that a slice's workers get.
    pub fn priority(&self, slice: usize) -> u8 {
        self.0[slice].priority
    }
}
