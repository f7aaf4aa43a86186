//! Ranges of addresses that are paged.
//!
//! What must hold: regions do not overlap, lie between [`OWN`] and [`OWN_END`], and have Tables whose views are known,
//! from the moment at which [`Region::new`] returns.

use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::{ENTRIES, FRAME};

use super::store::Place;
use super::{Error, books, view};
use crate::layout::{OWN, OWN_END};

/// Regions at a time.
const REGIONS_MAX: usize = 64;

/// Where a page is. In neither: it has been written by nobody, and is zero.
#[derive(Clone, Copy, Default)]
pub(super) struct Page {
    /// The frame that holds it.
    pub frame: Option<u32>,
    /// Its place in the store, with its contents or, while a frame holds it, older ones.
    pub place: Option<Place>,
}

/// A page of a region.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    region: usize,
    index: u32,
}

/// Consecutive pages of a region.
#[derive(Clone, Copy)]
pub(super) struct Span {
    region: usize,
    first: u32,
    /// Pages.
    pub count: u32,
}

impl Span {
    /// Its pages.
    pub fn pages(self) -> impl Iterator<Item = At> {
        (self.first..self.first + self.count).map(move |index| At { region: self.region, index })
    }

    /// Its first `count` pages.
    pub fn begin(self, count: u32) -> Span {
        Span { count, ..self }
    }
}

/// What is known of a region.
pub(super) struct Record {
    id: u32,
    /// Number of its first page.
    first: u32,
    pages: Vec<Page>,
}

/// All regions.
pub(super) struct Regions {
    records: [Option<Record>; REGIONS_MAX],
}

/// Regions made so far by every pager that the program has had. A guard may outlive the pager that made it, too, and
/// must not find another one's region by its number.
static MADE: AtomicU32 = AtomicU32::new(0);

impl Regions {
    pub const fn new() -> Regions {
        Regions { records: [const { None }; REGIONS_MAX] }
    }

    pub fn is_empty(&self) -> bool {
        self.records.iter().all(Option::is_none)
    }

    /// Enters a region and returns its number, which no other one has, or had, in this program.
    fn add(&mut self, first: u32, pages: Vec<Page>) -> Result<u32, Error> {
        let end = first + pages.len() as u32;
        let overlaps =
            |record: &Record| first < record.first + record.pages.len() as u32 && record.first < end;
        if self.records.iter().flatten().any(overlaps) {
            return Err(Error::Overlap);
        }
        let free = self.records.iter_mut().find(|record| record.is_none()).ok_or(Error::TooManyRegions)?;
        let id = MADE.fetch_add(1, Ordering::Relaxed);
        *free = Some(Record { id, first, pages });
        Ok(id)
    }

    /// Removes a region, whose pages are nowhere any more.
    pub fn remove(&mut self, span: Span) -> Option<Record> {
        self.records[span.region].take()
    }

    /// The pages that `bytes` from `address` on touch, all of one region; and the region's number.
    pub fn span(&self, address: u32, bytes: u32) -> Result<(Span, u32), Error> {
        let page = address / FRAME;
        let end = match bytes {
            0 => page,
            _ => address.checked_add(bytes - 1).ok_or(Error::NotMine)? / FRAME + 1,
        };
        for (region, record) in self.records.iter().enumerate() {
            let Some(record) = record else { continue };
            let behind = record.first + record.pages.len() as u32;
            if record.first <= page && page < behind && end <= behind {
                return Ok((Span { region, first: page - record.first, count: end - page }, record.id));
            }
        }
        Err(Error::NotMine)
    }

    /// All pages of the region with this number, if it still exists.
    pub fn whole(&self, id: u32) -> Option<Span> {
        let is_it = |record: &Option<Record>| record.as_ref().is_some_and(|record| record.id == id);
        let region = self.records.iter().position(is_it)?;
        let count = self.records[region].as_ref()?.pages.len() as u32;
        Some(Span { region, first: 0, count })
    }

    fn record(&self, region: usize) -> &Record {
        self.records[region].as_ref().expect("a span is used under the lock that it was made under")
    }

    /// Number of a page in the space.
    pub fn number(&self, at: At) -> u32 {
        self.record(at.region).first + at.index
    }

    pub fn page(&self, at: At) -> Page {
        self.record(at.region).pages[at.index as usize]
    }

    pub fn page_mut(&mut self, at: At) -> &mut Page {
        let record = self.records[at.region].as_mut();
        &mut record.expect("a span is used under the lock that it was made under").pages[at.index as usize]
    }
}

/// A range of the program's addresses whose pages are zero at first, and need a frame only while they are used.
/// Dropping it takes the pages back, contents and all, pinned or not.
#[derive(Debug)]
pub struct Region {
    id: u32,
    address: u32,
    pages: u32,
}

impl Region {
    /// Makes the `pages` pages from `address` on (a multiple of 4,096) a region. A Table is made for each 4 MiB that
    /// has none.
    ///
    /// # Errors
    /// NotStarted, BadRegion, Overlap, TooManyRegions; OutOfMemory, OutOfSlots, Kernel if there is nothing for a Table.
    pub fn new(address: u32, pages: u32) -> Result<Region, Error> {
        let end = pages.checked_mul(FRAME).and_then(|bytes| address.checked_add(bytes));
        let fits = address >= OWN && end.is_some_and(|end| end <= OWN_END);
        if !fits || pages == 0 || !address.is_multiple_of(FRAME) {
            return Err(Error::BadRegion);
        }
        let first = address / FRAME;
        let records = vec![Page::default(); pages as usize];
        let (id, root) = books::with(|books| Ok((books.regions.add(first, records)?, books.any_root())))?;
        // From here on dropping it undoes what is done.
        let region = Region { id, address, pages };
        let end = first + pages;
        let mut page = first;
        while page < end {
            view::prepare(page, root)?;
            page = (page / ENTRIES + 1) * ENTRIES;
        }
        let free = (first..end).all(|page| view::is_present(page) == Some(false));
        if free { Ok(region) } else { Err(Error::Overlap) }
    }

    /// Its first address.
    pub fn address(&self) -> u32 {
        self.address
    }

    /// Its pages.
    pub fn pages(&self) -> u32 {
        self.pages
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // What held the pages is freed behind the lock.
        let _record = books::with(|books| Ok(books.drop_region(self.id)));
    }
}
