//! The slices: the server's Tables, hooked where workers write.
//!
//! What must hold: a Table's capability stays in its slot for as long as it is hooked here; the hook hangs
//! on it. The capability has no Edit: which frames a slice holds, only the server decides.

use freehold_protocol::transfer::{SESSIONS_MAX, SLICE_TABLES_MAX};
use freehold_rt::abi::layout::BLOCK;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, calls};

use crate::board;

/// The Tables of all slices, in order; slice i is session i's.
pub struct Slices([[Option<Slot>; SLICE_TABLES_MAX]; SESSIONS_MAX]);

impl Slices {
    /// None yet.
    pub fn new() -> Slices {
        Slices([const { [const { None }; SLICE_TABLES_MAX] }; SESSIONS_MAX])
    }

    /// Hooks Table `index` of a slice. `table` holds the capability.
    pub fn add(&mut self, slice: u32, index: u32, table: Slot) -> Result<(), Error> {
        let place = self.0.get_mut(slice as usize).and_then(|tables| tables.get_mut(index as usize));
        let place = place.ok_or(Error::OutOfRange)?;
        if place.is_some() {
            return Err(Error::Occupied);
        }
        let address = board::slice(slice as usize) + index * BLOCK;
        calls::hook(table.name(), CapName::NONE, address / BLOCK, Rights::WRITE)?;
        *place = Some(table);
        Ok(())
    }

    /// Slices that have a Table.
    pub fn count(&self) -> usize {
        self.0.iter().filter(|tables| tables[0].is_some()).count()
    }

    /// Bytes that a slice has room for: its Tables from the first on without a gap.
    pub fn bytes(&self, slice: usize) -> u32 {
        self.0[slice].iter().take_while(|table| table.is_some()).count() as u32 * BLOCK
    }
}
