//! A frame with many mappings: `fanout` of them are made from it, from each one another, and so on, `depth` of them one
//! below the other.
//!
//! `user-tables`: in Tables of this space, each mapping with the smallest total that lets the rest of its chain be derived:
//! what its deriver allows is Φ, and it is no less than what there is. With a pool: mapped by items to a thread of this
//! space, and from there on to the same.

use alloc::vec::Vec;

use freehold_abi::designs::{Design, Fpage};
use freehold_abi::layout::{ENTRIES, FRAME, MAX_DEPTH};
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, Frames, peek};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls;
use freehold_user_pagetables::meta::total;

use super::pool::{self, Given};
use super::taker::{Taker, mappings};
use crate::annex::Annex;
use crate::revoking::derive_with;
use crate::stub;

/// First directory index of the mappings: whatever the fan-out, a level begins at a multiple of it.
const INDEX: u32 = 320;
/// Most mappings of a tree, in the indices up to those of the other parts.
pub const MOST: u32 = 256 * ENTRIES;

/// The frame, and room for its mappings.
pub struct Tree {
    fanout: u32,
    depth: u32,
    ground: Ground,
    /// Tables, or mappings of the pool's, that the space had before.
    before: u32,
}

/// What the mappings stand on.
enum Ground {
    Tables(Frames, Vec<Annex>),
    Pool(Given, Taker),
}

impl Tree {
    /// A frame without mappings.
    ///
    /// # Panics
    /// If there are more than [`MOST`] to be, they are too deep, or memory is used up.
    pub fn new(fanout: u32, depth: u32) -> Tree {
        assert!(fanout * depth <= MOST && depth <= MAX_DEPTH, "too many mappings");
        if pool::is_there() {
            let given = Given::new(1, super::index() * ENTRIES * FRAME);
            let before = mappings(CapName::NONE);
            return Tree { fanout, depth, ground: Ground::Pool(given, Taker::start(&Home::own())), before };
        }
        let before = tables();
        let tables = (0..(fanout * depth).div_ceil(ENTRIES)).map(|table| Annex::own(INDEX + table)).collect();
        Tree { fanout, depth, ground: Ground::Tables(Frames::take(1, 1), tables), before }
    }

    /// How many mappings it comes to have.
    pub fn descendants(&self) -> u32 {
        self.fanout * self.depth
    }

    /// Φ: how many steps whoever derives the mappings allows for taking them back, if anybody counts.
    pub fn granted(&self) -> Option<u32> {
        let each = 1 + total::decode(self.code(1));
        (calls::design() == Design::UserTables).then_some(self.fanout * each)
    }

    /// Makes the mappings.
    pub fn build(&self) {
        match &self.ground {
            Ground::Tables(frame, tables) => {
                let root = (frame.container(), frame.at(0));
                derive_with(root, CapName::NONE, INDEX * ENTRIES, self.fanout, self.code(1));
                (2..=self.depth).for_each(|level| self.derive(tables, level));
            }
            Ground::Pool(given, taker) => {
                taker.map(given, INDEX * ENTRIES, self.fanout);
                for level in 2..=self.depth {
                    let address = |level: u32| (INDEX * ENTRIES + (level - 1) * self.fanout) * FRAME;
                    let log2 = self.fanout.ilog2();
                    let above = Fpage::new(address(level - 1), log2, Rights::WRITE.bits());
                    taker.map_on(above, address(level));
                }
            }
        }
        check_eq!(self.live(), self.descendants());
    }

    /// Derives a level from the one above it, piece by piece of what lies within one Table on either side.
    fn derive(&self, tables: &[Annex], level: u32) {
        let mut done = 0;
        while done < self.fanout {
            let [from, to] = [level - 2, level - 1].map(|levels| levels * self.fanout + done);
            let within = |index: u32| ENTRIES - index % ENTRIES;
            let count = (self.fanout - done).min(within(from)).min(within(to));
            let source = (tables[(from / ENTRIES) as usize].name(), from % ENTRIES);
            let page = INDEX * ENTRIES + to;
            let update = pages::update(source, count, CapName::NONE, page, Rights::WRITE, self.code(level));
            if !check_eq!(calls::update(&[update]), Ok(()), "level {level}") {
                return;
            }
            done += count;
        }
    }

    /// Takes all of them back; whether that succeeded.
    #[inline(always)]
    pub fn revoke(&self) -> bool {
        match &self.ground {
            Ground::Tables(frame, _) => {
                let range = [frame.container().0, frame.at(0), 1, 0];
                let (status, [_, _, left, _]) = stub::call(Call::RevokeRange, range);
                (status, left) == (stub::OK, 0)
            }
            Ground::Pool(given, _) => given.take_back() == stub::OK,
        }
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
        if let Ground::Pool(..) = self.ground {
            return mappings(CapName::NONE) - self.before;
        }
        let live = |table| calls::space_table(CapName::NONE, table).map_or(0, |table| table.live);
        (self.before..tables()).map(live).sum()
    }
}

/// Tables of the own space.
fn tables() -> u32 {
    calls::space_summary(CapName::NONE).expect("the own space").tables
}
