//! Everything that was derived from a page taken back: `revoke.FANOUT.DEPTH`.

use alloc::format;

use freehold_guest_tests::check;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::probe::Probe;

use super::tree::{MOST, Tree};
use crate::measure::{Series, section, wanted};

/// Mappings derived from the page, and mappings one below the other.
const FANOUTS: [u32; 8] = [1, 4, 16, 64, 256, 1024, 4096, 16384];
const DEPTHS: [u32; 7] = [1, 2, 4, 8, 16, 32, 63];

/// `revoke.*.*`.
pub fn run() {
    for fanout in FANOUTS {
        for depth in DEPTHS {
            let name = format!("revoke.{fanout}.{depth}");
            if fanout * depth <= MOST && wanted(&name) {
                measure(&name, fanout, depth);
            }
        }
    }
}

fn measure(name: &str, fanout: u32, depth: u32) {
    let (tree, probe) = (Tree::new(fanout, depth), Probe::new(&Home::own(), 0));
    let mut series = Series::new(name).revoking(tree.descendants(), tree.granted());
    let rounds = match tree.descendants() {
        0..=1024 => 20,
        1025..=16384 => 5,
        _ => 1,
    };
    for _ in 0..=rounds {
        tree.build();
        tree.must_be();
        let (sample, all) = section(|| tree.revoke());
        check!(all, "{name}");
        tree.must_be_gone(&probe);
        series.add(sample);
    }
    series.finish();
}
