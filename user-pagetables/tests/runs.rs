//! Runs: what is done to many entries at once is what would be done to one after the other, wherever it stops
//! (docs/invariants.md: 5, 7, 9, 20). Single entries are compared to the model in `random.rs`.

mod support;

use std::cell::Cell;

use freehold_captree::Link;
use freehold_user_pagetables::layout::{behind, in_table};
use freehold_user_pagetables::{Entry, Flush, MapError, PAGES_MAX, Unmapped};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::model::At;
use support::ops::Op;
use support::scene::{AREA, OTHER, SPACE, SPARE, TABLE, run, world};
use support::world::{PLACE, Units, World, quad, single};

/// Entries of TABLE and SPARE that the tests use.
const PLACES: u32 = 12;

/// Where runs begin: among roots, mappings, views, and what is empty.
fn place(number: u32) -> Link {
    match number / PLACES {
        0 => in_table(TABLE, number % PLACES),
        1 => in_table(SPARE, number % PLACES),
        2 => in_table(AREA, number % PLACES),
        // From roots of data over those of an object to holes.
        _ => in_table(PLACE, (quad(6) >> 12) + number % PLACES),
    }
}

/// Anything that makes entries differ.
fn preparation() -> impl Strategy<Value = Op> {
    let entry = (prop_oneof![5 => Just(TABLE), 1 => Just(SPARE)], 0..PLACES);
    let source = prop_oneof![
        (0..4u32).prop_map(|number| At::Root(single(number))),
        entry.clone().prop_map(|(table, index)| At::Entry(table, index)),
    ];
    let code = proptest::sample::select(&[0, 0, 0, 1, 3, 9, 46, 50, 63][..]);
    prop_oneof![
        20 => (source.clone(), entry.clone(), 0..2u8, code).prop_map(|(source, (table, index), rights, code)| Op::Map {
            source,
            table,
            index,
            rights,
            code
        }),
        2 => entry.prop_map(|(table, index)| Op::Unmap { table, index }),
        2 => (source, 1..3u32).prop_map(|(at, units)| Op::Revoke { at, units }),
        1 => Just(Op::FixTotal { frame: single(3), code: 5 }),
    ]
}

fn twins(preparations: &[Op]) -> [World; 2] {
    [(); 2].map(|()| {
        let mut world = world();
        let fill = (3..PLACES).map(|index| Op::Map {
            source: At::Root(single(index % 4)),
            table: TABLE,
            index,
            rights: (index % 2) as u8,
            code: if index == 9 { 0 } else { 63 },
        });
        for op in fill.chain(preparations.iter().copied()) {
            let _outcome = world.apply(op);
        }
        world
    })
}

fn alike(one: &World, other: &World, what: &str) {
    let differences = one.tables.memory.differences(&other.tables.memory);
    assert!(differences.is_empty(), "{what}: {differences:x?}");
    assert_eq!(one.tables.check(), Ok(()), "{what}");
}

fn map_singly(
    world: &mut World,
    source: Link,
    destination: Link,
    count: u32,
    rights: u8,
    code: u32,
) -> (u32, Result<(), MapError>) {
    for made in 0..count {
        let mapped = world.tables.map(behind(source, made), behind(destination, made), rights, code);
        if mapped.is_err() {
            return (made, mapped);
        }
    }
    (count, Ok(()))
}

fn unmap_singly(world: &mut World, first: Link, count: u32, address: Option<u32>) -> Unmapped {
    let mut sum = Unmapped { done: 0, used: 0, flush: Flush::None };
    while sum.done < count {
        let address = address.map(|address| address + 4096 * sum.done);
        let one = world.tables.unmap_run(behind(first, sum.done), 1, address);
        sum.used |= one.used;
        sum.flush = sum.flush.and(one.flush);
        if one.done == 0 {
            break;
        }
        sum.done += 1;
    }
    sum
}

