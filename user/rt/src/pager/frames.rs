//! Frames that the pager has set aside: taken from the program's books, and mapped where only the pager looks.
//!
//! What must hold: all of them are mapped, writable, in a row from [`Backing::address`] on, for as long as this exists.
//! So contents are moved without a call, while no other mapping shows them. (A frame's mapping in a region is its
//! root's youngest child, so taking it back refunds the root at once.)

use alloc::vec::Vec;

use freehold_abi::Rights;
use freehold_abi::layout::{ENTRIES, FRAME};

use super::Error;
use super::view::Root;
use crate::memory;
use crate::roots::Extent;

/// Frames in a row of addresses. They go back when this is dropped.
pub(super) struct Backing {
    address: u32,
    extents: Vec<Extent>,
}

impl Backing {
    /// Takes `pages` frames and maps them from `address` on.
    ///
    /// # Errors
    /// OutOfMemory, OutOfSlots, Kernel; nothing is kept then.
    pub fn new(address: u32, pages: u32) -> Result<Backing, Error> {
        let mut backing = Backing { address, extents: Vec::new() };
        let mut done = 0;
        while done < pages {
            let extent = memory::take_up_to((pages - done).min(ENTRIES), 1).ok_or(Error::OutOfMemory)?;
            backing.extents.push(extent);
            memory::map(extent, address + done * FRAME, Rights::WRITE)?;
            done += extent.count;
        }
        Ok(backing)
    }

    /// Where frame `index` is mapped.
    pub fn address(&self, index: u32) -> u32 {
        self.address + index * FRAME
    }

    /// The frames' roots, in the order of their addresses.
    pub fn roots(&self) -> impl Iterator<Item = Root> + '_ {
        let roots = |extent: &Extent| {
            (0..extent.count).map({
                let extent = *extent;
                move |index| (extent.container, extent.first + index)
            })
        };
        self.extents.iter().flat_map(roots)
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        for &extent in &self.extents {
            // What cannot be reclaimed stays out of the books.
            let _ = memory::release(extent);
        }
    }
}

/// Copies a page between two addresses of the pager's own.
pub(super) fn copy(from: u32, to: u32) {
    // SAFETY: both are pages of a `Backing`, which nothing else refers to.
    unsafe { core::ptr::copy_nonoverlapping(from as *const u8, to as *mut u8, FRAME as usize) }
}

/// Clears such a page.
pub(super) fn clear(page: u32) {
    // SAFETY: as above.
    unsafe { core::ptr::write_bytes(page as *mut u8, 0, FRAME as usize) }
}
