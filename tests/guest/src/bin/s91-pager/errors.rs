//! What the library refuses, and that nothing is left of it.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::layout::{OWN, OWN_END};
use freehold_rt::pager::{self, Config, Error, Mode, PinError, Region};
use freehold_rt::{CapName, Rights, memory};

use crate::scene::{BY_THREAD, Scene, page};

const SMALL: Config = Config { resident: 8, stored: 8, pinned: 2 };

pub fn service() {
    let nothing = |error: Option<Error>| check_eq!(error, Some(Error::NotStarted));
    nothing(pager::stop().err());
    nothing(pager::touch(page(0), 1).err());
    nothing(pager::adopt_current().err());
    nothing(pager::statistics().err());
    nothing(Region::new(page(0), 1).err());
    check_eq!(pager::pin(page(0), 1).err(), Some(PinError::Pager(Error::NotStarted)));
    check_eq!((pager::name(), pager::last_refusal()), (CapName::NONE, None));
    check_eq!(pager::evict(page(0), 1), 0);
    for mode in [BY_THREAD, Mode::Upcall] {
        check_eq!(pager::start(SMALL, mode), Ok(()));
        check!(pager::name() != CapName::NONE);
        check_eq!(pager::start(SMALL, mode), Err(Error::Started));
        let region = Region::new(page(0), 1).expect("a region");
        check_eq!(pager::stop(), Err(Error::InUse));
        check_eq!(pager::touch(page(0), 1), Ok(()));
        drop(region);
        check_eq!(pager::stop(), Ok(()));
        check_eq!(pager::stop(), Err(Error::NotStarted));
    }
}

pub fn configurations() {
    let config = |resident, stored, pinned| Config { resident, stored, pinned };
    for bad in [
        config(0, 0, 0),
        config(3, 0, 0),
        config(8, 0, 5),
        config(8, 0, u32::MAX),
        config(u32::MAX, 1, 0),
        config(8, u32::MAX, 0),
        config(1 << 15, 1 << 15, 0),
    ] {
        check_eq!(pager::start(bad, Mode::Upcall), Err(Error::BadConfig), "{bad:?}");
    }
    // More than there is: what was taken comes back. (At most what can be mapped with the Tables that are there.)
    let all = memory::take_up_to(1024, 1);
    let kept: alloc::vec::Vec<_> =
        all.into_iter().chain(core::iter::from_fn(|| memory::take_up_to(1024, 1))).collect();
    check_eq!(memory::free_frames(), 0);
    check_eq!(pager::start(SMALL, Mode::Upcall), Err(Error::OutOfMemory));
    let (few, rest) = kept[0].split(12);
    memory::give_back(few);
    check_eq!(pager::start(SMALL, Mode::Upcall), Err(Error::OutOfMemory), "the store has no memory");
    check_eq!(memory::free_frames(), 12);
    check_eq!(pager::start(config(8, 4, 0), BY_THREAD), Err(Error::OutOfMemory), "the thread has no memory");
    check_eq!(memory::free_frames(), 12);
    memory::give_back(rest);
    kept[1..].iter().for_each(|&extent| memory::give_back(extent));
    let refused = pager::start(SMALL, Mode::Thread { priority: 32 });
    check_eq!(refused, Err(Error::Kernel(freehold_rt::Error::OutOfRange)));
}

pub fn regions() {
    let scene = Scene::new(BY_THREAD, 8, 8, 2);
    for (address, pages) in [
        (page(0) + 1, 1),
        (page(0), 0),
        (0, 1),
        (OWN - FRAME, 1),
        (OWN - FRAME, 2),
        (OWN_END - FRAME, 2),
        (OWN_END, 1),
        (page(0), u32::MAX),
        (page(0), 1 << 20),
        (0xC000_0000, 1),
    ] {
        check_eq!(Region::new(address, pages).err(), Some(Error::BadRegion), "{address:#x} {pages}");
    }
    let region = Region::new(page(10), 10).expect("a region");
    check_eq!((region.address(), region.pages()), (page(10), 10));
    for (at, pages) in [(10, 10), (12, 3), (5, 6), (19, 1), (0, 100)] {
        check_eq!(Region::new(page(at), pages).err(), Some(Error::Overlap), "{at} {pages}");
    }
    let beside = (Region::new(page(5), 5).expect("a region"), Region::new(page(20), 1).expect("a region"));
    drop(beside);
    // Where something else is mapped.
    let frame = memory::take(1, 1).expect("a frame");
    check_eq!(memory::map(frame, page(33), Rights::WRITE), Ok(()));
    for (at, pages) in [(33, 1), (30, 4), (30, 10)] {
        check_eq!(Region::new(page(at), pages).err(), Some(Error::Overlap), "{at} {pages}");
    }
    check!(pager::resident(page(33), FRAME), "it is still there");
    check_eq!(memory::release(frame), Ok(()));
    // As many as there can be.
    let many: alloc::vec::Vec<_> = (0..63).map_while(|at| Region::new(page(100 + at), 1).ok()).collect();
    check_eq!(many.len(), 63);
    check_eq!(Region::new(page(300), 1).err(), Some(Error::TooManyRegions));
    check_eq!(pager::touch(page(162), 1), Ok(()));
    drop(many);
    drop(region);
    drop(scene);
}

pub fn ranges() {
    let scene = Scene::new(BY_THREAD, 8, 8, 4);
    // Over the edge of a Table.
    let (first, second) =
        (Region::new(page(508), 8).expect("a region"), Region::new(page(516), 4).expect("a region"));
    for (address, bytes) in [
        (page(507), 1),
        (page(508) - 1, 2),
        (page(515), FRAME + 1),
        (page(520), 1),
        (page(519), 2 * FRAME),
        (page(508), u32::MAX),
        (u32::MAX, 2),
        (0, 1),
    ] {
        check_eq!(pager::touch(address, bytes), Err(Error::NotMine), "{address:#x} {bytes:#x}");
        check_eq!(pager::evict(address, bytes), 0);
    }
    check_eq!(pager::touch(page(510), 4 * FRAME), Ok(()));
    check!(pager::resident(page(510), 4 * FRAME));
    check!(!pager::resident(page(509) + FRAME - 1, 2) && !pager::resident(page(513), FRAME + 1));
    check!(pager::resident(page(509), 0), "nothing is always there");
    check!(!pager::resident(u32::MAX, 2), "it wraps");
    // What is far from all regions is not the pager's to take.
    check!(pager::resident(freehold_rt::layout::HEAP, 1 << 20));
    check_eq!(pager::evict(page(508), 8 * FRAME), 4);
    check!(!pager::resident(page(510), 1));
    check_eq!(scene.statistics().written, 0);
    drop((first, second));
}
