//! Sequences that someone would try: each one is named after what it is after.

mod support;

use freehold_captree::{Slots, is_leaf};
use freehold_user_pagetables::layout::in_table;
use freehold_user_pagetables::{Flush, FrameType, FreshRoot, MapError, Memory, frames_of};
use support::machine::{ACCESSED, DIRTY};
use support::model::At;
use support::ops::Op;
use support::scene::{AREA, OTHER, SPACE, SPARE, TABLE, run, world};
use support::world::{World, quad, single};

fn map(source: At, table: u32, index: u32, code: u32) -> Op {
    Op::Map { source, table, index, rights: 1, code }
}

/// Unmapping what is no mapping: the views of a space, the roots of all memory, an empty entry.
#[test]
fn unmapping_what_is_no_mapping() {
    let mut world = world();
    let boot = world.model.boot[0];
    let views_and_roots =
        [in_table(AREA, 1), in_table(boot, 0x180), in_table(boot, 0x108)].map(|slot| (slot, 0));
    for (slot, done) in views_and_roots.into_iter().chain([(in_table(TABLE, 500), 1)]) {
        world.tables.memory.mark();
        let found = world.tables.unmap_run(slot, 1, None);
        assert_eq!((found.done, found.flush), (done, Flush::None));
        assert!(world.tables.memory.changes().is_empty(), "{slot:?}");
    }
    world.compare().unwrap();
}

/// The area's own Table hooked where addresses are looked up: its views are out of reach.
#[test]
fn views_under_another_address() {
    let mut world = world();
    run(&mut world, &[Op::Hook { cap: 3, directory: SPACE, index: 3, rights: 1 }]);
    let outcome = world.apply(Op::UnmapAt { hook: 3, index: 1 });
    assert_eq!(outcome, Some(Err("PageTableArea".into())));
    world.compare().unwrap();
}

/// Memory lent with a total: what is made of it takes no node that would make its end longer, and
/// the whole end takes no more than 1,024 × (1 + total).
#[test]
fn lent_tables_stay_cheap_to_end() {
    let mut world = world();
    let lent = quad(6);
    for part in 0..4 {
        run(&mut world, &[Op::FixTotal { frame: lent + part * 4096, code: 2 }]);
    }
    run(&mut world, &[Op::Donate { frame: lent, kind: FrameType::Table, area: 0, pages: 0 }]);
    assert_eq!(world.tables.total_limit(lent), 2);
    for code in [3, 40, 62, 63] {
        let refused = world.apply(map(At::Root(single(1)), lent, 0, code));
        assert_eq!(refused, Some(Err("NoCredits".into())));
    }
    for index in 0..1024 {
        assert!(world.apply(map(At::Root(single(1)), lent, index, 2)).unwrap().is_ok());
    }
    for index in 0..2 * 1024 {
        let (source, place) = (At::Entry(lent, index / 2), index % 1024);
        let table = if index < 1024 { SPARE } else { quad(7) };
        if index == 1024 {
            run(&mut world, &[Op::Donate { frame: quad(7), kind: FrameType::Table, area: 0, pages: 0 }]);
        }
        assert!(world.apply(map(source, table, place, 0)).unwrap().is_ok());
    }
    world.compare().unwrap();
    run(&mut world, &[Op::Condemn { frame: lent }]);
    let mut units = 0;
    while world.model.was.contains_key(&lent) {
        assert!(world.apply(Op::Finish { frame: lent, units: 64, code: 2 }).unwrap().is_ok());
        units += 64;
    }
    // The last call may leave a part of its units, and the revoke of the list takes one.
    assert!(units <= 1024 * (1 + 2) + 64 + 1, "{units}");
    world.compare().unwrap();
}

/// Nothing new enters a Table that is being destroyed; its hooks go with its list, wherever they are.
#[test]
fn dying_tables() {
    let mut world = world();
    run(
        &mut world,
        &[
            Op::Hook { cap: 2, directory: OTHER, index: 1, rights: 1 },
            Op::Derive { parent: At::Cap(2), cap: 7, rights: 7, total: 5 },
            Op::Hook { cap: 7, directory: OTHER, index: 2, rights: 0 },
            Op::Condemn { frame: TABLE },
        ],
    );
    for cap in [2, 7] {
        let hook = Op::Hook { cap, directory: OTHER, index: 3, rights: 1 };
        assert_eq!(world.apply(hook), Some(Err("Gone".into())));
    }
    // Others go on: a mapping in the dying Table is revoked from above, and one below it is made.
    run(&mut world, &[map(At::Entry(TABLE, 1), SPARE, 5, 0), Op::Unmap { table: TABLE, index: 2 }]);
    for _ in 0..12 {
        if world.model.was.contains_key(&TABLE) {
            run(&mut world, &[Op::Finish { frame: TABLE, units: 1, code: 63 }]);
        }
    }
    assert_eq!(world.tables.frame_type(TABLE), FrameType::Data);
    assert!(is_leaf(&world.tables, world.tables.root(single(0))), "what hung on its entries is gone");
}

