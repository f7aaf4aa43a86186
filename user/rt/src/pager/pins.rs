//! Pins: pages that stay where they are.
//!
//! What must hold: a page with a pin is present and is not evicted; distinct pages with pins are at most
//! [`Config::pinned`](super::Config::pinned). A pin that fails pins nothing. A guard knows its region by number, so
//! one that outlives the region, or the pager, does nothing to another that comes to the same addresses.

use freehold_protocol::trace::PINNED;

use super::{Error, books};
use crate::trace;

/// Why nothing was pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinError {
    /// More pages would be pinned than [`Config::pinned`](super::Config::pinned).
    Bound,
    /// As [`touch`](super::touch): NotStarted, NotMine, StoreFull, OutOfMemory, Kernel.
    Pager(Error),
}

impl From<Error> for PinError {
    fn from(error: Error) -> PinError {
        PinError::Pager(error)
    }
}

/// Keeps pages present. Several can keep the same page.
#[derive(Debug)]
#[must_use = "the pages are pinned only as long as this is kept"]
pub struct Pinned {
    region: u32,
    address: u32,
    bytes: u32,
}

/// Pins the pages of `bytes` from `address` on.
pub(super) fn pin(address: u32, bytes: u32) -> Result<Pinned, PinError> {
    let within_bound = books::with(|books| {
        let (span, region) = books.regions.span(address, bytes)?;
        let is_pinned = |frame: u32| books.frames[frame as usize].pins != 0;
        let new =
            span.pages().filter(|&at| !books.regions.page(at).frame.is_some_and(is_pinned)).count() as u32;
        if books.statistics.pinned.checked_add(new).is_none_or(|pinned| pinned > books.bound) {
            return Ok(None);
        }
        let before = books.statistics.brought;
        books.hold(span)?;
        trace::note(PINNED, bytes, books.statistics.brought - before);
        books.statistics.pinned += new;
        books.statistics.pinned_most = books.statistics.pinned_most.max(books.statistics.pinned);
        Ok(Some(Pinned { region, address, bytes }))
    })?;
    within_bound.ok_or(PinError::Bound)
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Without the region, or the pager, there is nothing left to unpin.
        let _ = books::with(|books| {
            let (span, region) = books.regions.span(self.address, self.bytes)?;
            if region == self.region {
                books.statistics.pinned -= books.release(span);
            }
            Ok(())
        });
    }
}
