//! The program's own memory: free frames taken and given back, pages mapped, Tables made when they
//! are needed.
//!
//! What must hold: only what the books list as free is used; whatever is given back is reclaimed
//! first, so that it is clear and nothing hangs on it. Nothing here allocates from the heap, which
//! grows by calling this.

use freehold_abi::info::BootInfo;
use freehold_abi::info::start::BLOCKS;
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_abi::update::Update;
use freehold_abi::{CapName, Error, Rights, SlotRef};

use crate::calls::{self, Stop};
use crate::layout::{BOOKS, BOOKS_BYTES};
use crate::lock::Mutex;
use crate::roots::{Extent, Region, Roots};
use crate::slots;
use crate::start_page::Memory;

/// Total of mappings that nothing will be derived from.
const LEAF: u32 = 0;
/// Frames of a Table.
const TABLE_FRAMES: u32 = 4;

static ROOTS: Mutex<Option<Roots<'static>>> = Mutex::new(None);

/// Why memory was not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// The program has no free frames (or no four in a row, for a Table) left.
    OutOfMemory,
    /// It has no slot left for a Table's capability.
    OutOfSlots,
    /// The kernel refused.
    Kernel(Error),
}

impl From<Error> for MapError {
    fn from(error: Error) -> MapError {
        MapError::Kernel(error)
    }
}

/// Opens the books over what the first program finds free: the kernel lists roots without descendants,
/// whose frames are clear.
pub(crate) fn init_first(boot: &BootInfo) -> Result<(), MapError> {
    let ranges = || boot.free.iter().take(boot.free_count as usize);
    let per_block = |block: u32| {
        ranges().filter_map(move |range| {
            let (start, end) = (block * BLOCK, block * BLOCK + (BLOCK - 1));
            let (from, to) = (range.start.max(start), (range.end.wrapping_sub(1)).min(end));
            (range.start < range.end && from <= to).then(|| Extent {
                container: CapName(BLOCKS.0 + block),
                first: from / FRAME % ENTRIES,
                count: (to - from) / FRAME + 1,
            })
        })
    };
    let used_blocks = || (0..boot.blocks).filter(|&block| per_block(block).next().is_some());
    let containers = used_blocks().map(|block| CapName(BLOCKS.0 + block));
    open(containers, used_blocks().flat_map(per_block))
}

/// Opens the books over what a program was given.
pub(crate) fn init_given(memory: &[Memory]) -> Result<(), MapError> {
    let extents =
        memory.iter().map(|memory| Extent { container: memory.container, first: 0, count: memory.count });
    open(memory.iter().map(|memory| memory.container), extents)
}

/// Maps frames for the books, the first of the free ones, and enters all others.
fn open(
    containers: impl Iterator<Item = CapName> + Clone,
    extents: impl Iterator<Item = Extent> + Clone,
) -> Result<(), MapError> {
    let regions = containers.clone().count();
    let bytes = (regions * size_of::<Region>()) as u32;
    if regions == 0 || bytes > BOOKS_BYTES {
        return if regions == 0 { Ok(()) } else { Err(MapError::OutOfMemory) };
    }
    let wanted = bytes.div_ceil(FRAME);
    let mut mapped = 0;
    let mut free = extents.clone();
    while mapped < wanted {
        let extent = free.next().ok_or(MapError::OutOfMemory)?;
        let (part, _) = extent.split(extent.count.min(wanted - mapped));
        let update = own_update(part, BOOKS + mapped * FRAME, Rights::WRITE);
        calls::update(&[update]).map_err(|stop| stop.error)?;
        mapped += part.count;
    }
    let books = BOOKS as *mut Region;
    for (index, container) in containers.enumerate() {
        // SAFETY: the pages were just mapped for this, are writable and hold `regions` elements.
        unsafe { books.add(index).write(Region::new(container)) };
    }
    // SAFETY: as above; this runs once, so this is the only reference.
    let regions = unsafe { core::slice::from_raw_parts_mut(books, regions) };
    let mut roots = Roots::new(regions);
    let mut used = wanted;
    for extent in extents {
        let skip = used.min(extent.count);
        used -= skip;
        let (_, rest) = extent.split(skip);
        if rest.count != 0 {
            roots.give(rest);
        }
    }
    *ROOTS.lock() = Some(roots);
    Ok(())
}

