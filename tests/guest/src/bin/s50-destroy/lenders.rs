//! Who lent the memory takes it back, whatever the borrower made of it and does with it.

use freehold_guest_tests::home::{BLOCKS, FRAMES, Home};
use freehold_guest_tests::pages::{Frames, update};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, SlotRef, memory};

use crate::scene::{Bystander, Scene, WAYS};

pub fn spaces() {
    let bystander = Bystander::new();
    for way in WAYS {
        let extent = memory::take(FRAMES, 4).expect("memory");
        let lent = Slot::take().expect("a slot");
        let range = calls::range(extent.first, FRAMES);
        let rights = Rights::ALL;
        check_eq!(calls::lend(extent.container, lent.reference(), rights, range, Lend::LARGEST, 100), Ok(()));
        let mut scene = Scene::in_home(way, Home::of_lent(extent, lent.name()));
        // First what it can still make with it, then all that it made.
        check_eq!(calls::delete(lent.reference()), Ok(()));
        check_eq!(calls::reclaim(extent.container, extent.first, FRAMES), Ok(()), "{way:?}");
        scene.check_ended("reclaimed by the lender");
        check_eq!(scene.worker.take().map(|worker| worker.destroy()), Some(Ok(())));
        bystander.check();
    }
}

/// Each kind of object made of lent frames, with capabilities to it in many places.
pub fn objects() {
    let frames = Frames::take(16, 4);
    let lent = Slot::take().expect("a slot");
    let range = calls::range(frames.at(0), 16);
    check_eq!(
        calls::lend(frames.container(), lent.reference(), Rights::ALL, range, Lend::exactly(40), 100),
        Ok(())
    );
    let name = lent.name();
    let slots: [Slot; 3] = core::array::from_fn(|_| Slot::take().expect("a slot"));
    check_eq!(calls::make_space(name, 0, slots[0].reference(), 0x8000_0000, 4), Ok(()));
    check_eq!(calls::make_table(name, 4, SlotRef::default(), slots[0].name()), Ok(()));
    check_eq!(calls::make_table(name, 8, slots[1].reference(), slots[0].name()), Ok(()));
    check_eq!(calls::make_cap_node(name, 12, slots[0].name(), 5), Ok(()));
    check_eq!(calls::hook(slots[1].name(), slots[0].name(), BLOCKS >> 22, Rights::WRITE), Ok(()));
    let place = calls::ThreadPlace {
        container: name,
        thread: 13,
        utcb: 14,
        space: slots[0].name(),
        address: BLOCKS,
        fpu: false,
    };
    check_eq!(calls::make_thread(place, slots[2].reference()), Ok(()));
    check_eq!(calls::update(&[update((name, 15), 1, slots[1].name(), 7, Rights::WRITE, 3)]), Ok(()));
    check_eq!(
        calls::update(&[update(
            (slots[1].name(), 7),
            1,
            slots[0].name(),
            (BLOCKS >> 12) + 8,
            Rights::NONE,
            0
        )]),
        Ok(())
    );
    for (index, slot) in slots.iter().enumerate() {
        let at = SlotRef::of(slots[0].name(), CapName::new(5, index as u32));
        check_eq!(calls::derive(slot.name(), at, Rights::ALL, calls::range(0, 1024), 1), Ok(()));
    }
    // From the last to the first, so that each part goes while the others still stand.
    for (first, count) in [(15, 1), (14, 1), (13, 1), (12, 1), (8, 4), (4, 4), (0, 4)] {
        check_eq!(calls::reclaim(frames.container(), frames.at(first), count), Ok(()), "{first}");
        // Once more: nothing is left to do.
        check_eq!(calls::reclaim(frames.container(), frames.at(first), count), Ok(()));
    }
    check!(slots.iter().all(|slot| freehold_guest_tests::objects::info(slot.name()).kind as u8 == 0));
    // A part of an object is not taken.
    check_eq!(calls::make_table(name, 4, slots[1].reference(), CapName::NONE), Ok(()));
    for (first, count) in [(5, 1), (6, 2), (4, 1), (4, 3), (2, 4)] {
        let stopped = calls::reclaim(frames.container(), frames.at(first), count);
        let narrow = freehold_guest_tests::objects::info(slots[1].name()).kind as u8;
        check!(stopped.is_err() || narrow == 0, "{first} {count} {stopped:?}");
        if narrow == 0 {
            check_eq!(calls::make_table(name, 4, slots[1].reference(), CapName::NONE), Ok(()));
        }
    }
}
