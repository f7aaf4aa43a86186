//! The server's side: slices, memory of the server's that the transfer service writes and reads, a session at
//! a time.
//!
//! What must hold: only the server puts frames into a slice and takes them out, and takes none out while it
//! works on what is in it. What it reads was filled, page by page, since the slice was last empty. No slice has more
//! frames than its share of what was free when they were made: however large a client's request, there is as much left
//! for each other one.

use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_abi::message::Item;
use freehold_abi::update::Update;
use freehold_abi::{CapName, Error, Rights};
use freehold_protocol::answer::DONE;
use freehold_protocol::transfer::{BYTES_MAX, CANCEL, SESSIONS_MAX, SLICE, SLICE_TABLES_MAX};

use crate::Message;
use crate::calls::{self, range};
use crate::lock::Mutex;
use crate::memory::{self, MapError};
use crate::roots::Extent;
use crate::slots::Slot;

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
    /// How many they are.
    held: u32,
    /// Pages filled since the slice was made.
    fills: u32,
    /// Somebody works on what is in it.
    busy: bool,
}

/// All slices of a server. Several threads can use them.
pub struct Slices {
    base: u32,
    /// Frames that a slice has at most.
    share: AtomicU32,
    list: Mutex<Vec<Slice>>,
}

impl Slices {
    /// None yet. They will lie at the address `base`, a multiple of 4 MiB, and the 128 MiB behind it are theirs.
    pub const fn new(base: u32) -> Slices {
        Slices { base, share: AtomicU32::new(u32::MAX), list: Mutex::new(Vec::new()) }
    }

    fn address(&self, slice: u32) -> u32 {
        self.base + slice * BYTES_MAX
    }

    fn share(&self) -> u32 {
        self.share.load(Ordering::Relaxed)
    }

    /// Does `work` with a slice. `None`: there is none of that number.
    fn with<R>(&self, slice: u32, work: impl FnOnce(&mut Slice) -> R) -> Option<R> {
        self.list.lock().get_mut(slice as usize).map(work)
    }

    /// Makes `count` slices of `tables` Tables each, empty, and hands them to the transfer service, whose
    /// workers get `priority` at most: a server that is above it is delayed by no worker. What frames are free then, the slices
    /// share equally.
    ///
    /// # Errors
    /// OutOfRange; [`MapError`]; what the service answers. What was made stays.
    pub fn make(&self, service: CapName, count: u32, tables: u32, priority: u8) -> Result<(), MapError> {
        let sizes =
            (1..=SESSIONS_MAX as u32).contains(&count) && (1..=SLICE_TABLES_MAX as u32).contains(&tables);
        if !sizes {
            return Err(Error::OutOfRange.into());
        }
        for _ in 0..count {
            let slice = self.add()?;
            for index in 0..tables {
                let source = self.add_table(slice, index)?;
                let mut message = Message::of(SLICE, &[slice, index, priority.into()]);
                // The service's hook is all that can be derived from it.
                let rights = Rights::WRITE.or(Rights::SHARE);
                message.push_item(Item { source, moved: false, rights, total: 1 });
                let answer = calls::call(service, &message)?;
                if answer.label() != DONE {
                    return Err(Error::from_status(answer.word(0)).unwrap_or(Error::BadMessage).into());
                }
            }
        }
        let slices = self.list.lock().len() as u32;
        self.share.store(memory::free_frames() / slices, Ordering::Relaxed);
        Ok(())
    }

    fn add(&self) -> Result<u32, MapError> {
        let mut slices = self.list.lock();
        slices.try_reserve(1).map_err(|_| MapError::OutOfMemory)?;
        slices.push(Slice::default());
        Ok(slices.len() as u32 - 1)
    }

    /// Adds Table `index`, the next one, to a slice: empty, seen by the server at the slice's address.
    /// Returns the capability to derive the service's from.
    fn add_table(&self, slice: u32, index: u32) -> Result<CapName, MapError> {
        let whole = Slot::take().ok_or(MapError::OutOfSlots)?;
        let proxy = Slot::take().ok_or(MapError::OutOfSlots)?;
        let frames = memory::take(4, 4).ok_or(MapError::OutOfMemory)?;
        calls::make_table(frames.container, frames.first, whole.reference(), CapName::NONE)?;
        let rights = Rights::WRITE.or(Rights::SHARE);
        calls::derive(whole.name(), proxy.reference(), rights, range(0, ENTRIES), 2)?;
        calls::hook(whole.name(), CapName::NONE, self.address(slice) / BLOCK + index, Rights::WRITE)?;
        let name = proxy.name();
        let table = Table { whole, proxy };
        self.with(slice, |slice| {
            slice.tables.push(table);
            slice.filled = vec![false; slice.tables.len() * ENTRIES as usize];
        });
        Ok(name)
    }

    /// Puts a fresh frame into a page of a slice. A page that has one already is left alone.
    ///
    /// # Errors
    /// OutOfRange; [`MapError`]: OutOfMemory also if the slice has its share.
    pub fn fill(&self, slice: u32, page: u32) -> Result<(), MapError> {
        let share = self.share();
        self.with(slice, |slice| slice.fill(page, share)).unwrap_or(Err(Error::OutOfRange.into()))
    }

