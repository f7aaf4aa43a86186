//! Where the pool's part of a space meets the part that stands on Tables, and frames that are given.

use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{Stop, ThreadPlace, range};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, calls};

use crate::gift::{AT, Gift, own};
use crate::party::{THERE, at, page, parties};

/// Every error of Give.
pub fn gifts() {
    let gift = Gift::new(2);
    let frames = Frames::take(3, 1);
    let (container, first) = (frames.container(), frames.at(0));
    let give = |range, space, address| calls::give(container, range, space, address, Rights::WRITE);
    let none = CapName::NONE;
    check_eq!(calls::give(none, range(0, 1), none, AT, Rights::WRITE), Err(Error::NoCapability));
    check_eq!(calls::give(pages::table(), range(0, 1), none, AT, Rights::WRITE), Err(Error::NotRoots));
    check_eq!(give(range(1023, 2), none, AT), Err(Error::OutOfRange));
    check_eq!(give(range(first, 1), container, AT), Err(Error::WrongKind), "no space");
    check_eq!(give(range(first, 1), none, 0xC000_0000), Err(Error::BadAddress));
    check_eq!(give(range(first, 2), none, 0xBFFF_F000), Err(Error::BadAddress), "the second page");
    check_eq!(give(range(first, 1), none, own(1)), Err(Error::Occupied));
    check_eq!(give(range(first, 1), none, pages::AT), Err(Error::Occupied), "a Table is hooked there");
    check_eq!(give(range(first, 1), none, 0xBFC0_0000), Err(Error::Occupied), "the page-table area");
    check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, 0), Ok(()));
    check_eq!(give(range(first, 1), none, own(8)), Err(Error::HasDescendants));
    check_eq!(calls::unmap(none, pages::AT / FRAME, 3), Ok(()));
    check_eq!(give(range(first, 1), none, own(2)), Ok(()));
    check_eq!(give(range(first, 3), none, own(3)), Err(Error::NotData), "it is given already");
    // The first of them that cannot be given ends it; those before are given.
    check_eq!(give(range(first + 1, 2), none, own(3)), Ok(()));
    poke(own(4), 9);
    check_eq!(peek(own(4)), 9);
    drop((frames, gift));
}

/// Nobody but the first program gives, also of roots that were lent to it.
pub fn foreign_gifts() {
    const LENT: CapName = CapName(40);
    fn gives(_: u32) {
        let given = calls::give(LENT, range(0, 1), CapName::NONE, THERE, Rights::WRITE);
        board::set(0, given.map_or_else(|error| error as u32, |()| 0));
        let made = calls::make_cap_node(LENT, 0, CapName::NONE, 7);
        board::set(1, made.map_or_else(|error| error as u32, |()| 0));
    }
    board::clear();
    let (frames, home) = (Frames::take(1, 1), Home::new());
    let part = range(frames.at(0), 1);
    let lent = calls::lend(frames.container(), home.slot(LENT), Rights::ALL, part, calls::Lend::LARGEST, 0);
    check_eq!(lent, Ok(()));
    let giver = Worker::spawn(&home, ABOVE, gives, 0);
    check!(giver.ends());
    check_eq!(board::get(0), Error::NoRight as u32);
    check_eq!(board::get(1), 0, "they are its own to use otherwise");
    check_eq!(calls::account(home.space()).map(|account| account.bytes), Ok(0));
    drop((giver, home, frames));
}

