//! A page given to where the receiver has no table yet: `delegate.new.1`.
//!
//! `user-tables`: the receiver makes a Table of roots that it has, hooks it, and derives its mapping. With a pool: the kernel
//! takes a table out of that.

use freehold_abi::info::place;
use freehold_abi::layout::{ENTRIES, FOREVER, FRAME};
use freehold_abi::{Call, CapName, Rights, SlotRef};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::pages::{self, Frames};
use freehold_rt::Utcb;
use freehold_rt::calls::{self, Lend};

use super::delegate::{FIRST_INDEX, GIVEN, Mapped, Scene, timed};
use super::items::{self, Asker};
use super::pool::{self, Given};
use super::root;
use crate::measure::{Sample, Series, wanted};
use crate::stub;

const NAME: &str = "delegate.new.1";
const ROUNDS: u32 = 20;

/// In the receiver's space: roots, the space itself, the Table.
const ROOTS: CapName = CapName(17);
const SPACE: CapName = CapName(18);
const TABLE: CapName = CapName(19);

/// The directory index in a round: another each time, for what the kernel takes from its pool stays until the space ends.
fn index(round: u32) -> u32 {
    super::index() + 2 + round
}

const fn address(index: u32) -> u32 {
    index * ENTRIES * FRAME
}

/// `delegate.new.1`.
pub fn run() {
    assert!(index(ROUNDS) < place::AREA / FRAME / ENTRIES);
    if !wanted(NAME) {
        return;
    }
    let scene = Scene::new();
    if !pool::is_there() {
        by_tables(&scene);
    } else if items::anybody_gives() {
        let given = Given::new(1, items::here());
        let gives = |round| items::send(&scene, &given, address(index(round)));
        measure(&scene, items::here(), gives, || check_eq!(given.take_back(), stub::OK));
    } else {
        let asker = Asker::new(&scene, 1);
        let gives = |round| asker.asks(root::PASS, 1, address(index(round)));
        measure(&scene, items::here(), gives, || {
            asker.asks(root::TAKE, 1, 0);
            true
        });
    }
}

fn by_tables(scene: &Scene) {
    let (roots, home) = (Frames::take(4, 4), scene.home());
    let range = calls::range(roots.at(0), 4);
    let lent = calls::lend(roots.container(), home.slot(ROOTS), Rights::ALL, range, Lend::UNLIMITED, 0);
    check_eq!(lent, Ok(()));
    home.give(SPACE, home.space(), Rights::EDIT, 0);
    let pages = Mapped::new(1, 1);
    let proxy = derived(pages::table(), Rights::ALL, calls::range(0, 1), 1);
    let gives = |round| timed(|| scene.send(&proxy, FIRST_INDEX + index(round) as u16, Rights::ALL));
    measure(scene, pages::AT, gives, || {
        check_eq!(calls::revoke(proxy.reference()), Ok(()));
        check_eq!(calls::reclaim(roots.container(), roots.at(0), 4), Ok(()))
    });
    drop((proxy, pages));
}

/// What the receiver does who has got a capability to the page, and no Table at the directory index.
pub fn receive(index: u32) -> u32 {
    let statuses = [
        stub::status(Call::MakeTable, [ROOTS.0, 0, SlotRef::own(TABLE).0, SPACE.0]),
        stub::immediate(Call::Hook, Rights::WRITE.bits(), [TABLE.0, CapName::NONE.0, index, 0]),
        stub::update(stub::words((GIVEN, 0), 1, CapName::NONE, index * ENTRIES, 0)),
    ];
    statuses.into_iter().find(|&status| status != stub::OK).unwrap_or(stub::OK)
}

/// The page is at `here` in this space.
fn measure(scene: &Scene, here: u32, gives: impl Fn(u32) -> Sample, takes_back: impl Fn() -> bool) {
    let mut series = Series::new(NAME);
    for round in 0..=ROUNDS {
        let there = address(index(round));
        series.add(Utcb::current().within((FOREVER, FOREVER), || gives(round)));
        scene.must_use(here, there, 1, round);
        check_eq!(takes_back(), true);
        scene.must_not_use(there, 1, true);
    }
    series.finish();
}
