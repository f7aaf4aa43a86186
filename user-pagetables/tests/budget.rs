//! Work between two checks (docs/invariants.md: 9, 20): a revoke, and the end of an object, spends what it was given
//! and no more, stands still in a sound state, and comes to the same end however often it was stopped.

mod support;

use freehold_captree::phi;
use freehold_user_pagetables::empty::{HOOK, STRETCH};
use freehold_user_pagetables::{FrameType, Progress, Tables};
use support::machine::Physical;
use support::model::At;
use support::ops::Op;
use support::scene::{OTHER, SPARE, TABLE, run, world};
use support::world::{Units, World, single};

const RECEIVERS: u32 = 200;

/// A lender's mapping at entry 8, and below it so many receivers with a child each.
fn lent() -> World {
    let mut world = world();
    let lender = At::Entry(TABLE, 8);
    let map = |source, index, code| Op::Map { source, table: TABLE, index, rights: 1, code };
    // Code 58 is a total of 1,536.
    assert!(world.apply(map(At::Root(single(1)), 8, 58)).unwrap().is_ok());
    for number in 0..RECEIVERS {
        let index = 10 + 2 * number;
        assert!(world.apply(map(lender, index, 1)).unwrap().is_ok());
        assert!(world.apply(map(At::Entry(TABLE, index), index + 1, 0)).unwrap().is_ok());
    }
    run(&mut world, &[]);
    world
}

fn revoke(tables: &mut Tables<Physical>, at: freehold_captree::Link, units: u32) -> (u32, Progress) {
    let mut budget = Units::new(units);
    let (progress, _flush) = tables.revoke(at, &mut budget);
    assert!(budget.spent <= units);
    (budget.spent, progress)
}

#[test]
fn stops_in_time_and_comes_to_the_same_end() {
    let mut straight = lent();
    let slot = straight.link(At::Entry(TABLE, 8));
    let limit = phi(&straight.tables, slot).unwrap();
    assert_eq!(revoke(&mut straight.tables, slot, u32::MAX), (2 * RECEIVERS, Progress::Done));
    assert!(2 * RECEIVERS <= limit);
    for units in [1, 2, 7, 64, 399, 400] {
        let mut world = lent();
        let mut total = 0;
        loop {
            let (spent, progress) = revoke(&mut world.tables, slot, units);
            total += spent;
            if progress == Progress::Done {
                break;
            }
            assert_eq!(spent, units, "stopped before its budget was spent");
            if total % 63 == 0 {
                assert_eq!(world.tables.check(), Ok(()));
            }
        }
        assert_eq!(total, 2 * RECEIVERS);
        assert!(
            world.tables.memory.differences(&straight.tables.memory).is_empty(),
            "another end after {units} a time"
        );
    }
}

#[test]
fn nothing_without_units() {
    let mut world = lent();
    let slot = world.link(At::Entry(TABLE, 8));
    world.tables.memory.mark();
    assert_eq!(revoke(&mut world.tables, slot, 0), (0, Progress::Preempted));
    assert!(world.tables.memory.changes().is_empty());
}

/// Between the units of a revoke, a receiver that is still there derives as fast as it can.
#[test]
fn deriving_during_a_revoke() {
    let mut world = lent();
    let lender = At::Entry(TABLE, 8);
    let limit = phi(&world.tables, world.link(lender)).unwrap();
    // The eldest is the last to be taken.
    let eldest = At::Entry(TABLE, 10);
    let (mut steps, mut derived) = (0, 0);
    let derive = |source, index| Op::Map { source, table: TABLE, index, rights: 1, code: 0 };
    loop {
        steps += 1;
        let outcome = world.apply(Op::Revoke { at: lender, units: 1 }).unwrap();
        if outcome.unwrap() == "Done" {
            break;
        }
        assert_eq!(world.apply(derive(lender, 901)), Some(Err("Busy".into())));
        for index in [11, 900] {
            assert!(world.apply(Op::Unmap { table: TABLE, index }).unwrap().is_ok());
        }
        if world.model.forest.has(eldest) {
            derived += u32::from(world.apply(derive(eldest, 900)).unwrap().is_ok());
        }
    }
    assert!(derived > RECEIVERS && steps <= limit, "{derived} derived, {steps} steps, at most {limit}");
    world.compare().unwrap();
}

