//! Frames mapped in the own space, and unmapped.

use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::{Call, CapName};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::calls;

use crate::measure::{Series, any_wanted, section};
use crate::stub;

/// `map.1`, `unmap.1`, `map.1024`, `unmap.1024`.
pub fn run() {
    if any_wanted(&["map.1", "unmap.1"]) {
        pair("map.1", "unmap.1", 1, 200);
    }
    if any_wanted(&["map.1024", "unmap.1024"]) {
        pair("map.1024", "unmap.1024", ENTRIES, 20);
    }
}

/// Maps `count` frames in the own space, and unmaps them.
pub fn pair(map: &str, unmap: &str, count: u32, rounds: u32) {
    let (mut mapping, mut unmapping) = (Series::new(map).per(count), Series::new(unmap).per(count));
    let frames = Frames::take(count, 1);
    let page = pages::AT / FRAME;
    let words = stub::words((frames.container(), frames.at(0)), count, CapName::NONE, page, 0);
    for round in 0..=rounds {
        let (sample, status) = section(|| stub::update(words));
        check_eq!((status, live()), (stub::OK, count));
        mapping.add(sample);
        // The first and the last page are there.
        pages::poke(pages::address(0), round);
        pages::poke(pages::address(count - 1), round + 1);
        let (sample, (status, [_, _, left, _])) =
            section(|| stub::call(Call::Unmap, [CapName::NONE.0, page, count, 0]));
        check_eq!((status, left, live()), (stub::OK, 0, 0));
        unmapping.add(sample);
    }
    mapping.finish();
    unmapping.finish();
}

/// Entries in use of the Table at [`pages::AT`].
pub fn live() -> u32 {
    calls::space_table(CapName::NONE, pages::view_index()).expect("a Table").live
}