/// A frame that is given is no data: nothing is made of it or derived from it until it is reclaimed, and then it is clear.
pub fn donated() {
    let gift = Gift::new(4);
    let (container, first) = (gift.frames.container(), gift.frames.at(0));
    let slot = Slot::take().expect("a slot");
    let space = CapName::NONE;
    check_eq!(calls::make_cap_node(container, first, space, 31), Err(Error::NotData));
    let update = pages::update((container, first), 1, space, pages::AT / FRAME, Rights::NONE, 0);
    check_eq!(calls::update(&[update]).map_err(|stop| stop.error), Err(Error::EmptySource));
    let lent = calls::derive(container, slot.reference(), Rights::ALL, range(first, 1), 5);
    check_eq!(lent, Err(Error::HasDescendants));
    poke(own(0), 0xABCD);
    check_eq!(calls::reclaim(container, first, 1), Ok(()));
    check_eq!(calls::update(&[update]), Ok(()), "data again");
    check_eq!(peek(pages::AT), 0, "and clear");
    check_eq!(calls::unmap(space, pages::AT / FRAME, 1), Ok(()));
    poke(own(1), 1);
    check_eq!(calls::account(space).map(|account| account.mappings), Ok(3));
    drop(gift);
    check_eq!(calls::account(space).map(|account| account.mappings), Ok(0));
}

/// The calls on Tables do not know what is the pool's.
pub fn tables() {
    let gift = Gift::new(1);
    let none = CapName::NONE;
    let frames = Frames::take(6, 4);
    let (container, first) = (frames.container(), frames.at(0));
    let update = pages::update((container, first), 1, none, own(9) / FRAME, Rights::NONE, 0);
    let error = |result: Result<(), Stop>| result.map_err(|stop| stop.error);
    check_eq!(error(calls::update(&[update])), Err(Error::NoTable));
    check_eq!(error(calls::unmap(none, own(0) / FRAME, 1)), Err(Error::NoTable));
    let slot = Slot::take().expect("a slot");
    check_eq!(calls::make_table(container, first, slot.reference(), none), Ok(()));
    check_eq!(calls::hook(slot.name(), none, AT / BLOCK, Rights::WRITE), Err(Error::Occupied));
    check_eq!(calls::unhook(none, AT / BLOCK), Err(Error::NoTable));
    let thread = Slot::take().expect("a slot");
    let place = ThreadPlace {
        container,
        thread: first + 4,
        utcb: first + 5,
        space: none,
        address: own(20),
        fpu: false,
    };
    check_eq!(calls::make_thread(place, thread.reference()), Err(Error::NoTable));
    // A hook is in the pool's way as the pool is in a hook's.
    check_eq!(calls::hook(slot.name(), none, THERE / BLOCK, Rights::WRITE), Ok(()));
    let given = calls::give(container, range(first + 4, 1), none, THERE, Rights::NONE);
    check_eq!(given, Err(Error::Occupied));
    check_eq!(calls::unhook(none, THERE / BLOCK), Ok(()));
    drop(slot);
    drop((frames, gift));
}

/// Spaces and frames end wherever they stand: what hung on them is gone, what they hung on is not.
pub fn ends() {
    for ending in 0..4 {
        let gift = Gift::new(2);
        let mut ps = parties(3);
        poke(own(0), 5);
        for number in 0..2 {
            let there = THERE + number * BLOCK;
            check_eq!(ps[0].take(&[at(page(own(number), Rights::WRITE), there)]), Ok(()));
            check_eq!(ps[0].pass(&ps[1], &[at(page(there, Rights::WRITE), there)]), Ok(()));
            check_eq!(ps[1].pass(&ps[2], &[at(page(there, Rights::WRITE), there)]), Ok(()));
        }
        let gift = match ending {
            3 => {
                drop(gift);
                None
            }
            ended => {
                drop(ps.remove(ended));
                Some(gift)
            }
        };
        let left: alloc::vec::Vec<bool> = ps.iter().map(|party| party.read(THERE).is_ok()).collect();
        let wanted: &[bool] = [&[false, false][..], &[true, false], &[true, true], &[false; 3]][ending];
        check_eq!(left, wanted, "{ending}");
        let mappings: u32 = ps.iter().map(|party| party.account().mappings).sum();
        check_eq!(mappings, 2 * wanted.iter().filter(|&&there| there).count() as u32);
        drop((ps, gift));
    }
}
