//! The slices: memory of the server's that the transfer service writes, a session at a time.
//!
//! What must hold: only the server's pager puts frames into a slice and takes them out, and takes none
//! out while the slice is read. What is read was filled, page by page, since the slice was last empty.

use alloc::vec;
use alloc::vec::Vec;

use freehold_protocol::transfer::BYTES_MAX;
use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_rt::abi::update::Update;
use freehold_rt::calls::range;
use freehold_rt::layout::OWN;
use freehold_rt::lock::Mutex;
use freehold_rt::memory::{self, MapError};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, calls};

/// One Table of a slice.
struct Table {
    /// All of it, with Edit.
    whole: Slot,
    /// What the service's capability hangs on: without Edit, for one receiver.
    proxy: Slot,
}

/// A slice.
#[derive(Default)]
struct Slice {
    tables: Vec<Table>,
    /// Which pages hold a frame.
    filled: Vec<bool>,
    /// The frames, as rows.
    frames: Vec<Extent>,
    /// Pages filled since the slice was made.
    fills: u32,
    being_read: bool,
}

static SLICES: Mutex<Vec<Slice>> = Mutex::new(Vec::new());

fn address(slice: u32) -> u32 {
    OWN + slice * BYTES_MAX
}

/// Does `work` with a slice. `None`: there is none of that number.
fn with<R>(slice: u32, work: impl FnOnce(&mut Slice) -> R) -> Option<R> {
    SLICES.lock().get_mut(slice as usize).map(work)
}

/// Adds a slice without Tables.
///
/// # Errors
/// OutOfMemory.
pub fn add() -> Result<(), MapError> {
    let mut slices = SLICES.lock();
    slices.try_reserve(1).map_err(|_| MapError::OutOfMemory)?;
    slices.push(Slice::default());
    Ok(())
}

/// Adds Table `index`, the next one, to a slice: empty, seen by the server at the slice's address. Returns
/// the capability to derive the service's from.
///
/// # Errors
/// [`MapError`].
pub fn add_table(slice: u32, index: u32) -> Result<CapName, MapError> {
    let whole = Slot::take().ok_or(MapError::OutOfSlots)?;
    let proxy = Slot::take().ok_or(MapError::OutOfSlots)?;
    let frames = memory::take(4, 4).ok_or(MapError::OutOfMemory)?;
    calls::make_table(frames.container, frames.first, whole.reference(), CapName::NONE)?;
    let rights = Rights::WRITE.or(Rights::SHARE);
    calls::derive(whole.name(), proxy.reference(), rights, range(0, ENTRIES), 2)?;
    calls::hook(whole.name(), CapName::NONE, address(slice) / BLOCK + index, Rights::WRITE)?;
    let name = proxy.name();
    let table = Table { whole, proxy };
    with(slice, |slice| {
        slice.tables.push(table);
        slice.filled = vec![false; slice.tables.len() * ENTRIES as usize];
    });
    Ok(name)
}

/// Puts a fresh frame into a page of a slice. A page that has one already is left alone.
///
/// # Errors
/// OutOfRange; [`MapError`].
pub fn fill(slice: u32, page: u32) -> Result<(), MapError> {
    let filled = with(slice, |slice| match slice.filled.get(page as usize) {
        None => Err(Error::OutOfRange.into()),
        Some(true) => Ok(()),
        Some(false) => slice.fill(page),
    });
    filled.unwrap_or(Err(Error::OutOfRange.into()))
}

/// Takes all frames out of a slice. Returns their number; `None`: it is being read, or there is none.
pub fn release(slice: u32) -> Option<u32> {
    with(slice, |slice| (!slice.being_read).then(|| slice.release())).flatten()
}

/// Pages filled since the slice was made, and frames in it now.
pub fn counts(slice: u32) -> Option<[u32; 2]> {
    with(slice, |slice| [slice.fills, slice.frames.iter().map(|extent| extent.count).sum()])
}

impl Slice {
    fn fill(&mut self, page: u32) -> Result<(), MapError> {
        let table = &self.tables[(page / ENTRIES) as usize];
        let frame = memory::take(1, 1).ok_or(MapError::OutOfMemory)?;
        let update = Update {
            source: frame.container,
            first: frame.first,
            count: 1,
            destination: table.whole.name(),
            page: page % ENTRIES,
            rights: Rights::WRITE,
            total_code: 0,
        };
        if let Err(stop) = calls::update(&[update]) {
            memory::give_back(frame);
            return Err(stop.error.into());
        }
        match self.frames.last_mut() {
            Some(last) if last.container == frame.container && last.first + last.count == frame.first => {
                last.count += 1;
            }
            _ => self.frames.push(frame),
        }
        self.filled[page as usize] = true;
        self.fills += 1;
        Ok(())
    }

    fn release(&mut self) -> u32 {
        let mut count = 0;
        for extent in self.frames.drain(..) {
            count += extent.count;
            // Reclaiming takes the mapping away, and clears the frame. It is the server's own.
            let released = memory::release(extent);
            debug_assert!(released.is_ok(), "{released:?}");
        }
        self.filled.fill(false);
        count
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // The service's hook goes before the Table is named by nobody.
        let _ = calls::delete(self.proxy.reference());
    }
}

/// A slice that is being read.
pub struct Reading {
    slice: u32,
    bytes: u32,
}

impl Reading {
    /// Begins, if all pages of the first `bytes` are there and nobody reads the slice already.
    pub fn begin(slice: u32, bytes: u32) -> Option<Reading> {
        let begun = with(slice, |slice| {
            let pages = slice.filled.get(..bytes.div_ceil(FRAME) as usize);
            let complete = pages.is_some_and(|pages| pages.iter().all(|&filled| filled));
            let begins = complete && !slice.being_read;
            slice.being_read |= begins;
            begins
        });
        (begun == Some(true)).then_some(Reading { slice, bytes })
    }

    /// What is read.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: these pages are filled, and stay so while this lives. The service, which the server
        // trusts, writes them only before it says that the request is complete.
        unsafe { core::slice::from_raw_parts(address(self.slice) as *const u8, self.bytes as usize) }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        with(self.slice, |slice| slice.being_read = false);
    }
}
