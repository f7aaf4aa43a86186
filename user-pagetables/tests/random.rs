//! Random operations on Tables and Directories, and on their donors, owners, mappings and ends:
//! after each one the library, the model and the processor's TLB agree, and every invariant holds
//! (docs/invariants.md: 1–5, 7, 8, 10, 11, 13, 20).

mod support;

use std::collections::BTreeMap;

use freehold_user_pagetables::FrameType;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::model::At;
use support::ops::Op;
use support::world::{CAPS, QUADS, SINGLES, World, quad, single};

const INDICES: [u32; 3] = [0, 1, 1023];
const HOOKS: [u32; 4] = [0, 1, 5, 767];

/// Few objects, so that operations meet. The first two groups start as Directories.
fn directory() -> impl Strategy<Value = u32> {
    prop_oneof![8 => (0..2u32).prop_map(quad), 1 => (2..4u32).prop_map(quad)]
}

fn table() -> impl Strategy<Value = u32> {
    prop_oneof![8 => (2..6u32).prop_map(quad), 1 => (0..QUADS).prop_map(quad)]
}

fn frame() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => (0..SINGLES).prop_map(single),
        2 => (0..4u32).prop_map(|part| quad(6) + part * 4096),
        1 => (0..QUADS).prop_map(quad),
    ]
}

/// Half of the entries are the two that hold something from the start.
fn entry() -> impl Strategy<Value = At> {
    prop_oneof![
        (table(), select(&INDICES[..])).prop_map(|(table, index)| At::Entry(table, index)),
        (4..6u32).prop_map(|number| At::Entry(quad(number), 1)),
    ]
}

fn code() -> impl Strategy<Value = u32> {
    prop_oneof![3 => 0..4u32, 1 => 4..63u32, 2 => Just(63u32)]
}

fn op() -> impl Strategy<Value = Op> {
    let index = || select(&INDICES[..]);
    let hook = || select(&HOOKS[..]);
    let kind = select(
        &[FrameType::Table, FrameType::Table, FrameType::Directory, FrameType::Utcb, FrameType::Utcb][..],
    );
    let source = prop_oneof![1 => frame().prop_map(At::Root), 2 => entry()];
    let any = prop_oneof![
        3 => entry(), 2 => frame().prop_map(At::Root), 1 => (0..CAPS).prop_map(At::Cap),
        1 => table().prop_map(At::Root),
    ];
    let parent = prop_oneof![3 => table().prop_map(At::Root), 1 => (0..CAPS).prop_map(At::Cap)];
    let total = select(&[0, 1, 2, 5, 50, 5000, u32::MAX][..]);
    prop_oneof![
        3 => (prop_oneof![frame(), table(), directory()], kind, hook(), select(&[1u32, 2, 4, 1024][..]))
            .prop_map(|(frame, kind, area, pages)| Op::Donate { frame, kind, area, pages }),
        5 => (parent, 2..CAPS, 0..8u8, total)
            .prop_map(|(parent, cap, rights, total)| Op::Derive { parent, cap, rights, total }),
        2 => (2..CAPS).prop_map(|cap| Op::Drop { cap }),
        4 => (directory(), table()).prop_map(|(directory, table)| Op::Attach { directory, table }),
        1 => table().prop_map(|table| Op::Detach { table }),
        2 => table().prop_map(|table| Op::Withdraw { table }),
        6 => (0..CAPS, directory(), hook(), 0..8u8)
            .prop_map(|(cap, directory, index, rights)| Op::Hook { cap, directory, index, rights }),
        2 => (directory(), hook()).prop_map(|(directory, index)| Op::Unhook { directory, index }),
        12 => (source, table(), index(), 0..8u8, code())
            .prop_map(|(source, table, index, rights, code)| Op::Map { source, table, index, rights, code }),
        2 => ((0..SINGLES).prop_map(single), table(), index())
            .prop_map(|(frame, table, index)| Op::MapUtcb { frame, table, index }),
        4 => (table(), index()).prop_map(|(table, index)| Op::Unmap { table, index }),
        4 => (hook(), index()).prop_map(|(hook, index)| Op::UnmapAt { hook, index }),
        6 => (any, 0..6u32).prop_map(|(at, units)| Op::Revoke { at, units }),
        2 => (frame(), code()).prop_map(|(frame, code)| Op::FixTotal { frame, code }),
        3 => directory().prop_map(|directory| Op::Switch { directory }),
        1 => prop_oneof![table(), directory(), (0..SINGLES).prop_map(single)]
            .prop_map(|frame| Op::Condemn { frame }),
        4 => (prop_oneof![table(), directory(), (0..SINGLES).prop_map(single)], 0..40u32, code())
            .prop_map(|(frame, units, code)| Op::Finish { frame, units, code }),
    ]
}

