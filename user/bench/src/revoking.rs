//! A frame's derivations in another space, taken back through its root: such as nobody has used yet, of which no
//! translation can be in the TLB; and such as the other space has read through.

use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::calls;

use crate::annex::{Annex, INDEX};
use crate::measure::{Series, any_wanted, section, wanted};
use crate::reader::Reader;
use crate::stub;

/// `revoke.1`, `revoke.1024`.
pub fn run() {
    if any_wanted(&["revoke.1", "revoke.1024"]) {
        let place = Place::new();
        place.measure("revoke.1", 1, 200, |_| {});
        place.measure("revoke.1024", ENTRIES, 10, |_| {});
    }
}

/// `revoke.used.1`, `revoke.used.1024`.
pub fn used() {
    if any_wanted(&["revoke.used.1", "revoke.used.1024"]) {
        let place = Place::new();
        let reader = Reader::start(&place.home);
        let address = |page| (INDEX * ENTRIES + page) * FRAME;
        let read = |count: u32| {
            for page in (0..count).step_by(2) {
                reader.must_read([page, (page + 1).min(count - 1)].map(address), [0, 0]);
            }
        };
        place.measure("revoke.used.1", 1, 200, read);
        place.measure("revoke.used.1024", ENTRIES, 10, read);
    }
}

/// Another space, with a Table for what is derived.
struct Place {
    /// Goes first, and with it its hook.
    _annex: Annex,
    home: Home,
}

impl Place {
    fn new() -> Place {
        let home = Home::new();
        Place { _annex: Annex::of(&home, INDEX), home }
    }

    /// Derives `count` mappings of a frame, does with them what `using` does, and takes them back.
    fn measure(&self, name: &str, count: u32, rounds: u32, using: impl Fn(u32)) {
        if !wanted(name) {
            return;
        }
        let mut series = Series::new(name);
        let frame = Frames::take(1, 1);
        let root = (frame.container(), frame.at(0));
        for _ in 0..=rounds {
            derive(root, self.home.space(), INDEX * ENTRIES, count);
            check_eq!(live(&self.home), count);
            using(count);
            let (sample, (status, [_, _, left, _])) =
                section(|| stub::call(Call::RevokeRange, [root.0.0, root.1, 1, 0]));
            check_eq!((status, left, live(&self.home)), (stub::OK, 0, 0));
            series.add(sample);
        }
        series.finish();
    }
}

/// Maps one frame at `count` pages of a space; nothing can be derived from these mappings.
pub fn derive(root: (CapName, u32), space: CapName, page: u32, count: u32) {
    derive_with(root, space, page, count, 0);
}

/// The same with the code of the mappings' totals.
pub fn derive_with(root: (CapName, u32), space: CapName, page: u32, count: u32, total_code: u32) {
    let update = |index| pages::update(root, 1, space, page + index, Rights::WRITE, total_code);
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