/// The first Table of an area cannot leave before the others; when it is destroyed, all of them leave
/// the area, and their owner can build another.
#[test]
fn destroying_the_areas_own_table() {
    let mut world = world();
    run(&mut world, &[Op::Condemn { frame: AREA }]);
    while world.model.was.contains_key(&AREA) {
        run(&mut world, &[Op::Finish { frame: AREA, units: 64, code: 63 }]);
    }
    run(
        &mut world,
        &[Op::Attach { directory: SPACE, table: SPARE }, Op::Attach { directory: SPACE, table: TABLE }],
    );
    assert_eq!(world.tables.area_table(SPACE), Some(SPARE));
}

/// Roots with lists: what hangs on an object's root cannot be given away or lent a second time.
#[test]
fn donated_roots() {
    let mut world = world();
    let root = world.tables.root(TABLE);
    assert!(!is_leaf(&world.tables, root));
    for kind in [FrameType::Table, FrameType::Directory, FrameType::Thread] {
        let again = Op::Donate { frame: TABLE, kind, area: 0, pages: 1 };
        assert_eq!(world.apply(again), Some(Err("NotData".into())));
    }
    assert_eq!(world.apply(map(At::Root(TABLE), SPARE, 0, 0)), Some(Err("EmptySource".into())));
    // A revoke of an object's list that nobody finishes holds nobody up but the object itself.
    run(
        &mut world,
        &[
            Op::Derive { parent: At::Root(TABLE), cap: 7, rights: 7, total: 0 },
            Op::Revoke { at: At::Root(TABLE), units: 1 },
        ],
    );
    let derive = Op::Derive { parent: At::Root(TABLE), cap: 8, rights: 7, total: 0 };
    assert_eq!(world.apply(derive), Some(Err("Busy".into())));
    run(&mut world, &[Op::Revoke { at: At::Root(TABLE), units: 64 }, derive]);
}

/// A root whose mappings came and went in an unlucky order has all its credits again when the last is gone; and an
/// object's root has no unfinished revoke.
#[test]
fn donated_roots_are_whole() {
    let mut world = world();
    let (root, other) = (At::Root(single(1)), At::Root(single(2)));
    run(
        &mut world,
        &[
            Op::FixTotal { frame: single(1), code: 4 },
            map(root, TABLE, 20, 0),
            map(root, TABLE, 21, 0),
            Op::Unmap { table: TABLE, index: 20 },
            Op::Unmap { table: TABLE, index: 21 },
            map(other, TABLE, 20, 0),
            map(other, TABLE, 21, 0),
            Op::Revoke { at: other, units: 1 },
            Op::Unmap { table: TABLE, index: 20 },
        ],
    );
    assert_eq!(world.tables.node(world.link(root)).credits, 4);
    assert!(world.tables.node(world.link(other)).revoking);
    let donate = |frame| Op::Donate { frame, kind: FrameType::Utcb, area: 0, pages: 0 };
    run(&mut world, &[donate(single(1)), donate(single(2))]);
    assert_eq!(world.tables.node(world.link(root)).credits, 4);
}

/// A total that an entry cannot hold is rounded down, and paid for as it is; a capability slot
/// holds any.
#[test]
fn totals_above_an_entrys() {
    let mut world = world();
    run(
        &mut world,
        &[
            Op::Derive { parent: At::Root(SPARE), cap: 7, rights: 7, total: 100_000 },
            map(At::Root(single(1)), TABLE, 20, 62),
            map(At::Entry(TABLE, 20), TABLE, 21, 61),
        ],
    );
    assert_eq!(world.tables.node(world.link(At::Cap(7))).total, 100_000);
    assert_eq!(world.tables.node(in_table(TABLE, 21)).total, 3072);
    assert_eq!(world.tables.node(in_table(TABLE, 20)).credits, 4095 - 3073);
    let whole = world.apply(map(At::Entry(TABLE, 21), TABLE, 22, 61));
    assert_eq!(whole, Some(Err("NoCredits".into())), "a child never costs as little as its parent had");
}