/// Whether `flush` forgets everything that `other` does.
fn covers(flush: Flush, other: Flush) -> bool {
    match (flush, other) {
        (_, Flush::None) | (Flush::All, _) => true,
        // Several single pages add up to everything.
        (Flush::Pages(first, count), Flush::Pages(page, 1)) => (first..first + count * 4096).contains(&page),
        (Flush::Pages(_, count), Flush::All) => count > 1,
        _ => false,
    }
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn mapping() {
    let code = proptest::sample::select(&[0, 0, 1, 4, 46, 63][..]);
    let from = prop_oneof![0..PLACES, 3 * PLACES..3 * PLACES + 4, 0..4 * PLACES];
    let to = prop_oneof![5 => PLACES..2 * PLACES, 1 => 0..4 * PLACES];
    let all = (
        proptest::collection::vec(preparation(), 0..50),
        (from, to, 1..PLACES),
        0..2u8,
        code,
        0..PLACES,
        proptest::bool::weighted(0.05),
    );
    let made_in_all = Cell::new(0);
    let ran = runner(100).run(
        &all,
        |(preparations, (source, destination, count), rights, code, cut, condemned)| {
            let (source, destination) = (place(source), place(destination));
            let mut preparations = preparations;
            preparations.extend(condemned.then_some(Op::Condemn { frame: SPARE }));
            let [mut at_once, mut singly] = twins(&preparations);
            let expected = map_singly(&mut singly, source, destination, count, rights, code);
            let found = at_once.tables.map_run(source, destination, count, rights, code);
            assert_eq!(found, expected, "{source:?} to {destination:?}");
            alike(&at_once, &singly, "at once and one by one");
            made_in_all.set(made_in_all.get() + found.0);
            // Interrupted behind `cut` entries, and gone on with.
            let [mut in_two, _] = twins(&preparations);
            let cut = cut.min(count);
            let mut stopped = in_two.tables.map_run(source, destination, cut, rights, code);
            assert_eq!(in_two.tables.check(), Ok(()));
            if stopped.1.is_ok() {
                let (from, to) = (behind(source, cut), behind(destination, cut));
                let rest = in_two.tables.map_run(from, to, count - cut, rights, code);
                stopped = (cut + rest.0, rest.1);
            }
            assert_eq!(stopped, expected, "cut at {cut}");
            alike(&in_two, &singly, "in two runs");
            Ok(())
        },
    );
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let made_in_all = made_in_all.get();
    assert!(made_in_all > 60, "{made_in_all} mappings are too few to mean anything");
}

#[test]
fn unmapping() {
    let all = (
        proptest::collection::vec(preparation(), 5..50),
        prop_oneof![0..PLACES, 0..4 * PLACES],
        1..=PLACES,
        any::<bool>(),
    );
    let done_in_all = Cell::new(0);
    let ran = runner(100).run(&all, |(preparations, first, count, named)| {
        let first = place(first);
        let address = named.then_some(0x40_0000);
        let [mut at_once, mut singly] = twins(&preparations);
        let expected = unmap_singly(&mut singly, first, count, address);
        let found = at_once.tables.unmap_run(first, count, address);
        assert_eq!((found.done, found.used), (expected.done, expected.used), "{first:?}, {count}");
        assert!(covers(found.flush, expected.flush), "{:?} instead of {:?}", found.flush, expected.flush);
        alike(&at_once, &singly, "at once and one by one");
        done_in_all.set(done_in_all.get() + found.done);
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let done_in_all = done_in_all.get();
    assert!(done_in_all > 200, "{done_in_all} entries are too few to mean anything");
}

/// Destination and source in the same entries of one Table: each mapping made is the source of the next.
#[test]
fn a_run_that_feeds_on_itself() {
    let mut world = world();
    let (first, second) = (in_table(TABLE, 40), in_table(TABLE, 41));
    run(&mut world, &[Op::Map { source: At::Root(single(1)), table: TABLE, index: 40, rights: 1, code: 63 }]);
    let (made, result) = world.tables.map_run(first, second, 100, 1, 63);
    // The first lies at depth 1.
    assert_eq!((made, result), (62, Err(MapError::TooDeep)));
    assert_eq!(world.tables.check(), Ok(()));
    assert_eq!(world.tables.meta(behind(first, 62)).depth(), 63);
}

/// What nobody has used since it was mapped is in no TLB; a few pages are flushed by name, many as a whole.
#[test]
fn flushes() {
    let fill = |count| {
        let mut world = world();
        for index in 100..100 + count {
            run(
                &mut world,
                &[Op::Map { source: At::Root(single(1)), table: TABLE, index, rights: 1, code: 0 }],
            );
        }
        world
    };
    let first = in_table(TABLE, 100);
    // `run` lets the space touch every page that it sees.
    let mut few = fill(3);
    assert_eq!(few.tables.unmap_run(first, 3, Some(0x64000)).flush, Flush::Pages(0x64000, 3));
    let mut many = fill(PAGES_MAX + 1);
    many.mmu.forget_all();
    let found = many.tables.unmap_run(first, PAGES_MAX + 1, Some(0x64000));
    assert_eq!(found.used & Entry::ACCESSED, Entry::ACCESSED);
    many.tlb.owe(found.flush, |_| panic!("no single pages"));
    assert!(many.tlb.is_due());

    let mut unused = world();
    run(&mut unused, &[Op::Switch { directory: OTHER }]);
    let root = unused.link(At::Root(single(1)));
    for index in 100..110 {
        assert_eq!(unused.tables.map(root, in_table(TABLE, index), 1, 0), Ok(()));
    }
    let found = unused.tables.unmap_run(first, 5, None);
    assert_eq!((found.done, found.used & Entry::ACCESSED, found.flush), (5, 0, Flush::None));
    let (_, flush) = unused.tables.revoke(root, &mut Units::new(9));
    assert_eq!(flush, Flush::None, "nobody has touched what was revoked");
    // The same, touched.
    let mut used = world();
    run(&mut used, &[Op::Map { source: At::Root(single(1)), table: TABLE, index: 100, rights: 1, code: 0 }]);
    let (_, flush) = used.tables.revoke(root, &mut Units::new(9));
    assert_eq!(flush, Flush::All);
    // Touched, and out of sight since: what went with the hook is gone already.
    let mut unhooked = world();
    run(
        &mut unhooked,
        &[Op::Map { source: At::Root(single(1)), table: TABLE, index: 100, rights: 1, code: 0 }],
    );
    run(&mut unhooked, &[Op::Unhook { directory: SPACE, index: 0 }]);
    let (_, flush) = unhooked.tables.revoke(root, &mut Units::new(9));
    assert_eq!(flush, Flush::None);
}
