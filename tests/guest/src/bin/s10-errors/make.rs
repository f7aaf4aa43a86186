//! Objects that cannot be made.

use freehold_abi::info::place;
use freehold_abi::layout::{ENTRIES, USER_END};
use freehold_abi::{Call, Error};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::BLOCKS;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, SlotRef};

use crate::claims::fails;
use crate::scene::Scene;

const AREA: u32 = 0x8000_0000;

pub fn all() {
    let scene = &Scene::new();
    for call in [Call::MakeEndpoint, Call::MakeNotification] {
        scene.empty_slot(call, |slot| (0, [slot, 0, 0, 0]));
    }
    let (roots, first, slot) = (scene.frames.container().0, scene.frames.at(0), scene.empty());
    // A frame with a mapping, one that is an object already, roots lent with nothing to derive.
    let (used, object, poor) = (Frames::take(4, 4), Frames::take(4, 4), Frames::take(8, 4));
    check_eq!(pages::map(&used, pages::AT, Rights::NONE, 0), Ok(()));
    let slot_of = Slot::take().expect("a slot");
    check_eq!(
        calls::make_table(object.container(), object.at(0), slot_of.reference(), CapName::NONE),
        Ok(())
    );
    let lent = Slot::take().expect("a slot");
    let range = calls::range(poor.at(0), 8);
    let bound = calls::lend(poor.container(), lent.reference(), Rights::ALL, range, Lend::exactly(1), 0);
    check_eq!(bound, Ok(()));
    // Code 0 has no constructor: nothing but capability nodes can be made of such roots.
    check_eq!(calls::delete(lent.reference()), Ok(()));
    let raw = freehold_rt::call::call(Call::Derive, 7, [poor.container().0, lent.name().0, range, 0]);
    check_eq!(raw.0, Ok(()));

    let node = Call::MakeCapNode;
    scene.roots(node, |roots| (0, [roots, first, 0, 20]));
    scene.space(node, |space| (0, [roots, first, space, 20]));
    for (index, space, number, error) in [
        (ENTRIES, 0, 20, Error::OutOfRange),
        (u32::MAX, 0, 20, Error::OutOfRange),
        (first, 0, 32, Error::OutOfRange),
        (first, 0, 0, Error::Occupied),
        (first, scene.home.space().0, 0, Error::Occupied),
        (object.at(0), 0, 20, Error::NotData),
        (used.at(0), 0, 20, Error::HasDescendants),
    ] {
        let container = if error == Error::NotData { object.container().0 } else { roots };
        let container = if error == Error::HasDescendants { used.container().0 } else { container };
        fails(node, 0, [container, index, space, number], error);
    }

    for (call, fourth) in [(Call::MakeSpace, AREA), (Call::MakeTable, 0)] {
        scene.roots(call, |roots| (0, [roots, first, slot, fourth]));
        scene.empty_slot(call, |slot| (0, [roots, first, slot, fourth]));
        fails(call, 0, [roots, ENTRIES - 3, slot, fourth], Error::OutOfRange);
        fails(call, 0, [roots, first + 1, slot, fourth], Error::Misaligned);
        fails(call, 0, [object.container().0, object.at(0), slot, fourth], Error::NotData);
        fails(call, 0, [used.container().0, used.at(0), slot, fourth], Error::HasDescendants);
        fails(call, 0, [lent.name().0, 0, slot, fourth], Error::NoCredits);
    }
    fails(Call::MakeSpace, 0, [roots, first, slot, AREA | 1 << 21], Error::Misaligned);
    fails(Call::MakeSpace, 0, [roots, first, slot, USER_END], Error::BadAddress);
    scene.space(Call::MakeTable, |space| (0, [roots, first, slot, space]));
    // A space whose area has room for one Table, and has it.
    let (small, space) = (Frames::take(8, 4), Slot::take().expect("a slot"));
    check_eq!(calls::make_space(small.container(), small.at(0), space.reference(), AREA, 1), Ok(()));
    check_eq!(calls::make_table(small.container(), small.at(4), SlotRef::default(), space.name()), Ok(()));
    fails(Call::MakeTable, 0, [roots, first, slot, space.name().0], Error::AreaFull);

    let thread = Call::MakeThread;
    let pair = |frames: &Frames| frames.at(0) | frames.at(1) << 10;
    let indices = pair(&scene.frames);
    let free = pages::address(99);
    scene.roots(thread, |roots| (0, [roots, indices, slot, free]));
    scene.space(thread, |space| (0, [roots, indices, slot, BLOCKS | space]));
    scene.empty_slot(thread, |slot| (0, [roots, indices, slot, free]));
    for (indices, place, error) in [
        (indices, USER_END, Error::BadAddress),
        (indices, 0xFFFF_F000, Error::BadAddress),
        (indices, place::AREA, Error::PageTableArea),
        (indices, 0x9000_0000, Error::NoTable),
        (indices, place::UTCB, Error::Occupied),
        (first | first << 10, free, Error::NotData),
    ] {
        fails(thread, 0, [roots, indices, slot, place], error);
    }
    for (frames, error) in [(&used, Error::HasDescendants), (&object, Error::NotData)] {
        fails(thread, 0, [frames.container().0, pair(frames), slot, free], error);
    }
    fails(thread, 0, [lent.name().0, 1 << 10, slot, free], Error::NoCredits);
    // Indices are ten bits, so only a part of a block can be passed.
    let short = Slot::take().expect("a slot");
    let range = calls::range(first, 4);
    check_eq!(
        calls::lend(scene.frames.container(), short.reference(), Rights::ALL, range, Lend::UNLIMITED, 0),
        Ok(())
    );
    fails(thread, 0, [short.name().0, 4 << 10, slot, free], Error::OutOfRange);
    fails(thread, 0, [short.name().0, 4, slot, free], Error::OutOfRange);
}