/// A receiver keeps an eye on its mapping while the giver takes it back: unmapping, mapping anew and
/// revoking its own, between the giver's units.
#[test]
fn unmapping_during_a_revoke() {
    let mut world = world();
    let giver = At::Entry(TABLE, 20);
    run(
        &mut world,
        &[map(At::Root(single(1)), TABLE, 20, 30), map(giver, TABLE, 21, 6), map(giver, TABLE, 30, 6)],
    );
    run(&mut world, &[map(At::Entry(TABLE, 21), TABLE, 22, 1), map(At::Entry(TABLE, 21), TABLE, 23, 1)]);
    run(&mut world, &[map(At::Entry(TABLE, 30), TABLE, 31, 1)]);
    run(
        &mut world,
        &[
            Op::Revoke { at: giver, units: 1 },
            map(At::Entry(TABLE, 31), TABLE, 32, 0),
            Op::Revoke { at: At::Entry(TABLE, 21), units: 1 },
            Op::Unmap { table: TABLE, index: 22 },
            Op::Unmap { table: TABLE, index: 32 },
            Op::Unmap { table: TABLE, index: 21 },
            Op::Revoke { at: giver, units: 64 },
            map(giver, TABLE, 21, 29),
        ],
    );
}

/// Where totals are no bounds, a mapping of total 0 gives its frame away; a UTCB's does not (1).
#[test]
fn a_utcb_stays_alone_where_totals_are_no_bounds() {
    let mut world = world();
    run(
        &mut world,
        &[
            Op::Donate { frame: single(2), kind: FrameType::Utcb, area: 0, pages: 0 },
            Op::MapUtcb { frame: single(2), table: TABLE, index: 77 },
        ],
    );
    world.tables.memory.unbounded = true;
    let onward =
        |world: &mut World, index, to| world.tables.map(in_table(TABLE, index), in_table(SPARE, to), 1, 1);
    assert_eq!(onward(&mut world, 77, 0), Err(MapError::NoCredits));
    assert_eq!(world.tables.check(), Ok(()));
    world.compare().unwrap();
    assert_eq!((onward(&mut world, 2, 0), onward(&mut world, 2, 1)), (Ok(()), Ok(())));
}

/// What a space was made of comes back, all of it (docs/invariants.md: 21), and nothing of it is left in
/// a table, a list or the frame table.
#[test]
fn everything_comes_back() {
    let mut world = world();
    run(
        &mut world,
        &[
            Op::Donate { frame: single(2), kind: FrameType::Utcb, area: 0, pages: 0 },
            Op::MapUtcb { frame: single(2), table: TABLE, index: 77 },
        ],
    );
    for frame in [SPACE, OTHER, TABLE, AREA, SPARE, single(2)] {
        run(&mut world, &[Op::Condemn { frame }]);
    }
    for frame in [single(2), AREA, OTHER, SPARE, TABLE, SPACE] {
        while world.model.was.contains_key(&frame) {
            run(&mut world, &[Op::Finish { frame, units: 3, code: 63 }]);
        }
    }
    run(&mut world, &[Op::Revoke { at: At::Root(single(0)), units: 64 }]);
    let fresh = World::new();
    for (address, now, then) in world.tables.memory.differences(&fresh.tables.memory) {
        // That programs used a root while its boot container was hooked may show in the root.
        let used = now & !(ACCESSED | DIRTY) == then;
        let root = world.model.boot.iter().any(|boot| (0..4096).contains(&address.wrapping_sub(*boot)));
        assert!(used && root, "{address:#x} is {now:#x}, and was {then:#x} at the start");
    }
}

/// An end that passes over a word, the last of the last frame: it is found where frames change owner, by a debug kernel
/// too (docs/invariants.md: 15).
#[test]
#[should_panic(expected = "restoring what is not clear")]
fn what_was_passed_over_shows() {
    let mut world = world();
    run(&mut world, &[Op::Detach { table: SPARE }, Op::Condemn { frame: SPARE }]);
    world.tables.memory.store(SPARE + 4 * frames_of(FrameType::Table) * 1024 - 4, 1);
    let settled = world.settle();
    world.tables.restore(SPARE, FrameType::Table, FreshRoot::new(63), &settled);
}

/// A kernel that helped itself to a frame after boot: what `KernelInfo(AllocatedBytes)` counts moves, by
/// either way in which a frame can become the kernel's.
#[test]
fn kernel_memory_shows() {
    let mut world = world();
    let boot = world.tables.count(FrameType::Kernel);
    world.tables.set_type(single(1), FrameType::Kernel);
    assert_eq!(world.tables.count(FrameType::Kernel), boot + 1);
    world.tables.set_type(single(2), FrameType::Hole);
    world.tables.reserve(single(2));
    assert_eq!(world.tables.count(FrameType::Kernel), boot + 2);
}