fn with_roots<R>(work: impl FnOnce(&mut Roots<'static>) -> Option<R>) -> Option<R> {
    ROOTS.lock().as_mut().and_then(work)
}

/// Free frames.
pub fn free_frames() -> u32 {
    with_roots(|roots| Some(roots.free())).unwrap_or(0)
}

/// Takes `count` frames in a row (at most 1,024), the first one's number divisible by `align`, out of the
/// books.
pub fn take(count: u32, align: u32) -> Option<Extent> {
    with_roots(|roots| roots.take(count, align))
}

/// Takes as many frames in a row as there are, at most `count`.
pub fn take_up_to(count: u32, align: u32) -> Option<Extent> {
    with_roots(|roots| roots.take_up_to(count, align))
}

/// Enters frames as free that have not been used since they were taken.
pub fn give_back(extent: Extent) {
    with_roots(|roots| {
        roots.give(extent);
        Some(())
    });
}

/// Reclaims frames, whatever became of them: objects end, mappings go, contents are cleared. Then
/// enters them as free.
///
/// # Errors
/// A [`Stop`], and then what was not reclaimed stays out of the books.
pub fn release(extent: Extent) -> Result<(), Stop> {
    let result = calls::reclaim(extent.container, extent.first, extent.count);
    let done = result.map_or_else(|stop| stop.done, |()| extent.count);
    if done != 0 {
        give_back(extent.split(done).0);
    }
    result
}

/// Maps frames at `address` (a multiple of 4,096) in the own space, making Tables as needed. On an error,
/// what was mapped stays.
///
/// # Errors
/// [`MapError`]: Occupied, NoCredits and the like from the kernel.
pub fn map(extent: Extent, address: u32, rights: Rights) -> Result<(), MapError> {
    let mut done = 0;
    while done < extent.count {
        let (_, rest) = extent.split(done);
        let at = address + done * FRAME;
        match calls::update(&[own_update(rest, at, rights)]) {
            Ok(()) => return Ok(()),
            Err(Stop { error: Error::NoTable, done: more }) => {
                grow((at + more * FRAME) / BLOCK)?;
                done += more;
            }
            Err(stop) => return Err(stop.error.into()),
        }
    }
    Ok(())
}

/// Maps `pages` fresh, clear frames at `address`, writable, making Tables as needed.
///
/// # Errors
/// [`MapError`]. The pages before the one that could not be had are mapped then, and their frames, and at
/// most as many behind them, stay out of the books.
pub fn map_new(address: u32, pages: u32) -> Result<(), MapError> {
    let mut done = 0;
    while done < pages {
        let extent = take_up_to((pages - done).min(ENTRIES), 1).ok_or(MapError::OutOfMemory)?;
        map(extent, address + done * FRAME, Rights::WRITE)?;
        done += extent.count;
    }
    Ok(())
}

/// Takes `pages` pages at `address` out of the own space. Their frames stay out of the books.
///
/// # Errors
/// A [`Stop`].
pub fn unmap(address: u32, pages: u32) -> Result<(), Stop> {
    calls::unmap(CapName::NONE, address / FRAME, pages)
}

/// Donates a Table to the own space and hooks it at directory entry `index`, so that the 4 MiB there can
/// be mapped. Returns the capability to the Table.
///
/// # Errors
/// [`MapError`]: AreaFull if the space has as many Tables as its area has room for.
pub fn grow(index: u32) -> Result<CapName, MapError> {
    let frames = take(TABLE_FRAMES, TABLE_FRAMES).ok_or(MapError::OutOfMemory)?;
    let slot = slots::take().ok_or(MapError::OutOfSlots);
    let result = slot.and_then(|slot| {
        let own = freehold_abi::info::start::SPACE;
        calls::make_table(frames.container, frames.first, SlotRef::own(slot), own)
            .and_then(|()| calls::hook(slot, CapName::NONE, index, Rights::WRITE))
            .map_err(|error| {
                slots::give_back(slot);
                MapError::Kernel(error)
            })?;
        Ok(slot)
    });
    if result.is_err() {
        // The Table, if it was made, is data again; a failure here only keeps the frames out of use.
        let _ = release(frames);
    }
    result
}

/// The update that maps an extent at an address of the own space.
fn own_update(extent: Extent, address: u32, rights: Rights) -> Update {
    Update {
        source: extent.container,
        first: extent.first,
        count: extent.count,
        destination: CapName::NONE,
        page: address / FRAME,
        rights,
        total_code: LEAF,
    }
}