/// The last unit ends the revoke: nobody can derive between it and its end, and so keep it going.
#[test]
fn the_last_step_is_the_end() {
    let mut world = world();
    let lender = At::Entry(TABLE, 1);
    let outcome = world.apply(Op::Revoke { at: lender, units: 1 });
    assert_eq!(outcome, Some(Ok("Done".into())));
    run(&mut world, &[Op::Map { source: lender, table: TABLE, index: 2, rights: 1, code: 7 }]);
}

/// A slot in which nothing is: revoking that succeeds.
#[test]
fn empty_slots() {
    let mut world = world();
    let slot = freehold_user_pagetables::layout::in_table(TABLE, 77);
    world.tables.memory.mark();
    // There is nothing to take, and so nothing to spend.
    assert_eq!(revoke(&mut world.tables, slot, 0), (0, Progress::Done));
    assert!(world.tables.memory.changes().is_empty());
}

/// A Table with mappings at `places`, each second one with a child in another Table; or a space with hooks there.
fn object(kind: FrameType, places: &[u32]) -> World {
    let mut world = world();
    for (number, &index) in places.iter().enumerate() {
        let place = Op::Map { source: At::Root(single(1)), table: SPARE, index, rights: 1, code: 1 };
        let ops = match kind {
            FrameType::Table if number % 2 == 0 => vec![place],
            FrameType::Table => {
                let source = At::Entry(SPARE, index);
                vec![place, Op::Map { source, table: TABLE, index: (index + 100) % 1024, rights: 0, code: 0 }]
            }
            _ => vec![Op::Hook { cap: 0, directory: OTHER, index, rights: 1 }],
        };
        for op in ops {
            assert!(world.apply(op).unwrap().is_ok(), "{op:x?}");
        }
    }
    world
}

/// Condemns the object and takes it apart, at first without a unit and then so many at a time. After each stop the model
/// is asked for all there is to know, the counts of live entries among it. Returns how often it was stopped: with one
/// unit at a time, how many it needs.
fn end(world: &mut World, frame: u32, units: u32) -> u32 {
    run(world, &[Op::Condemn { frame }]);
    let mut stops = 0;
    let given = |stops| if stops == 0 { 0 } else { units };
    while world.apply(Op::Finish { frame, units: given(stops), code: 63 }).unwrap().unwrap() != "Done" {
        world.compare().unwrap();
        stops += 1;
    }
    world.compare().unwrap();
    stops
}

/// However much an object holds, and where: empty ones need no unit, those with a few entries one for each 64 that are
/// passed over, and the frames are clear in the end (which the operation itself looks at).
#[test]
fn objects_end_from_every_stop() {
    let tables = (FrameType::Table, SPARE, 1023, 1);
    let spaces = (FrameType::Directory, OTHER, 767, HOOK);
    for (kind, frame, last, price) in [tables, spaces] {
        let (at_the_end, stretches) = ([last], (last + 1) / STRETCH);
        let places: [(&[u32], u32); 7] = [
            (&[], 0),
            (&[0], 0),
            (&[1], 1),
            (&[63, 64], 1),
            (&[0, 500], 8),
            (&[7, 8, 9, 300, 301], 6),
            (&at_the_end, stretches),
        ];
        for (places, passed_over) in places {
            let children = if kind == FrameType::Table { places.len() as u32 / 2 } else { 0 };
            let needs = passed_over + price * places.len() as u32 + children;
            assert_eq!(end(&mut object(kind, places), frame, needs), needs.min(1), "{kind:?} {places:?}");
            if needs > price {
                assert_eq!(end(&mut object(kind, places), frame, needs - 1), 2, "{kind:?} {places:?}");
            }
            for units in [price, price + 1, 7] {
                end(&mut object(kind, places), frame, units);
            }
        }
    }
    let full: Vec<u32> = (0..1024).step_by(3).collect();
    end(&mut object(FrameType::Table, &full), SPARE, 64);
}

/// What hangs on an object's root goes a node a unit; nothing does: not even one.
#[test]
fn lists_end_from_every_stop() {
    for children in [0, 1, 5] {
        let mut world = world();
        for cap in 4..4 + children {
            // Grandchildren among them, so that a stop finds one behind the root.
            let parent = if cap % 2 == 0 { At::Root(SPARE) } else { At::Cap(cap - 1) };
            let total = 5 * (1 - cap % 2);
            run(&mut world, &[Op::Derive { parent, cap, rights: 7, total }]);
        }
        assert_eq!(end(&mut world, SPARE, 1), children);
    }
}
