//! The space's own page-table entries, read in its page-table area.
//!
//! What must hold: [`VIEWS`] names the view of the Table that covers a block of 4 MiB; so Tables that cover regions do
//! not leave the space (the runtime never withdraws one), and the area is shown. Nobody tells which view shows which
//! Table, so it is found out once a block: a page is mapped there for a moment, and the view that changes is the one.

use core::sync::atomic::{AtomicU16, Ordering};

use freehold_abi::info::place::AREA;
use freehold_abi::layout::{
    BLOCK, ENTRIES, ENTRY_ACCESSED, ENTRY_PRESENT, ENTRY_WRITABLE, FRAME, USER_TABLES,
};
use freehold_abi::update::{UPDATES_MAX, Update};
use freehold_abi::{CapName, Error as Refused, Rights};

use super::Error;
use crate::calls::{self, Stop};
use crate::memory;

/// By directory index: the view of the Table there; 0: not known (view 0 is the area's own Table).
static VIEWS: [AtomicU16; USER_TABLES as usize] = [const { AtomicU16::new(0) }; USER_TABLES as usize];

/// How often a view is looked for, if others map and unmap at the same time.
const ATTEMPTS: u32 = 100;

/// A frame that can be mapped: a root's container and its index there.
pub(super) type Root = (CapName, u32);

/// The entry that maps `page`, if its Table's view is known.
fn entry(page: u32) -> Option<u32> {
    let view = VIEWS.get((page / ENTRIES) as usize)?.load(Ordering::Relaxed);
    (view != 0).then(|| shown(u32::from(view), page % ENTRIES))
}

/// Entry `index` of the Table that view `view` shows; the view exists.
fn shown(view: u32, index: u32) -> u32 {
    // SAFETY: the area is mapped for as long as the space lives, up to its last view; the kernel and the processor
    // write there, hence volatile.
    unsafe { ((AREA + view * FRAME) as *const u32).add(index as usize).read_volatile() }
}

/// Whether `page` is mapped; `None`: no region is near.
pub(super) fn is_present(page: u32) -> Option<bool> {
    entry(page).map(|entry| entry & ENTRY_PRESENT != 0)
}

/// Whether `page` is known to be mapped, and for writing if `write`.
pub(super) fn is_usable(page: u32, write: bool) -> bool {
    let needed = ENTRY_PRESENT | if write { ENTRY_WRITABLE } else { 0 };
    entry(page).is_some_and(|entry| entry & needed == needed)
}

/// Whether `page`, which is in a region, was used since it was mapped.
pub(super) fn is_accessed(page: u32) -> bool {
    entry(page).is_some_and(|entry| entry & ENTRY_ACCESSED != 0)
}

/// The update that maps the frame of `root` at `page`.
pub(super) fn update(root: Root, page: u32, rights: Rights) -> Update {
    let (source, first) = root;
    Update { source, first, count: 1, destination: CapName::NONE, page, rights, total_code: 0 }
}

/// Sees to it that `page` has a Table whose view is known. The frame of `root` is mapped there for that, read-only.
///
/// # Errors
/// [`Error`]: Overlap if something is mapped there; OutOfMemory, OutOfSlots, Kernel.
pub(super) fn prepare(page: u32, root: Root) -> Result<(), Error> {
    let known = &VIEWS[(page / ENTRIES) as usize];
    for _ in 0..ATTEMPTS {
        if known.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        match probe(page, root) {
            Ok(Some(view)) => known.store(view, Ordering::Relaxed),
            Ok(None) => {}
            Err(Stop { error: Refused::NoTable, .. }) => drop(memory::grow(page * FRAME / BLOCK)?),
            Err(Stop { error: Refused::Occupied, .. }) => return Err(Error::Overlap),
            Err(stop) => return Err(stop.error.into()),
        }
    }
    Err(Refused::Busy.into())
}

/// The view in which the entry of `page` comes and goes with a mapping there. `None`: others changed the same entry
/// of their Tables, so that it cannot be told. The right one is always among those that changed.
fn probe(page: u32, root: Root) -> Result<Option<u16>, Stop> {
    let index = page % ENTRIES;
    let tables = calls::space_summary(CapName::NONE).map_err(|error| Stop { error, done: 0 })?.tables;
    let empty = |view: u32| shown(view, index) == 0;
    // A bit a view; an area has no more than 1,024.
    let mut candidates = [0u32; ENTRIES as usize / 32];
    for view in (1..tables).filter(|&view| empty(view)) {
        candidates[view as usize / 32] |= 1 << (view % 32);
    }
    calls::update(&[update(root, page, Rights::NONE)])?;
    for view in (1..tables).filter(|&view| empty(view)) {
        candidates[view as usize / 32] &= !(1 << (view % 32));
    }
    calls::unmap(CapName::NONE, page, 1)?;
    let mut changed =
        (1..tables).filter(|&view| candidates[view as usize / 32] & 1 << (view % 32) != 0 && empty(view));
    let view = changed.next();
    Ok(view.filter(|_| changed.next().is_none()).map(|view| view as u16))
}

/// Mappings that are to be made.
pub(super) struct Batch {
    updates: [Update; UPDATES_MAX as usize],
    count: usize,
}

impl Batch {
    pub fn new() -> Batch {
        let none = update((CapName::NONE, 0), 0, Rights::NONE);
        Batch { updates: [none; UPDATES_MAX as usize], count: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.count == self.updates.len()
    }

    pub fn push(&mut self, update: Update) {
        self.updates[self.count] = update;
        self.count += 1;
    }

    /// Makes them; without any, no call.
    ///
    /// # Errors
    /// Kernel; some may have been made.
    pub fn flush(&mut self) -> Result<(), Error> {
        match core::mem::take(&mut self.count) {
            0 => Ok(()),
            count => calls::update(&self.updates[..count]).map_err(|stop| stop.error.into()),
        }
    }
}
