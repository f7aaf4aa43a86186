//! Which page is where, and what is asked of all of them; all of it under one lock.
//!
//! What must hold, whenever the lock is free: a frame holds a page exactly if the page names the frame; the frames
//! that hold none are in `unused`. A page that a frame holds is mapped, or can be mapped at any time (if mapping
//! failed, say): its contents are the frame's. `changed` is set if they may differ from what the store has (or from zero, if it has nothing).

use alloc::boxed::Box;
use alloc::vec::Vec;

use freehold_abi::layout::FRAME;
use freehold_protocol::trace::FAULT;

use super::frames::Backing;
use super::region::{At, Record, Regions, Span};
use super::store::{InMemory, Store};
use super::view::{Batch, Root};
use super::{Config, Error, SPARE};
use crate::layout::{PAGER, PAGER_END};
use crate::lock::Mutex;
use crate::trace;

/// What the pager has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Faults that were dealt with.
    pub faults: u32,
    /// Pages brought in, by a fault or because they were asked for.
    pub brought: u32,
    /// Of these, pages that came from the store; the others were zero.
    pub read: u32,
    /// Pages put away.
    pub evictions: u32,
    /// Of these, pages that had to be written to the store.
    pub written: u32,
    /// Pages that were due to be evicted but had been used, and stayed.
    pub spared: u32,
    /// Pages that are pinned now.
    pub pinned: u32,
    /// Most pages that were pinned at a time.
    pub pinned_most: u32,
}

/// A fault that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where the page was missing, if it was a page fault; else 0.
    pub address: u32,
    /// The instruction.
    pub eip: u32,
    /// Why: NotMine for what is no missing page of a region.
    pub error: Error,
}

/// A frame that holds pages, one at a time.
pub(super) struct Frame {
    pub root: Root,
    /// The page that it holds.
    pub holds: Option<At>,
    /// Guards on that page.
    pub pins: u32,
    /// The page may have been written since the store was.
    pub changed: bool,
    /// The page has come since the clock's hand passed.
    pub fresh: bool,
    /// The frame is all zero, unless what it holds has been written.
    pub blank: bool,
}

pub(super) struct Books {
    /// Where the pager sees the frames.
    pub backing: Backing,
    pub frames: Vec<Frame>,
    pub unused: Vec<u32>,
    /// The next frame that the clock looks at.
    pub hand: usize,
    pub regions: Regions,
    pub store: Box<dyn Store>,
    /// Pages that can be pinned.
    pub bound: u32,
    pub statistics: Statistics,
    pub refusal: Option<Refusal>,
}

static BOOKS: Mutex<Option<Books>> = Mutex::new(None);

/// Does `work` on the books. It neither allocates nor frees.
///
/// # Errors
/// NotStarted, and those of `work`.
pub(super) fn with<R>(work: impl FnOnce(&mut Books) -> Result<R, Error>) -> Result<R, Error> {
    BOOKS.lock().as_mut().ok_or(Error::NotStarted).and_then(work)
}

/// Opens the books.
pub(super) fn open(books: Books) {
    *BOOKS.lock() = Some(books);
}

/// Closes the books, does `end` before anybody can see that they are closed, and returns them.
///
/// # Errors
/// NotStarted, InUse.
pub(super) fn close(end: impl FnOnce()) -> Result<Books, Error> {
    let mut books = BOOKS.lock();
    if !books.as_ref().ok_or(Error::NotStarted)?.regions.is_empty() {
        return Err(Error::InUse);
    }
    end();
    books.take().ok_or(Error::NotStarted)
}

/// Deals with a page fault at `address` of the instruction at `eip`. `missing`: no page was there.
///
/// # Errors
/// NotStarted, NotMine; OutOfMemory, StoreFull, Kernel. It is the last refusal then.
pub(super) fn fault(address: u32, eip: u32, missing: bool) -> Result<(), Error> {
    with(|books| {
        let result = books.fault(address, missing);
        if let Err(error) = result {
            books.refusal = Some(Refusal { address, eip, error });
        }
        result
    })
}