    /// Takes all frames out of a slice. Returns their number; `None`: it is being worked on, or there is none.
    pub fn release(&self, slice: u32) -> Option<u32> {
        self.with(slice, |slice| (!slice.busy).then(|| slice.release())).flatten()
    }

    /// Pages filled since the slice was made, and frames in it now.
    pub fn counts(&self, slice: u32) -> Option<[u32; 2]> {
        self.with(slice, |slice| [slice.fills, slice.held])
    }

    /// Ends the session that has a slice, whatever its client or its worker is doing. The service asks for
    /// the slice's release later. Not for the thread that answers FILL and RELEASE: the service may be waiting for
    /// that one, and each would wait for the other until the service gives up.
    ///
    /// # Errors
    /// Those of a call to the service.
    pub fn cancel(service: CapName, slice: u32) -> Result<(), Error> {
        calls::call(service, &Message::of(CANCEL, &[slice])).map(|_| ())
    }

    /// Begins to work on a request of `request` bytes, with room for a reply of `room` bytes: the pages for
    /// that, from the slice's first byte on or (`behind`) behind the request, are filled. `room` is what the
    /// reply takes; how much the client has room for is no measure of what the server should spend. Called by
    /// the thread that has received the COMPLETE. `None`: the request's pages are not all there, somebody works
    /// on it already, there is no memory for the reply, or the worker does not wait any more: then the slice may
    /// be another session's.
    pub fn work(&self, slice: u32, request: u32, room: u32, behind: bool) -> Option<Work<'_>> {
        let at = if behind { request.next_multiple_of(ALIGNMENT) } else { 0 };
        let end = request.max(at.checked_add(room)?);
        self.with(slice, |slice| {
            let filled = slice.filled.get(..request.div_ceil(FRAME) as usize)?;
            if slice.busy || !filled.iter().all(|&filled| filled) || slice.pages() < end.div_ceil(FRAME) {
                return None;
            }
            slice.busy = true;
            Some(())
        })??;
        let work = Work { slices: self, slice, request, at, room };
        // No release succeeds from here on. A worker that still waits tells that none has succeeded since its
        // message: the service ends a session's worker before it asks for the slice's release.
        if !calls::caller_waits() {
            return None;
        }
        let (share, mut pages) = (self.share(), at / FRAME..end.div_ceil(FRAME));
        self.with(slice, |slice| pages.try_for_each(|page| slice.fill(page, share)))?.ok()?;
        Some(work)
    }
}

/// What a reply behind its request is aligned to.
const ALIGNMENT: u32 = 16;

impl Slice {
    fn pages(&self) -> u32 {
        self.filled.len() as u32
    }

    fn fill(&mut self, page: u32, share: u32) -> Result<(), MapError> {
        match self.filled.get(page as usize) {
            None => return Err(Error::OutOfRange.into()),
            Some(true) => return Ok(()),
            Some(false) if self.held >= share => return Err(MapError::OutOfMemory),
            Some(false) => {}
        }
        self.frames.try_reserve(1).map_err(|_| MapError::OutOfMemory)?;
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
        self.held += 1;
        Ok(())
    }

    fn release(&mut self) -> u32 {
        for extent in self.frames.drain(..) {
            // Reclaiming takes the mapping away, and clears the frame. It is the server's own.
            let released = memory::release(extent);
            debug_assert!(released.is_ok(), "{released:?}");
        }
        self.filled.fill(false);
        core::mem::take(&mut self.held)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // The service's hook goes before the Table is named by nobody.
        let _ = calls::delete(self.proxy.reference());
    }
}

/// A slice that is being worked on: a request, and where its reply goes. The slice keeps its frames until
/// this is dropped.
pub struct Work<'a> {
    slices: &'a Slices,
    slice: u32,
    request: u32,
    at: u32,
    room: u32,
}

impl Work<'_> {
    /// The request, in the place where the reply goes as well: what is written over it is gone. As long as the
    /// longer one of them.
    pub fn in_place(&mut self) -> &mut [u8] {
        let bytes = self.request.max(self.at + self.room) as usize;
        // SAFETY: these pages are filled, and stay so while this lives, which is the only one for this slice.
        // The service, which the server trusts, touches them only before its COMPLETE and after the answer.
        unsafe { core::slice::from_raw_parts_mut(self.slices.address(self.slice) as *mut u8, bytes) }
    }

    /// The request, and the room for the reply behind it.
    ///
    /// # Panics
    /// If the reply was not to go behind the request.
    pub fn parts(&mut self) -> (&[u8], &mut [u8]) {
        assert!(self.at >= self.request, "the reply lies over the request");
        let (at, request) = (self.at as usize, self.request as usize);
        let (data, room) = self.in_place().split_at_mut(at);
        (&data[..request], room)
    }

    /// Where the reply begins in the slice: for the answer.
    pub fn offset(&self) -> u32 {
        self.at
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.slices.with(self.slice, |slice| slice.busy = false);
    }
}
