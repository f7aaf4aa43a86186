//! What an object leaves behind in its frames: nothing, whatever it held and wherever that stood
//! (docs/invariants.md, 15). What is empty is passed over in stretches, and not cleared.

use freehold_abi::info::place;
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME, NODE_SLOTS, USER_TABLES};
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::pages::{self, Frames, address, update};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, SlotRef};

/// Which of so many places are taken: none, the first, the last, both, two beside the end of a stretch, the last of
/// each, all.
const SETS: [fn(u32, u32) -> bool; 7] = [
    |_, _| false,
    |index, _| index == 0,
    |index, count| index == count - 1,
    |index, count| index == 0 || index == count - 1,
    |index, _| index == 63 || index == 64,
    |index, _| index % 64 == 63,
    |_, _| true,
];

/// Takes the first `count` roots of `frames` back, after which all of them must be clear data.
fn end(frames: &Frames, count: u32, what: &str) {
    check_eq!(calls::reclaim(frames.container(), frames.at(0), count), Ok(()), "{what}");
    check_eq!(pages::map(frames, address(0), Rights::NONE, 0), Ok(()), "{what}");
    let words = (address(0)..address(frames.count())).step_by(4);
    check_eq!(words.filter(|&word| pages::peek(word) != 0).count(), 0, "{what}: words left");
    check_eq!(calls::unmap(CapName::NONE, address(0) / FRAME, frames.count()), Ok(()));
}

/// Tables with mappings at those places, half of which have a child. One root of an object ends all four.
pub fn tables() {
    for (number, set) in SETS.iter().enumerate() {
        let (frames, data, table) = (Frames::take(4, 4), Frames::take(1, 1), Slot::take().expect("a slot"));
        check_eq!(
            calls::make_table(frames.container(), frames.at(0), table.reference(), CapName::NONE),
            Ok(())
        );
        for index in (0..ENTRIES).filter(|&index| set(index, ENTRIES)) {
            let parent = update((data.container(), data.at(0)), 1, table.name(), index, Rights::NONE, 1);
            check_eq!(calls::update(&[parent]), Ok(()));
            if index % 2 == 1 {
                let page = address(index) / FRAME;
                let child = update((table.name(), index), 1, CapName::NONE, page, Rights::NONE, 0);
                check_eq!(calls::update(&[child]), Ok(()));
            }
        }
        end(&frames, if number % 2 == 0 { 4 } else { 1 }, "a Table");
    }
}

/// Spaces with hooks at those places, every other one with an area and nodes.
pub fn spaces() {
    let (memory, table) = (Frames::take(4, 4), Slot::take().expect("a slot"));
    check_eq!(calls::make_table(memory.container(), memory.at(0), table.reference(), CapName::NONE), Ok(()));
    for (number, set) in SETS.iter().enumerate() {
        let (frames, space) = (Frames::take(10, 4), Slot::take().expect("a slot"));
        let (from, at) = (frames.container(), |index| frames.at(index));
        check_eq!(calls::make_space(from, at(0), space.reference(), place::AREA, 4), Ok(()));
        if number % 2 == 0 {
            check_eq!(calls::make_table(from, at(4), SlotRef::default(), space.name()), Ok(()));
            check_eq!(calls::make_cap_node(from, at(8), space.name(), 0), Ok(()));
            check_eq!(calls::make_cap_node(from, at(9), space.name(), 31), Ok(()));
        }
        let free = |&index: &u32| index != place::AREA / BLOCK && set(index, USER_TABLES);
        for index in (0..USER_TABLES).filter(free) {
            check_eq!(calls::hook(table.name(), space.name(), index, Rights::WRITE), Ok(()));
        }
        end(&frames, 10, "a space");
        check!(calls::hook(table.name(), space.name(), 0, Rights::WRITE).is_err());
    }
    end(&memory, 4, "the Table that was hooked");
}

/// Capability nodes with endpoints and capabilities at those places.
pub fn nodes() {
    let home = Home::new();
    for set in SETS {
        let frames = Frames::take(1, 1);
        check_eq!(calls::make_cap_node(frames.container(), frames.at(0), home.space(), 5), Ok(()));
        for index in (0..NODE_SLOTS).filter(|&index| set(index, NODE_SLOTS)) {
            let slot = SlotRef::of(home.space(), CapName::new(5, index));
            let filled = match index % 2 {
                0 => calls::make_endpoint(slot),
                _ => calls::derive(home.space(), slot, Rights::ALL, 0, 0),
            };
            check_eq!(filled, Ok(()));
        }
        end(&frames, 1, "a node");
    }
}

/// Threads, with and without use of the FPU, taken back from either side.
pub fn threads() {
    let home = Home::new();
    for (fpu, first) in [(false, 0), (true, 0), (false, 1), (true, 1)] {
        let (frames, slot) = (Frames::take(2, 1), Slot::take().expect("a slot"));
        let place = calls::ThreadPlace {
            container: frames.container(),
            thread: frames.at(first),
            utcb: frames.at(1 - first),
            space: home.space(),
            address: BLOCKS,
            fpu,
        };
        check_eq!(calls::make_thread(place, slot.reference()), Ok(()));
        end(&frames, 2, "a thread");
    }
}
