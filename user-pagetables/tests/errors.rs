//! Every error of every operation, in the order in which they count. `World::apply` makes sure that
//! what is refused leaves every word of memory as it was.

mod support;

use freehold_user_pagetables::{FrameType, FreshRoot};
use support::model::At;
use support::ops::Op;
use support::scene::{AREA, OTHER, SPACE, SPARE, TABLE, run, world};
use support::world::{World, quad, single};

fn refused(world: &mut World, op: Op, error: &str) {
    assert_eq!(world.apply(op), Some(Err(error.to_string())), "{op:x?}");
    world.compare().unwrap();
}

fn donate(frame: u32, kind: FrameType) -> Op {
    Op::Donate { frame, kind, area: 5, pages: 8 }
}

fn map(source: At, table: u32, index: u32, code: u32) -> Op {
    Op::Map { source, table, index, rights: 1, code }
}

/// A chain of mappings in TABLE from entry 100 (a child of single frame 1, depth 1) to depth 63,
/// which is entry 162. All are unlimited.
fn chain(world: &mut World) -> At {
    let mut source = At::Root(single(1));
    for index in 100..163 {
        assert!(world.apply(map(source, TABLE, index, 63)).unwrap().is_ok());
        source = At::Entry(TABLE, index);
    }
    source
}

#[test]
fn donating() {
    let mut world = world();
    refused(&mut world, donate(quad(6) + 0x1000, FrameType::Table), "Misaligned");
    refused(&mut world, donate(0x3000, FrameType::Thread), "NotData");
    refused(&mut world, donate(TABLE, FrameType::Table), "NotData");
    refused(&mut world, donate(TABLE + 0x1000, FrameType::Thread), "NotData");
    refused(&mut world, donate(0x80_0000, FrameType::Thread), "NotData");
    refused(&mut world, donate(0xFFFF_C000, FrameType::Table), "NotData");
    refused(&mut world, donate(single(0), FrameType::Thread), "HasDescendants");
    // One part that is mapped, and one that has become something else.
    run(&mut world, &[map(At::Root(quad(6) + 0x3000), TABLE, 9, 0)]);
    refused(&mut world, donate(quad(6), FrameType::Table), "HasDescendants");
    run(&mut world, &[donate(quad(6) + 0x1000, FrameType::Utcb)]);
    refused(&mut world, donate(quad(6), FrameType::Table), "NotData");
}

#[test]
fn attaching() {
    let mut world = world();
    let attach = |directory, table| Op::Attach { directory, table };
    refused(&mut world, attach(SPACE, TABLE), "Owned");
    refused(&mut world, attach(OTHER, TABLE), "Owned");
    let boot = world.model.boot[0];
    refused(&mut world, attach(OTHER, boot), "Owned");
    // A Table with live entries cannot become the one that holds the views.
    run(&mut world, &[Op::Detach { table: TABLE }]);
    refused(&mut world, attach(OTHER, TABLE), "NotEmpty");
    // As a further one it may.
    run(
        &mut world,
        &[attach(SPACE, TABLE), donate(quad(6), FrameType::Table), Op::Condemn { frame: quad(6) }],
    );
    refused(&mut world, attach(OTHER, quad(6)), "Gone");
    let small = Op::Donate { frame: quad(3), kind: FrameType::Directory, area: 2, pages: 1 };
    run(&mut world, &[small, donate(quad(5), FrameType::Table), donate(quad(7), FrameType::Table)]);
    run(&mut world, &[attach(quad(3), quad(5))]);
    refused(&mut world, attach(quad(3), quad(7)), "Full");
}

/// Something was hooked before the area was declared there.
#[test]
fn attaching_to_an_occupied_area() {
    let mut world = world();
    run(&mut world, &[Op::Hook { cap: 2, directory: OTHER, index: 7, rights: 1 }]);
    world.tables.declare_area(OTHER, 7 << 22, 8);
    world.model.spaces.get_mut(&OTHER).unwrap().area = 7;
    run(&mut world, &[donate(quad(6), FrameType::Table)]);
    refused(&mut world, Op::Attach { directory: OTHER, table: quad(6) }, "Occupied");
}

#[test]
fn withdrawing() {
    let mut world = world();
    refused(&mut world, Op::Withdraw { table: TABLE }, "NotEmpty");
    refused(&mut world, Op::Withdraw { table: AREA }, "NotEmpty");
    refused(&mut world, Op::Detach { table: AREA }, "NotEmpty");
    run(&mut world, &[Op::Withdraw { table: SPARE }]);
    refused(&mut world, Op::Withdraw { table: SPARE }, "NotInArea");
    refused(&mut world, Op::Detach { table: SPARE }, "NotInArea");
    run(&mut world, &[Op::Detach { table: TABLE }, Op::Withdraw { table: AREA }]);
    refused(&mut world, Op::Withdraw { table: AREA }, "NotInArea");
}

