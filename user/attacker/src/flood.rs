//! One frame, mapped over and over.

use core::ops::Range;

use freehold_protocol::attacker::{Attacked, Flooded};
use freehold_rt::abi::layout::{BLOCK, ENTRIES, USER_TABLES};
use freehold_rt::abi::update::{UPDATES_MAX, Update};
use freehold_rt::calls::Stop;
use freehold_rt::layout::OWN;
use freehold_rt::roots::Extent;
use freehold_rt::{CapName, Error, Rights, calls, memory};

/// The frame, and the Tables to map it in: from [`OWN`] on, one behind the other.
pub struct Flood {
    frame: Extent,
    tables: u32,
}

/// Why and where a row of attempts ended before its last page.
struct End {
    error: Error,
    page: u32,
}

impl Flood {
    /// Takes a frame. `None`: there is none.
    pub fn new() -> Option<Flood> {
        memory::take(1, 1).map(|frame| Flood { frame, tables: 0 })
    }

    /// Makes Tables until memory ends, then tries every address below 3 GiB.
    pub fn everywhere(&mut self) -> Flooded {
        while memory::grow(OWN / BLOCK + self.tables).is_ok() {
            self.tables += 1;
        }
        let mut flooded = Flooded::default();
        for block in 0..USER_TABLES {
            let pages = block * ENTRIES..(block + 1) * ENTRIES;
            let end = self.map(pages, &mut flooded.mapped, &mut flooded.occupied);
            if block == OWN / BLOCK + self.tables {
                flooded.error_behind = end.as_ref().map_or(0, |end| end.error as u32);
            }
            match end {
                None => {}
                Some(End { error: Error::NoTable, page }) if page == block * ENTRIES => {
                    flooded.blocks_without_table += 1;
                }
                Some(End { error: Error::PageTableArea, .. }) => flooded.blocks_of_area += 1,
                Some(_) => flooded.other_errors += 1,
            }
        }
        flooded
    }

    /// Maps the frame at every page of the Tables from [`OWN`] on, and tries the page behind them.
    pub fn fill(&mut self, result: &mut Attacked) {
        let pages = self.pages();
        let end = self.map(pages.start..pages.end + 1, &mut result.mapped, &mut 0);
        if matches!(end, Some(End { error: Error::NoTable, page }) if page == pages.end) {
            result.refused += 1;
        }
    }

    /// Takes these mappings back.
    pub fn empty(&mut self, result: &mut Attacked) {
        let pages = self.pages();
        let count = pages.end - pages.start;
        // Pages that are empty already are passed over; the Tables are there.
        let unmapped = calls::unmap(CapName::NONE, pages.start, count);
        result.unmapped += unmapped.map_or_else(|stop| stop.done, |()| count);
    }

    fn pages(&self) -> Range<u32> {
        let first = OWN / BLOCK * ENTRIES;
        first..first + self.tables * ENTRIES
    }

    /// Maps the frame at each of `pages`, passing over those in use. Ends at the first other error.
    fn map(&self, pages: Range<u32>, mapped: &mut u32, occupied: &mut u32) -> Option<End> {
        let mut page = pages.start;
        while page < pages.end {
            let count = (pages.end - page).min(UPDATES_MAX);
            let updates: [Update; UPDATES_MAX as usize] =
                core::array::from_fn(|index| self.update(page + index as u32));
            match calls::update(&updates[..count as usize]) {
                Ok(()) => {
                    *mapped += count;
                    page += count;
                }
                Err(Stop { error: Error::Occupied, done }) => {
                    *mapped += done;
                    *occupied += 1;
                    page += done + 1;
                }
                Err(Stop { error, done }) => {
                    *mapped += done;
                    return Some(End { error, page: page + done });
                }
            }
        }
        None
    }

    fn update(&self, page: u32) -> Update {
        Update {
            source: self.frame.container,
            first: self.frame.first,
            count: 1,
            destination: CapName::NONE,
            page,
            rights: Rights::WRITE,
            total_code: 0,
        }
    }
}
