//! Mappings and hooks that cannot be.

use freehold_abi::info::place;
use freehold_abi::layout::{BLOCK, FRAME, MAX_DEPTH, USER_END};
use freehold_abi::update::Update;
use freehold_abi::{Call, Error};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::pages::{self, Frames, address, poke, update};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, Utcb, calls};

use crate::claims::{fails, fails_but};
use crate::scene::Scene;

const NONE: CapName = CapName::NONE;
const AREA_INDEX: u32 = place::AREA / BLOCK;

fn load(update: Update) {
    let utcb = Utcb::current();
    update.encode().into_iter().enumerate().for_each(|(index, word)| utcb.set(3 + index, word));
}

/// An Update of one range that fails at its first entry.
fn refused(update: Update, error: Error) {
    load(update);
    fails(Call::Update, 0, [1, 0, 0, 0], error);
}

pub fn all() {
    let scene = &Scene::new();
    hooks(scene);
    updates(scene);
    validates(scene);
    ranges(scene);
    scene.name(Call::Withdraw, Some(&scene.endpoint), Some(&scene.no_table), true, |name| {
        (0, [name, 0, 0, 0])
    });
    let part = derived(scene.table.name(), Rights::ALL, calls::range(0, 4), 0);
    fails(Call::Withdraw, 0, [part.name().0, 0, 0, 0], Error::OutOfRange);
    check_eq!(calls::unmap(scene.table.name(), 0, 1024), Ok(()));
    fails(Call::Withdraw, 0, [scene.table.name().0, 0, 0, 0], Error::NotInArea);
    fails(Call::Withdraw, 0, [scene.home.table().0, 0, 0, 0], Error::NotEmpty);
}

fn hooks(scene: &Scene) {
    let table = scene.table.name().0;
    scene.name(Call::Hook, Some(&scene.endpoint), Some(&scene.no_table), true, |name| (1, [name, 0, 300, 0]));
    scene.space(Call::Hook, |space| (1, [table, space, 300, 0]));
    scene.space(Call::Unhook, |space| (0, [space, 300, 0, 0]));
    let part = derived(scene.table.name(), Rights::ALL, calls::range(0, 1023), 0);
    fails(Call::Hook, 1, [part.name().0, 0, 300, 0], Error::OutOfRange);
    for (index, error) in [
        (768, Error::OutOfRange),
        (u32::MAX, Error::OutOfRange),
        (AREA_INDEX, Error::PageTableArea),
        (place::IMAGE / BLOCK, Error::Occupied),
    ] {
        fails(Call::Hook, 1, [table, 0, index, 0], error);
    }
    for (index, error) in
        [(768, Error::OutOfRange), (AREA_INDEX, Error::PageTableArea), (300, Error::NoTable)]
    {
        fails(Call::Unhook, 0, [0, index, 0, 0], error);
    }
    let poor = derived(scene.table.name(), Rights::ALL, calls::range(0, 1024), 0);
    fails(Call::Hook, 1, [poor.name().0, 0, 300, 0], Error::NoCredits);
    let mut chain = alloc::vec![derived(scene.table.name(), Rights::ALL, calls::range(0, 1024), u32::MAX)];
    while freehold_guest_tests::objects::info(chain[chain.len() - 1].name()).depth < MAX_DEPTH {
        chain.push(derived(chain[chain.len() - 1].name(), Rights::ALL, calls::range(0, 1024), u32::MAX));
    }
    fails(Call::Hook, 1, [chain[chain.len() - 1].name().0, 0, 300, 0], Error::TooDeep);
    check_eq!(calls::revoke(chain[0].reference()), Ok(()));
}