#[test]
fn hooking() {
    let mut world = world();
    let hook = |cap, index| Op::Hook { cap, directory: SPACE, index, rights: 1 };
    refused(&mut world, hook(2, 5), "PageTableArea");
    refused(&mut world, hook(2, 9), "Occupied");
    refused(&mut world, Op::Unhook { directory: SPACE, index: 5 }, "PageTableArea");
    refused(&mut world, Op::Unhook { directory: SPACE, index: 6 }, "NoTable");
    refused(&mut world, Op::Unhook { directory: OTHER, index: 5 }, "NoTable");

    let derive = |parent, cap, total| Op::Derive { parent, cap, rights: 7, total };
    run(&mut world, &[derive(At::Cap(2), 10, 0)]);
    refused(&mut world, hook(10, 6), "NoCredits");
    // Two hooks; one taken back by a revoke that stops there.
    run(&mut world, &[derive(At::Cap(2), 11, 5), hook(11, 6), hook(11, 7)]);
    run(&mut world, &[Op::Revoke { at: At::Cap(11), units: 1 }]);
    refused(&mut world, hook(11, 8), "Busy");
    refused(&mut world, hook(11, 9), "Occupied");

    let mut parent = At::Root(SPARE);
    for cap in 20..83 {
        run(&mut world, &[derive(parent, cap, u32::MAX)]);
        parent = At::Cap(cap);
    }
    refused(&mut world, hook(82, 8), "TooDeep");
    refused(&mut world, derive(parent, 83, 0), "TooDeep");
    run(&mut world, &[Op::Condemn { frame: SPARE }]);
    // Gone comes before everything else.
    refused(&mut world, hook(82, 5), "Gone");
}

#[test]
fn mapping() {
    let mut world = world();
    let from = At::Entry(TABLE, 1);
    refused(&mut world, map(At::Entry(TABLE, 50), TABLE, 51, 0), "EmptySource");
    refused(&mut world, map(At::Root(SPARE), TABLE, 51, 0), "EmptySource");
    refused(&mut world, map(At::Root(SPARE + 0x1000), TABLE, 51, 0), "EmptySource");
    // A view is no source, as a child of it would outlive it.
    refused(&mut world, map(At::Entry(AREA, 0), TABLE, 51, 0), "EmptySource");
    refused(&mut world, map(from, TABLE, 2, 0), "Occupied");
    refused(&mut world, map(from, AREA, 9, 0), "Occupied");
    refused(&mut world, map(from, TABLE, 51, 9), "NoCredits");
    refused(&mut world, map(from, TABLE, 51, 63), "NoCredits");

    let deepest = chain(&mut world);
    refused(&mut world, map(deepest, TABLE, 51, 0), "TooDeep");
    refused(&mut world, map(deepest, TABLE, 1, 0), "Occupied");
    run(&mut world, &[Op::Revoke { at: At::Entry(TABLE, 100), units: 1 }]);
    refused(&mut world, map(At::Entry(TABLE, 100), TABLE, 51, 0), "Busy");
    refused(&mut world, map(At::Entry(TABLE, 100), TABLE, 2, 0), "Occupied");

    refused(&mut world, Op::Unmap { table: TABLE, index: 1 }, "HasDescendants");
    refused(&mut world, Op::UnmapAt { hook: 0, index: 1 }, "HasDescendants");
    refused(&mut world, Op::UnmapAt { hook: 5, index: 0 }, "PageTableArea");
    refused(&mut world, Op::UnmapAt { hook: 8, index: 0 }, "NoTable");
    // The boot container is hooked, but is not the space's.
    refused(&mut world, Op::UnmapAt { hook: 9, index: 0 }, "NoTable");
    run(&mut world, &[Op::Condemn { frame: TABLE }]);
    refused(&mut world, map(At::Root(single(2)), TABLE, 51, 0), "Occupied");
    refused(&mut world, Op::UnmapAt { hook: 0, index: 2 }, "NoTable");
}

/// Too deep and too poor at once: too deep is what one hears.
#[test]
fn too_deep_before_no_credits() {
    let mut world = world();
    let mut source = At::Root(single(1));
    for index in 100..163 {
        let code = if index == 162 { 0 } else { 63 };
        assert!(world.apply(map(source, TABLE, index, code)).unwrap().is_ok());
        source = At::Entry(TABLE, index);
    }
    refused(&mut world, map(source, TABLE, 51, 5), "TooDeep");
}

#[test]
fn utcbs() {
    let mut world = world();
    let utcb = |index| Op::MapUtcb { frame: single(2), table: TABLE, index };
    run(&mut world, &[donate(single(2), FrameType::Utcb)]);
    refused(&mut world, utcb(1), "Occupied");
    run(&mut world, &[utcb(40)]);
    refused(&mut world, utcb(41), "Occupied");
    refused(&mut world, map(At::Root(single(2)), TABLE, 41, 0), "EmptySource");
    // Its mapping is a mapping, but can give nothing away.
    refused(&mut world, map(At::Entry(TABLE, 40), TABLE, 41, 0), "NoCredits");
    run(&mut world, &[Op::Unmap { table: TABLE, index: 40 }, utcb(41)]);
}

#[test]
fn fixing_totals() {
    let mut world = world();
    let fix = |frame| Op::FixTotal { frame, code: 4 };
    for frame in [single(0), TABLE, TABLE + 0x1000] {
        refused(&mut world, fix(frame), "not a free root");
    }
    run(&mut world, &[fix(single(1)), map(At::Root(single(1)), TABLE, 60, 3)]);
    refused(&mut world, map(At::Root(single(1)), TABLE, 61, 0), "NoCredits");
    refused(&mut world, fix(single(1)), "not a free root");
    // What is no frame has no total to fix, and is no hindrance.
    let hole = world.tables.root(0x3000);
    world.tables.memory.mark();
    assert!(world.tables.fix_total(hole, FreshRoot::new(4)));
    assert!(world.tables.memory.changes().is_empty());
}
