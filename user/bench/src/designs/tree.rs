//! A frame with many mappings: `fanout` of them are made from it, from each one another, and so on, `depth` of them one
//! below the other.
//!
//! `user-tables`: in Tables of this space, each mapping with the smallest total that lets the rest of its chain be derived:
//! what its deriver allows is Φ, and it is no less than what there is.

use alloc::vec::Vec;

use freehold_abi::layout::{ENTRIES, FRAME, MAX_DEPTH};
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::pages::{self, Frames, peek};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls;
use freehold_user_pagetables::meta::total;

use crate::annex::Annex;
use crate::revoking::derive_with;
use crate::stub;

/// First directory index of the mappings: whatever the fan-out, a level begins at a multiple of it.
const INDEX: u32 = 320;
/// Most mappings of a tree, in the indices up to those of the other parts.
pub const MOST: u32 = 256 * ENTRIES;

/// The frame, and room for its mappings.
pub struct Tree {
    frame: Frames,
    fanout: u32,
    depth: u32,
    tables: Vec<Annex>,
    /// Tables that the space had before.
    before: u32,
}

impl Tree {
    /// A frame without mappings.
    ///
    /// # Panics
    /// If there are more than [`MOST`] to be, they are too deep, or memory is used up.
    pub fn new(fanout: u32, depth: u32) -> Tree {
        assert!(fanout * depth <= MOST && depth <= MAX_DEPTH, "too many mappings");
        let before = tables();
        let tables = (0..(fanout * depth).div_ceil(ENTRIES)).map(|table| Annex::own(INDEX + table)).collect();
        Tree { frame: Frames::take(1, 1), fanout, depth, tables, before }
    }

    /// How many mappings it comes to have.
    pub fn descendants(&self) -> u32 {
        self.fanout * self.depth
    }

    /// Φ: how many steps whoever derives the mappings allows for taking them back, if anybody counts.
    pub fn granted(&self) -> Option<u32> {
        let each = 1 + total::decode(self.code(1));
        (calls::design() == freehold_abi::designs::Design::UserTables).then_some(self.fanout * each)
    }

    /// Makes the mappings.
    pub fn build(&self) {
        let root = (self.frame.container(), self.frame.at(0));
        derive_with(root, CapName::NONE, INDEX * ENTRIES, self.fanout, self.code(1));
        for level in 2..=self.depth {
            let mut done = 0;
            while done < self.fanout {
                let [from, to] = [level - 2, level - 1].map(|levels| levels * self.fanout + done);
                let within = |index: u32| ENTRIES - index % ENTRIES;
                let count = (self.fanout - done).min(within(from)).min(within(to));
                let source = (self.tables[(from / ENTRIES) as usize].name(), from % ENTRIES);
                let page = INDEX * ENTRIES + to;
                let update =
                    pages::update(source, count, CapName::NONE, page, Rights::WRITE, self.code(level));
                if !check_eq!(calls::update(&[update]), Ok(()), "level {level}") {
                    return;
                }
                done += count;
            }
        }
        check_eq!(self.live(), self.descendants());
    }

    /// Takes all of them back; whether that succeeded.
    #[inline(always)]
    pub fn revoke(&self) -> bool {
        let (status, [_, _, left, _]) =
            stub::call(Call::RevokeRange, [self.frame.container().0, self.frame.at(0), 1, 0]);
        (status, left) == (stub::OK, 0)
    }

    /// The first and the last mapping can be used.
    pub fn must_be(&self) {
        let [first, last] = self.ends();
        check_eq!(peek(first), peek(last));
    }

    /// There is none, and neither end can be used.
    pub fn must_be_gone(&self, probe: &Probe) {
        check_eq!(self.live(), 0);
        for address in self.ends() {
            let seen = probe.read(address);
            check!(seen.is_err(), "{address:#x}: {seen:?}");
        }
    }

    fn ends(&self) -> [u32; 2] {
        [0, self.descendants() - 1].map(|index| (INDEX * ENTRIES + index) * FRAME)
    }

    /// The code of the totals at a level: one more for each level below, and totals grow with their codes by at least one.
    fn code(&self, level: u32) -> u32 {
        self.depth - level
    }

    fn live(&self) -> u32 {
        let live = |table| calls::space_table(CapName::NONE, table).map_or(0, |table| table.live);
        (self.before..tables()).map(live).sum()
    }
}

/// Tables of the own space.
fn tables() -> u32 {
    calls::space_summary(CapName::NONE).expect("the own space").tables
}
