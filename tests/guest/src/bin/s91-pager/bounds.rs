//! What does not fit.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::pager::{self, Error, Mode, Refusal, Region};

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
    check_eq!(pager::touch(missing, 1, true), Err(Error::StoreFull));
    check_eq!(scene.statistics().written, STORED);
    // What is in the store can come back only if something else can go: nothing can, all frames are written to.
    let present = (0..RESIDENT + STORED).filter(|&at| pager::resident(page(at), 1)).count() as u32;
    check_eq!(present, RESIDENT);
    let absent =
        (0..RESIDENT + STORED).find(|&at| !pager::resident(page(at), 1)).expect("a page in the store");
    check_eq!(pager::touch(page(absent), 1, false), Err(Error::StoreFull));
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
    check_eq!(pager::touch(page(0), RESIDENT * FRAME, true), Ok(()));
    check!(pager::resident(page(0), RESIDENT * FRAME));
    check_eq!(pager::touch(page(8), RESIDENT * FRAME, true), Ok(()));
    check!(pager::resident(page(8), RESIDENT * FRAME));
    check_eq!(pager::touch(page(0), RESIDENT * FRAME + 1, true), Err(Error::OutOfMemory));
    let guard = pager::pin(page(20), 3 * FRAME, true).expect("pinned");
    check_eq!(pager::touch(page(0), (RESIDENT - 3) * FRAME, true), Ok(()));
    check!(pager::resident(page(0), (RESIDENT - 3) * FRAME));
    check_eq!(pager::touch(page(0), (RESIDENT - 2) * FRAME, true), Err(Error::OutOfMemory));
    drop(guard);
    check_eq!(pager::touch(page(0), (RESIDENT - 2) * FRAME, true), Ok(()));
    check_eq!(scene.statistics().faults, 0);
    drop(region);
}
