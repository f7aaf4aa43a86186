//! Memory lent: the lender fixes what can be derived from each frame, whatever the borrower makes of it.

use freehold_abi::info::start;
use freehold_abi::layout::{FRAME, UNLIMITED};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, info};
use freehold_guest_tests::pages::{Frames, address, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Lend, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, SlotRef};

const NONE: CapName = CapName::NONE;
const NODE: u32 = 31;

fn lent(frames: &Frames, bound: Lend) -> Slot {
    let slot = Slot::take().expect("a slot");
    let range = calls::range(frames.at(0), frames.count());
    check_eq!(calls::lend(frames.container(), slot.reference(), Rights::ALL, range, bound, 50), Ok(()));
    slot
}

pub fn bounds() {
    let frames = Frames::take(8, 4);
    let borrower = lent(&frames, Lend::exactly(3));
    let page = address(0) / FRAME;
    let map = |first, at: u32, code| {
        calls::update(&[update((borrower.name(), first), 1, NONE, page + at, Rights::WRITE, code)])
    };
    let short = Err(Stop { error: Error::NoCredits, done: 0 });
    check_eq!(map(0, 0, 63), short);
    check_eq!(map(0, 0, 3), short);
    check_eq!(map(0, 0, 1), Ok(()));
    check_eq!(map(0, 1, 0), Ok(()));
    check_eq!(map(0, 2, 0), short, "three steps at most to take it back");
    check_eq!(map(1, 2, 2), Ok(()));
    // A node made of lent memory takes no capability with a larger total than its root's.
    check_eq!(calls::make_cap_node(borrower.name(), 2, NONE, NODE), Ok(()));
    let slot = |index| SlotRef::own(CapName::new(NODE, index));
    check_eq!(calls::make_endpoint(slot(0)), Ok(()));
    check_eq!((info(slot(0).name()).total, info(slot(0).name()).credits), (3, 3));
    let bits = freehold_guest_tests::objects::notification();
    let into = |index, total| calls::derive(bits.name(), slot(index), Rights::ALL, 0, total);
    check_eq!(
        (into(1, UNLIMITED), into(1, 4), into(1, 3)),
        (Err(Error::NoCredits), Err(Error::NoCredits), Ok(()))
    );
    let rich = derived(bits.name(), Rights::ALL, 0, 9);
    check_eq!(calls::relocate(rich.reference(), slot(2)), Err(Error::NoCredits));
    // A Table made of it: its capability has what the root has left, its entries no more than the root.
    let table = Slot::take().expect("a slot");
    check_eq!(calls::make_table(borrower.name(), 4, table.reference(), NONE), Ok(()));
    check_eq!((info(table.name()).total, info(table.name()).depth), (2, 1));
    let free = Frames::take(1, 1);
    let entry = |index, code| {
        calls::update(&[update((free.container(), free.at(0)), 1, table.name(), index, Rights::NONE, code)])
    };
    check_eq!((entry(0, 63), entry(0, 4), entry(0, 3)), (short, short, Ok(())));
    check_eq!(calls::hook(table.name(), NONE, 300, Rights::NONE), Ok(()));
    check_eq!(calls::hook(table.name(), NONE, 301, Rights::NONE), Ok(()));
    check_eq!(calls::hook(table.name(), NONE, 302, Rights::NONE), Err(Error::NoCredits));
    // What was lent cannot be lent on for more, but for less.
    let second = Slot::take().expect("a slot");
    let on =
        |bound| calls::lend(borrower.name(), second.reference(), Rights::ALL, calls::range(3, 1), bound, 4);
    check_eq!(
        (on(Lend::UNLIMITED), on(Lend::exactly(4)), on(Lend::exactly(2))),
        (Err(Error::NoCredits), Err(Error::NoCredits), Ok(()))
    );
    check_eq!(calls::update(&[update((second.name(), 0), 1, NONE, page + 9, Rights::WRITE, 2)]), short);
    check_eq!(calls::update(&[update((second.name(), 0), 1, NONE, page + 9, Rights::WRITE, 1)]), Ok(()));
    // The end: the lender takes everything, wherever it went.
    let probe = Probe::new(&Home::own(), 0);
    check_eq!(probe.write(address(0), 1), Ok(()));
    check_eq!(calls::delete(borrower.reference()), Ok(()));
    check_eq!(info(second.name()).total, 0, "lent on: gone with it");
    check_eq!(calls::reclaim(frames.container(), frames.at(0), 8), Ok(()));
    check!([0, 1, 2, 9].into_iter().all(|page| probe.read(address(page)).is_err()));
    check!(calls::cap_info(slot(0)).is_err(), "the node is gone");
    check_eq!(info(table.name()).total, 0);
    check_eq!(calls::space_summary(start::SPACE).map(|space| space.nodes), Ok(start::NODES));
    // Reclaimed by the lender, whose own capability is unlimited, the roots are unlimited again.
    check_eq!(
        calls::update(&[update((frames.container(), frames.at(0)), 8, NONE, page, Rights::WRITE, 63)]),
        Ok(())
    );
}

/// A second lend over the same roots needs them free; then it counts, and the first has no more to say.
pub fn again() {
    let frames = Frames::take(4, 4);
    let first = lent(&frames, Lend::exactly(2));
    let page = address(0) / FRAME;
    let map = |name: CapName, at: u32, code| {
        calls::update(&[update((name, 0), 1, NONE, page + at, Rights::WRITE, code)])
    };
    let slot = Slot::take().expect("a slot");
    let range = calls::range(frames.at(0), 4);
    let second = |bound| calls::lend(frames.container(), slot.reference(), Rights::ALL, range, bound, 5);
    check_eq!(map(first.name(), 0, 0), Ok(()));
    check_eq!(second(Lend::exactly(5)), Err(Error::HasDescendants));
    check_eq!(info(slot.name()).total, 0);
    check_eq!(calls::reclaim(first.name(), 0, 4), Ok(()));
    check_eq!(second(Lend::exactly(5)), Ok(()));
    check_eq!(map(slot.name(), 0, 4), Ok(()));
    check_eq!(map(first.name(), 1, 0), Err(Stop { error: Error::NoCredits, done: 0 }), "all five are used");
    check_eq!(calls::reclaim(slot.name(), 0, 4), Ok(()));
    check_eq!(map(first.name(), 1, 4), Ok(()), "the same frame, by either capability");
    // The borrower's own reclaim gives the roots its total, not the lender's.
    check_eq!(calls::reclaim(first.name(), 0, 4), Ok(()));
    check_eq!(map(first.name(), 1, 2), Err(Stop { error: Error::NoCredits, done: 0 }));
    check_eq!(map(first.name(), 1, 1), Ok(()));
    let wide =
        calls::lend(first.name(), slot.reference(), Rights::ALL, calls::range(0, 4), Lend::exactly(1), 0);
    check_eq!(wide, Err(Error::Occupied));
}
