//! What goes into the store, and who is evicted.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::pager::{self, Region};
use freehold_rt::{CapName, calls};

use crate::scene::{BY_THREAD, Paged, Scene, page};

/// A frame that held something else shows nothing of it, nor does a region that comes to the same addresses.
pub fn zero() {
    let scene = Scene::new(BY_THREAD, 8, 40, 0);
    for round in 0..3 {
        let region = Region::new(page(0), 40).expect("a region");
        let reader = Paged::spawn(
            |round| {
                let clear = |at: u32| (0..FRAME / 4).all(|word| peek(page(at) + 4 * word) == 0);
                check_eq!((0..40).filter(|&at| clear(at)).count(), 40, "round {round}");
                (0..40).for_each(|at| {
                    (0..FRAME / 4).for_each(|word| poke(page(at) + 4 * word, 0xD1E7_0000 | round))
                });
            },
            round,
        );
        check!(reader.ends());
        drop(region);
    }
    check!(scene.statistics().written >= 3 * 32);
}

/// Pages that nobody wrote need no store at all; pages that are as the store has them are not written again.
pub fn clean() {
    let scene = Scene::new(BY_THREAD, 8, 1, 0);
    let region = Region::new(page(0), 64).expect("a region");
    let reader = Paged::spawn(
        |_| {
            let sum = (0..256).fold(0, |sum, step| sum + peek(page(step % 64)));
            check_eq!(sum, 0);
        },
        0,
    );
    check!(reader.ends());
    let read = scene.statistics();
    check!(read.evictions >= 200, "{read:?}");
    check_eq!((read.written, read.read), (0, 0));
    // The first thread, which is not paged, uses what it has made present.
    let there = || check_eq!(pager::touch(page(3), 1), Ok(()));
    let away = || {
        check_eq!(pager::evict(page(3), FRAME), 1);
        check!(!pager::resident(page(3), 1));
        scene.statistics().written
    };
    pager::evict(page(0), 64 * FRAME);
    there();
    poke(page(3), 77);
    check_eq!(away(), 1, "written");
    there();
    check_eq!(peek(page(3)), 77);
    check_eq!(away(), 1, "read");
    there();
    poke(page(3) + 8, 78);
    check_eq!(away(), 2, "written again");
    there();
    check_eq!((peek(page(3)), peek(page(3) + 8)), (77, 78));
    check_eq!(away(), 2);
    check_eq!(scene.statistics().read, 3);
    check_eq!(pager::evict(page(3), FRAME), 0, "it is away already");
    drop(region);
}

/// Two pages that are used all the time are evicted far less often than in their turn: with 10 frames, and a page
/// brought in at each step, that would be every tenth step.
pub fn second_chance() {
    const STEPS: u32 = 600;
    let scene = Scene::new(BY_THREAD, 10, 64, 0);
    let region = Region::new(page(0), 64).expect("a region");
    for step in 0..STEPS {
        for at in [0, 1, 2 + step % 62] {
            check_eq!(pager::touch(page(at), 1), Ok(()));
            poke(page(at), step);
        }
    }
    let statistics = scene.statistics();
    // Each of the others comes once a round, having gone long before.
    let again = statistics.brought - STEPS;
    check!((2..2 * STEPS / 10 / 3).contains(&again), "{again} times");
    check!(statistics.spared > STEPS);
    drop(region);
}

/// A page that the program unmaps by itself is still the pager's, with what was written to it.
pub fn behind() {
    let scene = Scene::new(BY_THREAD, 8, 8, 0);
    let region = Region::new(page(0), 8).expect("a region");
    check_eq!(pager::touch(page(3), 1), Ok(()));
    poke(page(3), 5);
    check_eq!(calls::unmap(CapName::NONE, page(3) / FRAME, 1), Ok(()));
    check!(!pager::resident(page(3), 1));
    check_eq!(pager::touch(page(2), 3 * FRAME), Ok(()));
    check_eq!((peek(page(3)), scene.statistics().brought), (5, 3));
    check_eq!(pager::evict(page(0), 8 * FRAME), 3);
    check_eq!(scene.statistics().written, 1, "nobody knows what was written before");
    check_eq!(pager::touch(page(3), 1), Ok(()));
    check_eq!(peek(page(3)), 5);
    drop(region);
}
