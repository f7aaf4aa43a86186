//! What does not fit, and what just fits.

use core::arch::asm;

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::pager::{self, Error, Mode, Refusal, Region, SPARE};

use crate::scene::{BY_THREAD, Paged, Scene, page};

const RESIDENT: u32 = 8;
const STORED: u32 = 5;

/// Writes page after page, and says on the board how many.
fn fill(pages: u32) {
    board::clear();
    for at in 0..pages {
        poke(page(at), 1000 + at);
        board::set(0, at + 1);
    }
}

/// So many pages can be written as there are frames and places; the thread that writes one more stands still there.
/// What was written is all there.
pub fn store_full(mode: Mode) {
    let scene = Scene::new(mode, RESIDENT, STORED, 0);
    let region = Region::new(page(0), 32).expect("a region");
    let writer = Paged::spawn(fill, 32);
    check!(writer.is_stopped());
    check_eq!(board::get(0), RESIDENT + STORED);
    let missing = page(RESIDENT + STORED);
    let refusal = pager::last_refusal();
    let eip = writer.info().eip;
    check_eq!(refusal, Some(Refusal { address: missing, eip, error: Error::StoreFull }));
    check_eq!(pager::touch(missing, 1), Err(Error::StoreFull));
    check_eq!(scene.statistics().written, STORED);
    // What is in the store can come back only if something else can go: nothing can, all frames are written to.
    let present = (0..RESIDENT + STORED).filter(|&at| pager::resident(page(at), 1)).count() as u32;
    check_eq!(present, RESIDENT);
    let absent =
        (0..RESIDENT + STORED).find(|&at| !pager::resident(page(at), 1)).expect("a page in the store");
    check_eq!(pager::touch(page(absent), 1), Err(Error::StoreFull));
    let right = |at: u32| peek(page(at)) == 1000 + at;
    check!((0..RESIDENT + STORED).filter(|&at| pager::resident(page(at), 1)).all(right));
    check_eq!(pager::evict(page(0), 32 * FRAME), 0, "no room for any");
    drop(writer);
    drop(region);
    // All places are free again.
    let region = Region::new(page(0), 32).expect("a region");
    let writer = Paged::spawn(fill, RESIDENT + STORED);
    check!(writer.ends());
    drop(region);
}

/// Pages that are to be present at the same time cannot be more than there are frames.
pub fn too_large() {
    let scene = Scene::new(BY_THREAD, RESIDENT, 32, 3);
    let region = Region::new(page(0), 32).expect("a region");
    check_eq!(pager::touch(page(0), RESIDENT * FRAME), Ok(()));
    check!(pager::resident(page(0), RESIDENT * FRAME));
    check_eq!(pager::touch(page(8), RESIDENT * FRAME), Ok(()));
    check!(pager::resident(page(8), RESIDENT * FRAME));
    check_eq!(pager::touch(page(0), RESIDENT * FRAME + 1), Err(Error::OutOfMemory));
    let guard = pager::pin(page(20), 3 * FRAME).expect("pinned");
    check_eq!(pager::touch(page(0), (RESIDENT - 3) * FRAME), Ok(()));
    check!(pager::resident(page(0), (RESIDENT - 3) * FRAME));
    check_eq!(pager::touch(page(0), (RESIDENT - 2) * FRAME), Err(Error::OutOfMemory));
    drop(guard);
    check_eq!(pager::touch(page(0), (RESIDENT - 2) * FRAME), Ok(()));
    check_eq!(scene.statistics().faults, 0);
    drop(region);
}

/// With as few frames as there can be, an instruction finds all pages that it needs at once.
pub fn fewest(mode: Mode) {
    /// Copies a word over the edge of a page to a place over the edge of another, both of them missing, with
    /// every number of frames that hold something else and in every position of the clock's hand.
    fn run(_: u32) {
        board::clear();
        let (from, to) = (page(1) - 2, page(5) - 2);
        for round in 0..60 {
            poke(page(1) - 4, round << 16);
            poke(page(1), !round & 0xFFFF);
            pager::evict(page(0), 16 * FRAME);
            (8..8 + round % 6).for_each(|at| poke(page(at), round));
            let missing = [0, 1, 4, 5].into_iter().filter(|&at| !pager::resident(page(at), 1)).count();
            check_eq!(missing, 4);
            let before = pager::statistics().expect("a pager").faults;
            // SAFETY: pages of the region, to which nobody holds references; ESI is as it was.
            unsafe {
                asm!("xchg esi, eax", "movsd", "xchg esi, eax", inout("eax") from => _, inout("edi") to => _);
            }
            board::add(0, pager::statistics().expect("a pager").faults - before);
            check_eq!((peek(page(5) - 4) >> 16, peek(page(5)) & 0xFFFF), (round, !round & 0xFFFF));
        }
    }
    let scene = Scene::new(mode, SPARE, 16, 0);
    let region = Region::new(page(0), 16).expect("a region");
    let thread = Paged::spawn(run, 0);
    check!(thread.ends(), "it faults for ever: {:?}", scene.statistics());
    check!(board::get(0) >= 4 * 60, "{} faults", board::get(0));
    drop(thread);
    drop(region);
}
