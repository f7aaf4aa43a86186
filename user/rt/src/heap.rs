//! The heap: the allocator `talc`, over pages of the program's own memory.
//!
//! What must hold: the heap is one range of addresses from [`HEAP`] on that only grows, and only here.

use core::alloc::Layout;
use core::ptr::NonNull;

use freehold_abi::layout::FRAME;
use talc::base::Talc;
use talc::base::binning::Binning;
use talc::source::Source;
use talc::{TalcLock, min_first_heap_layout};

use crate::layout::{HEAP, HEAP_END};
use crate::lock::RawSleepLock;
use crate::memory;

/// Pages that the heap grows by, if the program has them.
const STEP: u32 = 8;

/// Where the heap's memory comes from.
#[derive(Debug)]
struct OwnPages {
    /// Address of the page behind the heap.
    end: u32,
    /// Memory ran out in the middle of growing: the heap stays as it is.
    exhausted: bool,
    /// What `talc` takes for the heap's end, once there is a heap.
    claimed: Option<NonNull<u8>>,
}

// SAFETY: the pointer is to the heap, which all threads of the program share, under the lock.
unsafe impl Send for OwnPages {}

// SAFETY: nothing that `memory` does allocates from the heap.
unsafe impl Source for OwnPages {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        // Alignment, and the allocator's own words: its lists in the first page, a tag in each chunk.
        let overhead = if talc.source.claimed.is_none() { min_first_heap_layout::<B>().size() } else { 0 };
        let bytes = layout.size().checked_add(layout.align() + overhead + 64).ok_or(())?;
        let needed = u32::try_from(bytes.div_ceil(FRAME as usize)).map_err(|_| ())?;
        let start = talc.source.end;
        if talc.source.exhausted || needed > (HEAP_END - start) / FRAME {
            return Err(());
        }
        let wanted = needed.next_multiple_of(STEP).min((HEAP_END - start) / FRAME);
        // With less memory than the step takes, what is needed may still be there.
        let pages = if memory::free_frames() < wanted + STEP { needed } else { wanted };
        // Pages that were mapped before it failed cannot be told from those that were not.
        memory::map_new(start, pages).map_err(|_| talc.source.exhausted = true)?;
        let end = start + pages * FRAME;
        talc.source.end = end;
        // SAFETY: the pages were just mapped, behind those that the heap has, and are nobody else's.
        talc.source.claimed = unsafe {
            match talc.source.claimed {
                None => talc.claim(start as *mut u8, (end - start) as usize),
                Some(before) => Some(talc.extend(before, end as *mut u8)),
            }
        };
        if talc.source.claimed.is_some() { Ok(()) } else { Err(()) }
    }
}

#[global_allocator]
static ALLOCATOR: TalcLock<RawSleepLock, OwnPages> =
    TalcLock::new(OwnPages { end: HEAP, exhausted: false, claimed: None });

/// Bytes of the heap, used or not.
pub fn size() -> u32 {
    ALLOCATOR.lock().source.end - HEAP
}
