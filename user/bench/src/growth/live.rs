//! One frame with more and more mappings: one more is made, and one derivation is revoked.

use alloc::vec::Vec;

use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::update::TOTAL_UNLIMITED;
use freehold_abi::{Call, CapName};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::calls;

use crate::annex::{Annex, INDEX};
use crate::mappings::live;
use crate::measure::{Series, section};
use crate::revoking::derive;
use crate::stub;

/// Mappings of the frame.
const COUNTS: [u32; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
const ROUNDS: u32 = 50;

/// `map.live.*`, `revoke.live.*`.
pub fn run() {
    let any_wanted = |prefix| super::any_wanted(prefix, &COUNTS);
    if !any_wanted("map.live") && !any_wanted("revoke.live") {
        return;
    }
    let frame = Frames::take(1, 1);
    let root = (frame.container(), frame.at(0));
    let page = pages::AT / FRAME;
    let mut tables = Vec::new();
    let mut there = 0;
    for count in COUNTS {
        while there < count {
            if there % ENTRIES == 0 {
                tables.push(Annex::own(INDEX + there / ENTRIES));
            }
            let more = (count - there).min(ENTRIES - there % ENTRIES);
            derive(root, CapName::NONE, INDEX * ENTRIES + there, more);
            there += more;
        }
        let (map, revoke) = (super::name("map.live", count), super::name("revoke.live", count));
        let (mut mapping, mut revoking) = (Series::new(&map), Series::new(&revoke));
        // The parent from which one is derived and revoked stands among the others' siblings.
        check_eq!(stub::update(stub::words(root, 1, CapName::NONE, page, TOTAL_UNLIMITED)), stub::OK);
        for _ in 0..=ROUNDS {
            let words = stub::words(root, 1, CapName::NONE, page + 1, 0);
            let (sample, status) = section(|| stub::update(words));
            check_eq!(status, stub::OK);
            mapping.add(sample);
            check_eq!(calls::unmap(CapName::NONE, page + 1, 1), Ok(()));
            let words = stub::words((pages::table(), 0), 1, CapName::NONE, page + 2, 0);
            check_eq!((stub::update(words), live()), (stub::OK, 2));
            let (sample, status) = section(|| stub::status(Call::RevokeRange, [pages::table().0, 0, 1, 0]));
            check_eq!((status, live()), (stub::OK, 1));
            revoking.add(sample);
        }
        mapping.finish();
        revoking.finish();
        check_eq!(calls::unmap(CapName::NONE, page, 1), Ok(()));
    }
    check_eq!(calls::revoke_range(root.0, root.1, 1), Ok(()));
}
