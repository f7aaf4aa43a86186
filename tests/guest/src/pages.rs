//! Frames and addresses for tests on memory.
//!
//! What must hold: the 4 MiB from [`AT`] on are covered by a Table of the program's and hold nothing
//! between tests.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::{BLOCK, FRAME};
use freehold_abi::update::Update;
use freehold_rt::calls::{self, Stop};
use freehold_rt::roots::Extent;
use freehold_rt::{CapName, Rights, memory};

use crate::check_eq;

/// Directory index of the tests' own 4 MiB.
pub const INDEX: u32 = 257;
/// First address of them.
pub const AT: u32 = INDEX * BLOCK;

static TABLE: AtomicU32 = AtomicU32::new(0);
static VIEW: AtomicU32 = AtomicU32::new(0);

/// Makes the Table.
pub(crate) fn prepare() {
    let table = memory::grow(INDEX).expect("memory for a Table");
    TABLE.store(table.0, Ordering::Relaxed);
    let tables = calls::space_summary(CapName::NONE).expect("the own space").tables;
    VIEW.store(tables - 1, Ordering::Relaxed);
}

/// The capability to the Table at [`AT`].
pub fn table() -> CapName {
    CapName(TABLE.load(Ordering::Relaxed))
}

/// Index of its view in the page-table area.
pub fn view_index() -> u32 {
    VIEW.load(Ordering::Relaxed)
}

/// Address of page `page` of the tests' own.
pub const fn address(page: u32) -> u32 {
    AT + page * FRAME
}

/// Frames, reclaimed when dropped.
#[derive(Debug)]
pub struct Frames(Extent);

impl Frames {
    /// `count` frames in a row, the first one's number divisible by `align`.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn take(count: u32, align: u32) -> Frames {
        Frames(memory::take(count, align).expect("memory for a test"))
    }

    /// Where they are.
    pub fn extent(&self) -> Extent {
        self.0
    }

    /// The container of their roots.
    pub fn container(&self) -> CapName {
        self.0.container
    }

    /// Index of frame `index` in the container.
    pub fn at(&self, index: u32) -> u32 {
        self.0.first + index
    }

    /// How many.
    pub fn count(&self) -> u32 {
        self.0.count
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        check_eq!(memory::release(self.0), Ok(()), "a test's frames");
    }
}

/// An update from `count` entries of `source` to `page` (an address / 4,096, or an index) of `destination`.
pub const fn update(
    source: (CapName, u32),
    count: u32,
    destination: CapName,
    page: u32,
    rights: Rights,
    total_code: u32,
) -> Update {
    Update { source: source.0, first: source.1, count, destination, page, rights, total_code }
}

/// Maps all `frames` at `address` of the own space.
///
/// # Errors
/// The kernel's.
pub fn map(frames: &Frames, address: u32, rights: Rights, total_code: u32) -> Result<(), Stop> {
    let source = (frames.container(), frames.at(0));
    let page = address / FRAME;
    calls::update(&[update(source, frames.count(), CapName::NONE, page, rights, total_code)])
}

/// Reads a word of the own space.
///
/// # Panics
/// Faults if nothing is mapped there.
pub fn peek(address: u32) -> u32 {
    // SAFETY: tests read only what they mapped; no reference to it exists.
    unsafe { (address as *const u32).read_volatile() }
}

/// Writes a word of the own space.
///
/// # Panics
/// Faults if nothing writable is mapped there.
pub fn poke(address: u32, word: u32) {
    // SAFETY: tests write only what they mapped; no reference to it exists.
    unsafe { (address as *mut u32).write_volatile(word) }
}