impl Books {
    /// Sets the memory of `config` aside.
    ///
    /// # Errors
    /// BadConfig, OutOfMemory, OutOfSlots, Kernel.
    pub fn new(config: Config) -> Result<Books, Error> {
        let Config { resident, stored, pinned } = config;
        let room = (PAGER_END - PAGER) / FRAME;
        let fits = resident.checked_add(stored).is_some_and(|pages| pages <= room);
        if !fits || pinned.checked_add(SPARE).is_none_or(|least| resident < least) {
            return Err(Error::BadConfig);
        }
        let backing = Backing::new(PAGER, resident)?;
        let store = Box::new(InMemory::new(PAGER + resident * FRAME, stored)?);
        let frame = |root| Frame { root, holds: None, pins: 0, changed: false, fresh: false, blank: true };
        Ok(Books {
            frames: backing.roots().map(frame).collect(),
            backing,
            // It never holds more than it does now.
            unused: (0..resident).rev().collect(),
            hand: 0,
            regions: Regions::new(),
            store,
            bound: pinned,
            statistics: Statistics::default(),
            refusal: None,
        })
    }

    /// The root of some frame.
    pub fn any_root(&self) -> Root {
        self.frames[0].root
    }

    /// The pages that `bytes` from `address` on touch.
    pub fn span(&self, address: u32, bytes: u32) -> Result<Span, Error> {
        self.regions.span(address, bytes).map(|(span, _)| span)
    }

    fn fault(&mut self, address: u32, missing: bool) -> Result<(), Error> {
        let (span, _) = self.regions.span(address, 1)?;
        let at = span.pages().next().filter(|_| missing).ok_or(Error::NotMine)?;
        self.bring(at)?;
        self.statistics.faults += 1;
        trace::note(FAULT, address, 0);
        Ok(())
    }

    /// Holds all pages of a span where they are, once more. Those that are missing are mapped fifteen a call.
    ///
    /// # Errors
    /// As [`Books::bring`]; none is held then.
    pub fn hold(&mut self, span: Span) -> Result<(), Error> {
        // Most spans are present as a whole, and need none.
        let mut batch: Option<Batch> = None;
        let mut held = 0;
        for at in span.pages() {
            let placed = self.place(at).map(|(frame, update)| {
                // Held at once, so that none of the pages to come takes the frame.
                self.frames[frame as usize].pins += 1;
                held += 1;
                update.into_iter().for_each(|update| batch.get_or_insert_with(Batch::new).push(update));
            });
            let full = batch.as_mut().filter(|batch| batch.is_full());
            if let Err(error) = placed.and_then(|()| full.map_or(Ok(()), Batch::flush)) {
                // What can be mapped is, so that nobody has to fault for it.
                let _ = batch.as_mut().map(Batch::flush);
                self.release(span.begin(held));
                return Err(error);
            }
        }
        batch.as_mut().map_or(Ok(()), Batch::flush).inspect_err(|_| {
            self.release(span);
        })
    }

    /// The opposite of [`Books::hold`]. Returns how many pages are no longer held by anybody.
    pub fn release(&mut self, span: Span) -> u32 {
        let mut free = 0;
        for at in span.pages() {
            if let Some(frame) = self.regions.page(at).frame {
                let pins = &mut self.frames[frame as usize].pins;
                *pins -= 1;
                free += u32::from(*pins == 0);
            }
        }
        free
    }

    /// Makes all pages of a span present at the same time.
    pub fn touch(&mut self, span: Span) -> Result<(), Error> {
        self.hold(span)?;
        self.release(span);
        Ok(())
    }

    /// Puts away what can be. Returns how many pages that was.
    pub fn evict(&mut self, span: Span) -> u32 {
        let mut evicted = 0;
        for at in span.pages() {
            let Some(index) = self.regions.page(at).frame else { continue };
            if self.frames[index as usize].pins == 0 && self.put_away(index, at).is_ok() {
                self.unused.push(index);
                evicted += 1;
            }
        }
        evicted
    }

    /// Takes a region's pages back, and the region out of the books. What is returned is freed behind the lock.
    pub fn drop_region(&mut self, id: u32) -> Option<Record> {
        let span = self.regions.whole(id)?;
        for at in span.pages() {
            let page = self.regions.page(at);
            if let Some(index) = page.frame {
                let number = self.regions.number(at);
                let unmapped = self.unmap(index, number);
                let frame = &mut self.frames[index as usize];
                self.statistics.pinned -= u32::from(frame.pins != 0);
                frame.pins = 0;
                frame.holds = None;
                frame.blank &= !frame.changed;
                // A frame that is still mapped somewhere is not used again.
                if unmapped.is_ok() {
                    self.unused.push(index);
                }
            }
            if let Some(place) = page.place {
                self.store.forget(place);
            }
        }
        self.regions.remove(span)
    }
}
