//! Where evicted pages are kept.
//!
//! What must hold: a place holds what was last written to it, until it is forgotten. A store works under the books'
//! lock: it neither allocates nor waits for a thread that could wait for the pager. (One on a disk waits for its
//! driver, which another program runs; pages of this one then wait, too.)

use alloc::vec::Vec;

use super::Error;
use super::frames::{self, Backing};

/// A page in the store.
pub(super) type Place = u32;

/// A store.
pub(super) trait Store: Send {
    /// Writes the page at `page`, an address of the pager's own, to `place`; `None`: to a place that is free.
    ///
    /// # Errors
    /// StoreFull, and what a device has to say; what was at `place` is still there.
    fn write(&mut self, page: u32, place: Option<Place>) -> Result<Place, Error>;

    /// Reads what is at `place` into the page at `page`.
    ///
    /// # Errors
    /// What a device has to say.
    fn read(&mut self, place: Place, page: u32) -> Result<(), Error>;

    /// Frees `place`.
    fn forget(&mut self, place: Place);
}

/// A store in memory, uncompressed.
pub(super) struct InMemory {
    backing: Backing,
    free: Vec<Place>,
}

impl InMemory {
    /// A store of `pages` pages, in frames that are mapped from `address` on.
    ///
    /// # Errors
    /// As [`Backing::new`].
    pub fn new(address: u32, pages: u32) -> Result<InMemory, Error> {
        // The vector never holds more than it does now, so it never grows under the lock.
        Ok(InMemory { backing: Backing::new(address, pages)?, free: (0..pages).rev().collect() })
    }
}

impl Store for InMemory {
    fn write(&mut self, page: u32, place: Option<Place>) -> Result<Place, Error> {
        let place = place.or_else(|| self.free.pop()).ok_or(Error::StoreFull)?;
        frames::copy(page, self.backing.address(place));
        Ok(place)
    }

    fn read(&mut self, place: Place, page: u32) -> Result<(), Error> {
        frames::copy(self.backing.address(place), page);
        Ok(())
    }

    fn forget(&mut self, place: Place) {
        self.free.push(place);
    }
}
