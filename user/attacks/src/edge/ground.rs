//! A Table of the attack's own, hooked in its own space, whose entries it sees by the page-table area.

use freehold_rt::abi::info::{place, start};
use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_rt::calls::{self, Stop};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, memory};

use super::{PIECES, page, probe, update};

/// Frames of a Table.
pub const TABLE_FRAMES: u32 = 4;

/// A Table. It ends when this is dropped.
#[derive(Debug)]
pub struct Ground {
    frames: Extent,
    slot: Slot,
    /// Number of its first frame.
    frame: u32,
    index: u32,
}

impl Ground {
    /// A Table at piece `piece`. `None`: there is no memory for it.
    pub fn new(piece: u32) -> Option<Ground> {
        let frames = memory::take(TABLE_FRAMES, TABLE_FRAMES)?;
        let slot = Slot::take()?;
        let ground = Ground::of(frames, slot, piece);
        if ground.is_none() {
            // What cannot be reclaimed stays out of the books.
            let _ = memory::release(frames);
        }
        ground
    }

    fn of(frames: Extent, slot: Slot, piece: u32) -> Option<Ground> {
        let index = PIECES + piece;
        calls::make_table(frames.container, frames.first, slot.reference(), start::SPACE).ok()?;
        calls::hook(slot.name(), CapName::NONE, index, Rights::WRITE).ok()?;
        let tables = calls::space_summary(CapName::NONE).ok()?.tables;
        let frame = calls::space_table(CapName::NONE, tables - 1).ok()?.frame;
        Some(Ground { frames, slot, frame, index })
    }

    /// The container of all its entries, with every right.
    pub fn table(&self) -> CapName {
        self.slot.name()
    }

    /// Its directory index.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Its frames.
    pub fn frames(&self) -> Extent {
        self.frames
    }

    /// Physical address of its entries.
    pub fn physical(&self) -> u32 {
        self.frame * FRAME
    }

    /// Address of page `page` of its 4 MiB.
    pub fn address(&self, page: u32) -> u32 {
        self.index * BLOCK + page % ENTRIES * FRAME
    }

    /// Address at which the page-table area shows its entries.
    pub fn view(&self) -> Option<u32> {
        let tables = calls::space_summary(CapName::NONE).map_or(0, |space| space.tables);
        let is_this = |&number: &u32| {
            calls::space_table(CapName::NONE, number).is_ok_and(|table| table.frame == self.frame)
        };
        (0..tables).find(is_this).map(|number| place::AREA + number * FRAME)
    }

    /// The hardware entry of page `page`, as the page-table area shows it; 0 if it does not show the Table.
    pub fn entry(&self, page: u32) -> u32 {
        self.view().and_then(|view| probe::read(view + 4 * (page % ENTRIES))).unwrap_or(0)
    }

    /// Maps frames from page `at` on.
    ///
    /// # Errors
    /// The kernel's.
    pub fn map(&self, frames: Extent, at: u32, rights: Rights, total_code: u32) -> Result<(), Stop> {
        calls::update(&[update(frames, CapName::NONE, page(self.address(at)), rights, total_code)])
    }

    /// Takes pages back.
    ///
    /// # Errors
    /// The kernel's.
    pub fn unmap(&self, at: u32, pages: u32) -> Result<(), Stop> {
        calls::unmap(CapName::NONE, page(self.address(at)), pages)
    }

    /// Takes the hook back; hooks it again.
    ///
    /// # Errors
    /// The kernel's.
    pub fn hook(&self, there: bool) -> Result<(), Error> {
        match there {
            true => calls::hook(self.table(), CapName::NONE, self.index, Rights::WRITE),
            false => calls::unhook(CapName::NONE, self.index),
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // What cannot be reclaimed stays out of the books; the referee counts it.
        let _ = memory::release(self.frames);
    }
}
