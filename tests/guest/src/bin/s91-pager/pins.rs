//! Pins: counted, bounded, and kept.

use freehold_abi::layout::FRAME;
use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::update::UPDATES_AT;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::pager::{self, Error, Mode, PinError, Region};
use freehold_rt::thread::Options;

use crate::scene::{BY_THREAD, PRIORITY, Paged, Scene, page};

/// A page stays pinned until its last guard is dropped, and pinning what is present maps and unmaps nothing.
pub fn counted() {
    let scene = Scene::new(BY_THREAD, 10, 20, 4);
    let region = Region::new(page(0), 16).expect("a region");
    let pinned = || scene.statistics().pinned;
    let first = pager::pin(page(2) + 7, 1).expect("pinned");
    let second = pager::pin(page(1) + FRAME - 1, 2).expect("pinned");
    check_eq!(pinned(), 2);
    let third = pager::pin(page(2), FRAME).expect("pinned");
    check_eq!(pinned(), 2);
    check!(pager::resident(page(1), 2 * FRAME));
    check_eq!(pager::evict(page(0), 16 * FRAME), 0);
    drop(first);
    drop(third);
    check_eq!((pinned(), pager::evict(page(0), 16 * FRAME)), (2, 0));
    drop(second);
    check_eq!((pinned(), pager::evict(page(0), 16 * FRAME)), (0, 2));
    check_eq!(scene.statistics().pinned_most, 2);
    // No bytes are no page.
    let none = pager::pin(page(5), 0).expect("pinned");
    check_eq!(pinned(), 0);
    drop(none);
    // An update would leave its words in the message registers.
    check_eq!(pager::touch(page(4), 4 * FRAME), Ok(()));
    let before = scene.statistics();
    let utcb = Utcb::current();
    (0..4).for_each(|word| utcb.set(MESSAGE + UPDATES_AT + word, 0xCA11));
    for _ in 0..100 {
        let guard = pager::pin(page(4), 4 * FRAME).expect("pinned");
        drop(guard);
    }
    check!((0..4).all(|word| utcb.get(MESSAGE + UPDATES_AT + word) == 0xCA11));
    let after = scene.statistics();
    check_eq!(
        (after.brought, after.evictions, after.spared),
        (before.brought, before.evictions, before.spared)
    );
    drop(region);
}

pub fn bounded() {
    let scene = Scene::new(BY_THREAD, 10, 20, 4);
    let region = Region::new(page(0), 16).expect("a region");
    let pin = |at: u32, pages: u32| pager::pin(page(at), pages * FRAME);
    check_eq!(pin(0, 5).err(), Some(PinError::Bound));
    let three = pin(0, 3).expect("pinned");
    check_eq!(pin(3, 2).err(), Some(PinError::Bound));
    check_eq!(pin(2, 3).err(), Some(PinError::Bound), "one of them is pinned, two are not");
    let fourth = pin(2, 2).expect("one of them is pinned, one is not");
    check_eq!(pin(4, 1).err(), Some(PinError::Bound));
    let again = pin(0, 4).expect("all of them are pinned");
    drop(three);
    check_eq!(pin(4, 1).err(), Some(PinError::Bound));
    drop(again);
    check_eq!(scene.statistics().pinned, 2);
    let others = pin(8, 2).expect("pinned");
    check_eq!(pin(4, 1).err(), Some(PinError::Bound));
    check_eq!(scene.statistics().pinned_most, 4);
    drop((fourth, others));
    check_eq!(scene.statistics().pinned, 0);
    drop(region);
    drop(scene);
    // With a bound of nothing, nothing can be pinned.
    let scene = Scene::new(BY_THREAD, 4, 0, 0);
    let region = Region::new(page(0), 2).expect("a region");
    check_eq!(pin(0, 1).err(), Some(PinError::Bound));
    check_eq!(scene.statistics().pinned_most, 0);
    drop(region);
}

