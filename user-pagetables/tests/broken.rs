//! `check` finds what it is there to find: one broken machine for each fault.

mod support;

use freehold_captree::{Link, Slots, check::Fault};
use freehold_user_pagetables::check::Broken;
use freehold_user_pagetables::layout::{META, TABLE as TABLE_BYTES, in_directory, in_table};
use freehold_user_pagetables::{Entry, FrameType, Kind, Memory, Meta, Tables};
use support::machine::Physical;
use support::scene::{AREA, OTHER, SPACE, SPARE, TABLE, world};
use support::world::{BLOCKS, PLACE, single};

/// What the check says after `damage`.
fn found(damage: impl FnOnce(&mut Tables<Physical>)) -> Broken {
    let mut world = world();
    damage(&mut world.tables);
    world.tables.check().expect_err("the damage must be found")
}

fn forge(tables: &mut Tables<Physical>, slot: Link, entry: Entry, kind: Kind) {
    tables.memory.store(slot.address(), entry.0);
    tables.memory.store(slot.address() + META, Meta::new(1, 0, kind, 0).0);
}

/// Writes a frame's type past `set_type`.
fn forge_type(tables: &mut Tables<Physical>, frame: u32, kind: FrameType) {
    tables.memory.store(PLACE + BLOCKS * TABLE_BYTES + 16 * (frame >> 12), kind as u32);
}

#[test]
fn types() {
    let kernel = |tables: &mut Tables<_>| forge_type(tables, 0x5000, FrameType::Kernel);
    assert_eq!(found(kernel), Broken::Counts(FrameType::Kernel));
    for kind in [FrameType::Kernel, FrameType::Thread, FrameType::Sidecar, FrameType::Hole] {
        assert_eq!(found(|tables| forge_type(tables, single(1), kind)), Broken::Type(single(1)));
    }
    let hook = in_directory(SPACE, 0);
    assert_eq!(found(|tables| forge_type(tables, TABLE, FrameType::Data)), Broken::Level(hook));
    assert_eq!(
        found(|tables| forge_type(tables, TABLE + 0x1000, FrameType::Data)),
        Broken::Type(TABLE + 0x1000)
    );
    for (target, kind) in [
        (SPACE, FrameType::Directory),
        (TABLE, FrameType::Table),
        (TABLE + 0x3000, FrameType::Sidecar),
        (PLACE, FrameType::Table),
        (0x3000, FrameType::Hole),
    ] {
        let slot = in_table(TABLE, 2);
        let damage = |tables: &mut Tables<Physical>| {
            tables.memory.store(slot.address(), Entry::user(target, false).0);
        };
        assert_eq!(found(damage), Broken::Mapped(slot, kind));
    }
}

#[test]
fn nodes_and_entries() {
    let slot = in_table(TABLE, 2);
    assert_eq!(found(|t| t.link(TABLE)), Broken::Links(TABLE));
    assert_eq!(found(|t| t.unlink(AREA)), Broken::Links(AREA));
    let root = world().tables.root(single(0));
    assert_eq!(found(|t| t.set_prev(slot, Link::NONE)), Broken::Tree(root, Fault::Back(slot)));
    let more = |t: &mut Tables<_>| t.set_credits(in_table(TABLE, 1), 8);
    assert_eq!(found(more), Broken::Tree(root, Fault::Credits(in_table(TABLE, 1))));
    let writable = |t: &mut Tables<Physical>| t.memory.store(slot.address(), Entry::user(single(0), true).0);
    assert_eq!(found(writable), Broken::Entry(slot));
    let elsewhere =
        |t: &mut Tables<Physical>| t.memory.store(slot.address(), Entry::user(single(1), false).0);
    assert_eq!(found(elsewhere), Broken::Entry(slot));
    let alone = |t: &mut Tables<Physical>| {
        forge(t, in_table(TABLE, 30), Entry::user(single(0), false), Kind::Mapping);
        t.set_aux(TABLE, t.aux(TABLE) + 1);
    };
    assert_eq!(found(alone), Broken::Nodes);
    assert_eq!(found(|t| t.set_aux(TABLE, 3)), Broken::Live(TABLE));
    assert_eq!(found(|t| t.set_aux(SPACE, 1)), Broken::Live(SPACE));
    assert_eq!(found(|t| t.set_aux(OTHER, 1)), Broken::Live(OTHER));
    assert_eq!(
        found(|t| t.memory.store(in_table(TABLE, 3).address(), 2)),
        Broken::Residue(in_table(TABLE, 3))
    );
    assert_eq!(found(|t| t.memory.store(in_table(TABLE, 3).address(), 1)), Broken::Entry(in_table(TABLE, 3)));
    let hidden = |t: &mut Tables<Physical>| t.memory.store(slot.address(), 0);
    assert_eq!(found(hidden), Broken::Entry(slot));
}

#[test]
fn directories_and_areas() {
    let hook = in_directory(SPACE, 0);
    let level =
        |target| move |t: &mut Tables<Physical>| t.memory.store(hook.address(), Entry::user(target, true).0);
    assert_eq!(found(level(SPACE)), Broken::Level(hook));
    assert_eq!(found(level(OTHER)), Broken::Level(hook));
    assert_eq!(found(level(single(0))), Broken::Level(hook));
    // Another Table than the capability names.
    assert_eq!(found(level(SPARE)), Broken::Entry(hook));
    assert_eq!(found(|t| t.memory.store(hook.address(), 0x40)), Broken::Residue(hook));
    let forged = |t: &mut Tables<Physical>| {
        forge(t, in_directory(OTHER, 9), Entry::user(SPARE, false), Kind::Hook);
        t.link(SPARE);
    };
    assert_eq!(found(forged), Broken::Entry(in_directory(OTHER, 9)));

    let view = in_table(AREA, 1);
    let writable = |t: &mut Tables<Physical>| t.memory.store(view.address(), Entry::user(TABLE, true).0);
    assert_eq!(found(writable), Broken::Entry(view));
    let swapped = |t: &mut Tables<Physical>| t.memory.store(view.address(), Entry::user(SPARE, false).0);
    assert_eq!(found(swapped), Broken::Area(AREA));
    let lost = |t: &mut Tables<Physical>| forge(t, view, Entry::ZERO, Kind::Empty);
    assert_eq!(found(lost), Broken::Area(AREA));
    let stray =
        |t: &mut Tables<Physical>| forge(t, in_table(TABLE, 9), Entry::user(SPARE, false), Kind::View);
    assert_eq!(found(stray), Broken::Area(TABLE));
    assert_eq!(found(|t| t.set_owner(SPARE, 0)), Broken::Area(AREA));
    assert_eq!(found(|t| t.set_owner(SPARE, OTHER | 2)), Broken::Area(AREA));
    let own = in_directory(SPACE, 5);
    let open = |t: &mut Tables<Physical>| t.memory.store(own.address(), Entry::user(AREA, true).0);
    assert_eq!(found(open), Broken::Area(SPACE));
    let bound = |t: &mut Tables<Physical>| {
        forge(t, in_table(AREA, 9), Entry::user(single(0), false), Kind::Mapping);
        t.set_aux(AREA, 1);
    };
    assert_eq!(found(bound), Broken::Bound(AREA));
}