fn updates(scene: &Scene) {
    let (roots, first) = (scene.frames.container(), scene.frames.at(0));
    let page = address(0) / FRAME;
    let good = update((roots, first), 1, NONE, page, Rights::NONE, 0);
    fails(Call::Update, 0, [16, 0, 0, 0], Error::OutOfRange);
    scene.name(Call::Update, Some(&scene.endpoint), Some(&scene.no_table), true, |name| {
        load(Update { source: CapName(name), ..good });
        (0, [1, 0, 0, 0])
    });
    for (rightless, wrong) in [(&scene.no_space, &scene.endpoint), (&scene.no_table, &scene.bits)] {
        scene.name(Call::Update, Some(wrong), Some(rightless), false, |name| {
            load(Update { destination: CapName(name), ..good });
            (0, [1, 0, 0, 0])
        });
    }
    refused(Update { first: 1023, count: 2, ..good }, Error::OutOfRange);
    refused(Update { page: USER_END / FRAME, ..good }, Error::BadAddress);
    refused(Update { page: place::AREA / FRAME, ..good }, Error::PageTableArea);
    refused(Update { page: 0x9000_0000 / FRAME, ..good }, Error::NoTable);
    refused(Update { destination: scene.table.name(), page: 1024, ..good }, Error::OutOfRange);
    refused(Update { source: pages::table(), first: 900, ..good }, Error::EmptySource);
    refused(Update { page: place::BOOT_INFO / FRAME, ..good }, Error::Occupied);
    refused(Update { destination: roots, page: first, ..good }, Error::Occupied);
    // A chain as deep as it goes, and a mapping with no credits.
    check_eq!(calls::update(&[Update { total_code: 63, ..good }]), Ok(()));
    for depth in 1..MAX_DEPTH {
        let next = update((pages::table(), depth - 1), 1, NONE, page + depth, Rights::NONE, 63);
        check_eq!(calls::update(&[next]), Ok(()));
    }
    let deepest = update((pages::table(), MAX_DEPTH - 1), 1, NONE, page + 100, Rights::NONE, 0);
    refused(deepest, Error::TooDeep);
    check_eq!(calls::update(&[Update { page: page + 200, ..good }]), Ok(()));
    refused(update((pages::table(), 200), 1, NONE, page + 201, Rights::NONE, 0), Error::NoCredits);
}

/// After [`updates`]: page 0 is mapped, page 62 lies at depth 63, page 200 has no credits.
fn validates(scene: &Scene) {
    let call = Call::Validate;
    let table = scene.table.name().0;
    let words = Frames::take(1, 1);
    let at = address(300);
    check_eq!(pages::map(&words, at, Rights::WRITE, 0), Ok(()));
    poke(at, 0);
    scene.name(call, Some(&scene.endpoint), Some(&scene.no_table), true, |name| (0, [name, 0, at, 0]));
    let part = derived(scene.table.name(), Rights::ALL, calls::range(0, 4), 0);
    fails(call, 0, [part.name().0, calls::range(3, 2), at, 0], Error::OutOfRange);
    fails(call, 0, [table, 0, at + 1, 0], Error::Misaligned);
    fails_but(4, call, 0, [table, 0, 0x5000, 0], Error::FaultMine);
    for (word, error) in [
        (USER_END, Error::BadAddress),
        (place::AREA, Error::PageTableArea),
        (0x9000_0000, Error::NoTable),
        (address(900), Error::EmptySource),
        (address(MAX_DEPTH - 1), Error::TooDeep),
        (address(200), Error::NoCredits),
    ] {
        poke(at, word);
        fails(call, 0, [table, 0, at, 0], error);
    }
    poke(at, address(0));
    check_eq!(calls::validate(scene.table.name(), 7, 1, at), Ok(()));
    fails(call, 0, [table, calls::range(7, 1), at, 0], Error::Occupied);
}

fn ranges(scene: &Scene) {
    let (roots, table) = (scene.frames.container().0, scene.table.name().0);
    let page = address(0) / FRAME;
    for (none, wrong) in [(&scene.no_space, &scene.endpoint), (&scene.no_table, &scene.bits)] {
        scene.name(Call::Unmap, Some(wrong), Some(none), false, |name| (0, [name, page, 1, 0]));
    }
    for (from, first, error) in [
        (0, USER_END / FRAME, Error::BadAddress),
        (0, u32::MAX, Error::BadAddress),
        (0, place::AREA / FRAME, Error::PageTableArea),
        (0, 0x9000_0000 / FRAME, Error::NoTable),
        (table, 1024, Error::OutOfRange),
        (roots, scene.frames.at(0), Error::Unmovable),
    ] {
        fails(Call::Unmap, 0, [from, first, 1, 0], error);
    }
    let revoke = Call::RevokeRange;
    scene.name(revoke, Some(&scene.endpoint), Some(&scene.no_table), true, |name| (0, [name, 0, 1, 0]));
    fails(revoke, 0, [table, 1024, 1, 0], Error::OutOfRange);
    let object = Frames::take(4, 4);
    let slot = Slot::take().expect("a slot");
    check_eq!(calls::make_table(object.container(), object.at(0), slot.reference(), NONE), Ok(()));
    fails(revoke, 0, [object.container().0, object.at(0), 1, 0], Error::NotData);
    let reclaim = Call::Reclaim;
    scene.roots(reclaim, |name| (0, [name, scene.frames.at(8), 1, 0]));
    fails(reclaim, 0, [roots, 1024, 1, 0], Error::OutOfRange);
    fails(reclaim, 0, [object.container().0, object.at(1), 1, 0], Error::OutOfRange);
}