pub fn failed() {
    let scene = Scene::new(BY_THREAD, 8, 0, 4);
    let region = Region::new(page(0), 16).expect("a region");
    for (at, bytes) in [(15, 2 * FRAME), (16, 1), (0, 16 * FRAME + 1), (0, u32::MAX)] {
        check_eq!(pager::pin(page(at), bytes).err(), Some(PinError::Pager(Error::NotMine)), "{at}");
    }
    // All frames but two are written to, and the store has no place: the third page cannot come.
    for at in 0..6 {
        check_eq!(pager::touch(page(at), 1), Ok(()));
        poke(page(at), at);
    }
    let failed = pager::pin(page(8), 3 * FRAME).err();
    check_eq!(failed, Some(PinError::Pager(Error::StoreFull)));
    check_eq!(scene.statistics().pinned, 0);
    check_eq!(pager::evict(page(8), 3 * FRAME), 2, "those that came are not pinned");
    let guard = pager::pin(page(8), 2 * FRAME).expect("pinned");
    check!((0..6).all(|at| pager::resident(page(at), 1) && peek(page(at)) == at));
    drop(guard);
    drop(region);
}

/// A guard that outlives its region does nothing to another one, or to another pager.
pub fn orphan() {
    let scene = Scene::new(BY_THREAD, 8, 8, 2);
    let region = Region::new(page(0), 4).expect("a region");
    let orphan = pager::pin(page(0), 2 * FRAME).expect("pinned");
    let [late, later, latest] = [(); 3].map(|()| pager::pin(page(0), FRAME).expect("pinned"));
    drop(region);
    check_eq!(scene.statistics().pinned, 0);
    let region = Region::new(page(0), 4).expect("a region");
    let guard = pager::pin(page(0), 2 * FRAME).expect("pinned");
    drop(orphan);
    check_eq!((scene.statistics().pinned, pager::evict(page(0), 4 * FRAME)), (2, 0));
    drop(guard);
    drop(region);
    drop(scene);
    drop(late);
    // Another pager's first region lies where the first one's did.
    let scene = Scene::new(BY_THREAD, 8, 8, 2);
    check_eq!(scene.statistics().pinned, 0);
    let region = Region::new(page(0), 4).expect("a region");
    let guard = pager::pin(page(0), FRAME).expect("pinned");
    drop(later);
    check_eq!((scene.statistics().pinned, pager::evict(page(0), 4 * FRAME)), (1, 0));
    drop(guard);
    // The page is there, and nobody's guard is on it.
    check!(pager::resident(page(0), FRAME));
    drop(latest);
    check_eq!((scene.statistics().pinned, pager::evict(page(0), 4 * FRAME)), (0, 1));
    drop(region);
}

/// Board words.
const STOP: usize = 0;
const LOOKS: usize = 1;
const WRONG: usize = 2;

/// Reads the pinned pages, `times` in a row at every tick. It has no pager: a fault would stop it.
fn look(times: u32) {
    while board::get(STOP) == 0 {
        for _ in 0..times {
            let right = (0..4).all(|at| peek(page(at)) == 0xF1 + at);
            board::add(WRONG, u32::from(!right));
            board::add(LOOKS, 1);
        }
        freehold_rt::time::sleep(1);
    }
}

/// Four pages are pinned; the other frames are fought for.
pub fn pressure(mode: Mode) {
    board::clear();
    let scene = Scene::new(mode, 9, 64, 4);
    let region = Region::new(page(0), 64).expect("a region");
    let guard = pager::pin(page(0), 4 * FRAME).expect("pinned");
    (0..4).for_each(|at| poke(page(at), 0xF1 + at));
    // One that takes its turn, and one that comes between any two steps of the pager.
    let beside = Paged::with(Options::new(PRIORITY), look, 100);
    let above = Paged::with(Options::new(25), look, 1);
    let walker = Paged::spawn(
        |seed| {
            let mut random = Random::new(seed);
            for step in 0..8000 {
                poke(page(4 + random.below(60)), step);
            }
        },
        77,
    );
    check!(walker.ends());
    board::set(STOP, 1);
    check!(beside.ends() && above.ends(), "{:?} {:?}", beside.info(), above.info());
    check_eq!(board::get(WRONG), 0);
    check!(board::get(LOOKS) > 100, "{} looks", board::get(LOOKS));
    check!(scene.statistics().evictions > 5000);
    drop(guard);
    drop(region);
}
