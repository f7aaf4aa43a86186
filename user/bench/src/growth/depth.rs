//! A chain of derivations: one more is made at its end, and revoked. It is made twice: from which nothing can be derived,
//! as `map.1` is, and as the chain's own are.

use freehold_abi::layout::{FRAME, MAX_DEPTH};
use freehold_abi::update::TOTAL_UNLIMITED;
use freehold_abi::{Call, CapName};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::calls;

use crate::mappings::live;
use crate::measure::{Series, section};
use crate::stub;

/// Depths of the one that is made and revoked.
const DEPTHS: [u32; 7] = [1, 2, 4, 8, 16, 32, MAX_DEPTH];
const ROUNDS: u32 = 50;

/// `map.depth.*`, `map.unlimited.*`, `revoke.depth.*`.
pub fn run() {
    let any_wanted = |prefix| super::any_wanted(prefix, &DEPTHS);
    if !["map.depth", "map.unlimited", "revoke.depth"].into_iter().any(any_wanted) {
        return;
    }
    let frame = Frames::take(1, 1);
    let page = pages::AT / FRAME;
    // The page at index d - 1 is at depth d; the root is at depth 0.
    let at = |depth: u32| match depth {
        0 => (frame.container(), frame.at(0)),
        _ => (pages::table(), depth - 1),
    };
    let words = |depth, total| stub::words(at(depth - 1), 1, CapName::NONE, page + depth - 1, total);
    let mut deepest = 0;
    for depth in DEPTHS {
        while deepest + 1 < depth {
            deepest += 1;
            check_eq!(stub::update(words(deepest, TOTAL_UNLIMITED)), stub::OK, "depth {deepest}");
        }
        let name = |prefix| super::name(prefix, depth);
        let (last, unlimited, revoke) = (name("map.depth"), name("map.unlimited"), name("revoke.depth"));
        let mut revoking = Series::new(&revoke);
        for (map, total) in [(last, 0), (unlimited, TOTAL_UNLIMITED)] {
            let mut mapping = Series::new(&map);
            for _ in 0..=ROUNDS {
                let update = words(depth, total);
                let (sample, status) = section(|| stub::update(update));
                check_eq!((status, live()), (stub::OK, depth));
                mapping.add(sample);
                let (container, index) = at(depth - 1);
                let (sample, status) =
                    section(|| stub::status(Call::RevokeRange, [container.0, index, 1, 0]));
                check_eq!((status, live()), (stub::OK, depth - 1));
                revoking.add(sample);
            }
            mapping.finish();
        }
        revoking.finish();
    }
    check_eq!(calls::unmap(CapName::NONE, page, MAX_DEPTH), Ok(()));
}
