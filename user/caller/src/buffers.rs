//! The two buffers: memory of the program's own, which it pages itself.
//!
//! What must hold: they lie in nobody's way (addresses from [`OWN`] on are the program's), and nothing but the
//! two slices refers to them.

use freehold_protocol::files::DATA_BYTES;
use freehold_rt::abi::layout::FRAME;
use freehold_rt::layout::OWN;
use freehold_rt::pager::{self, Config, Mode, Region, Statistics};

use crate::PAGER_PRIORITY;

/// Pages of each buffer: the largest case's, and one more.
pub const PAGES: u32 = DATA_BYTES / FRAME + 1;
const BYTES: usize = (PAGES * FRAME) as usize;
const REQUESTS: u32 = OWN;
const REPLIES: u32 = OWN + PAGES * FRAME;

/// The buffers.
pub struct Buffers {
    _regions: [Region; 2],
}

impl Buffers {
    /// Starts the pager and makes them, with no page in memory.
    ///
    /// # Errors
    /// The pager's.
    pub fn new() -> Result<Buffers, pager::Error> {
        let config = Config { resident: 2 * PAGES + pager::SPARE, stored: 2 * PAGES, pinned: 2 * PAGES };
        pager::start(config, Mode::Thread { priority: PAGER_PRIORITY })?;
        pager::adopt_current()?;
        Ok(Buffers { _regions: [Region::new(REQUESTS, PAGES)?, Region::new(REPLIES, PAGES)?] })
    }

    /// The buffer for requests, and the one for replies.
    pub fn slices(&mut self) -> (&mut [u8], &mut [u8]) {
        // SAFETY: the regions are theirs for as long as `self` lives, and filled with zeroes at first; only one
        // pair of slices exists at a time, since it borrows `self`.
        unsafe {
            (
                core::slice::from_raw_parts_mut(REQUESTS as *mut u8, BYTES),
                core::slice::from_raw_parts_mut(REPLIES as *mut u8, BYTES),
            )
        }
    }
}

/// Sends the pages of `bytes` out of memory. Returns how many there were.
pub fn evict(bytes: &[u8]) -> u32 {
    if bytes.is_empty() { 0 } else { pager::evict(bytes.as_ptr() as u32, bytes.len() as u32) }
}

/// What the pager has done.
pub fn pager() -> Statistics {
    // It has been started, so there is no error to meet.
    pager::statistics().unwrap_or_default()
}
