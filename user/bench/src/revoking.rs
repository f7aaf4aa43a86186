//! A frame's derivations in another space, taken back through its root.

use freehold_abi::layout::ENTRIES;
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::calls;

use crate::annex::{Annex, INDEX};
use crate::measure::{Series, any_wanted, section, wanted};
use crate::stub;

/// `revoke.1`, `revoke.1024`.
pub fn run() {
    if !any_wanted(&["revoke.1", "revoke.1024"]) {
        return;
    }
    let home = Home::new();
    let annex = Annex::of(&home, INDEX);
    if wanted("revoke.1") {
        measure("revoke.1", &home, 1, 200);
    }
    if wanted("revoke.1024") {
        measure("revoke.1024", &home, ENTRIES, 10);
    }
    drop(annex);
}

fn measure(name: &str, home: &Home, count: u32, rounds: u32) {
    let mut series = Series::new(name);
    let frame = Frames::take(1, 1);
    let root = (frame.container(), frame.at(0));
    for _ in 0..=rounds {
        derive(root, home.space(), INDEX * ENTRIES, count);
        check_eq!(live(home), count);
        let (sample, (status, [_, _, left, _])) =
            section(|| stub::call(Call::RevokeRange, [root.0.0, root.1, 1, 0]));
        check_eq!((status, left, live(home)), (stub::OK, 0, 0));
        series.add(sample);
    }
    series.finish();
}

/// Maps one frame at `count` pages of a space.
pub fn derive(root: (CapName, u32), space: CapName, page: u32, count: u32) {
    let update = |index| pages::update(root, 1, space, page + index, Rights::WRITE, 0);
    let mut done = 0;
    while done < count {
        let batch = (count - done).min(15);
        let updates: [_; 15] = core::array::from_fn(|index| update(done + index as u32));
        if !check_eq!(calls::update(&updates[..batch as usize]), Ok(())) {
            return;
        }
        done += batch;
    }
}

/// Entries in use of the Table that was given last to the space: the area's own is 0, the threads' 1.
fn live(home: &Home) -> u32 {
    calls::space_table(home.space(), 2).expect("a Table").live
}