/// Two spaces with two Tables each, hooked and holding a mapping, the second Table of the first
/// shared with the second.
fn start() -> World {
    let mut world = World::new();
    let mut ops = Vec::new();
    for number in 0..6 {
        let kind = if number < 2 { FrameType::Directory } else { FrameType::Table };
        ops.push(Op::Donate { frame: quad(number), kind, area: 1 + 4 * number, pages: 4 });
    }
    for number in 2..6 {
        ops.push(Op::Attach { directory: quad(number % 2), table: quad(number) });
    }
    for (cap, number) in [(2, 4), (3, 5)] {
        ops.push(Op::Derive { parent: At::Root(quad(number)), cap, rights: 7, total: 20 });
        ops.push(Op::Hook { cap, directory: quad(number % 2), index: 0, rights: 1 });
        ops.push(Op::Map { source: At::Root(single(0)), table: quad(number), index: 1, rights: 1, code: 8 });
    }
    ops.push(Op::Hook { cap: 2, directory: quad(1), index: 767, rights: 0 });
    ops.push(Op::Switch { directory: quad(0) });
    for op in ops {
        assert!(world.apply(op).expect("it makes sense").is_ok(), "{op:x?}");
        world.compare().unwrap();
    }
    world
}

#[test]
fn library_model_and_tlb_agree() {
    let config =
        Config { cases: 150, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    // How often each operation came to which end: a test that no longer reaches an end shows.
    let tally = std::cell::RefCell::new(BTreeMap::<String, u32>::new());
    let ran = runner.run(&proptest::collection::vec(op(), 1..240), |ops| {
        let mut world = start();
        for op in ops {
            let Some(outcome) = world.apply(op) else { continue };
            let name = format!("{op:?}").split(' ').next().unwrap_or_default().to_string();
            let end = match outcome {
                Ok(progress) if progress == "Preempted" => "preempted".to_string(),
                Ok(_) => "done".to_string(),
                Err(error) => error,
            };
            *tally.borrow_mut().entry(format!("{name} {end}")).or_default() += 1;
            world.compare().unwrap_or_else(|difference| panic!("after {op:x?}: {difference}"));
        }
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let tally = tally.into_inner();
    for end in ENDS {
        assert!(tally.contains_key(*end), "never reached: {end}; {tally:#?}");
    }
}

/// What the operations must have come to, each at least once.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "Attach Gone", "Attach NotEmpty", "Attach Owned", "Attach done", "Condemn done", "Derive Busy",
    "Derive NoCredits", "Derive done", "Detach NotEmpty", "Detach NotInArea", "Detach done",
    "Donate HasDescendants", "Donate Misaligned", "Donate NotData", "Donate done", "Drop HasDescendants",
    "Drop done", "Finish done", "Finish preempted", "FixTotal done", "Hook Busy", "Hook Gone", "Hook NoCredits", "Hook Occupied",
    "Hook PageTableArea", "Hook done", "Map Busy", "Map EmptySource", "Map NoCredits", "Map Occupied",
    "Map done", "MapUtcb Occupied", "MapUtcb done", "Revoke done", "Revoke preempted",
    "Switch done", "Unhook NoTable", "Unhook PageTableArea", "Unhook done", "Unmap HasDescendants",
    "Unmap done", "UnmapAt HasDescendants", "UnmapAt NoTable", "UnmapAt PageTableArea", "UnmapAt done",
    "Withdraw NotEmpty", "Withdraw NotInArea", "Withdraw done",
];
