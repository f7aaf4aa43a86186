//! Totals as codes, and nodes as words: what goes in comes out, and nothing touches its neighbour.

mod support;

use freehold_captree::{Node, Slots, UNLIMITED};
use freehold_user_pagetables::layout::{self, in_directory, in_node, in_table};
use freehold_user_pagetables::{Kind, Memory, Meta, total};
use support::model::{At, total_of};
use support::world::{NODE, World, quad};

#[test]
fn totals() {
    let mut last = None;
    for code in 0..64 {
        let total = total::decode(code);
        assert_eq!(total_of(code), (total != UNLIMITED).then_some(total));
        assert_eq!(total::encode(total), code, "each code is the code of its total");
        assert!(last.is_none_or(|last| last < total), "totals grow with their codes");
        last = Some(total);
    }
    for wanted in (0..6000).chain([1 << 20, u32::MAX - 1, u32::MAX]) {
        let stored = total::decode(total::encode(wanted));
        let best = (0..64).map(total::decode).filter(|&total| total <= wanted).max();
        // Less than everything is never everything.
        let best = if wanted == UNLIMITED { Some(UNLIMITED) } else { best };
        assert_eq!(Some(stored), best, "{wanted} is rounded down to what there is");
    }
}

#[test]
fn packed_nodes() {
    let kinds = [
        Kind::Empty,
        Kind::Root,
        Kind::Donated,
        Kind::Part,
        Kind::Mapping,
        Kind::Hook,
        Kind::View,
        Kind::Hole,
    ];
    let read = |meta: Meta| (meta.depth(), meta.rights(), meta.kind(), meta.revoking(), meta.code());
    for depth in [0, 1, 31, 62, 63] {
        for rights in 0..8 {
            for kind in kinds {
                for code in 0..64 {
                    let meta = Meta::new(depth, rights, kind, code);
                    assert_eq!(read(meta), (depth, rights, kind, false, code));
                    assert_eq!((meta.total(), meta.credits()), (total::decode(code), total::decode(code)));
                    let marked = meta.with_revoking(true);
                    assert_eq!(read(marked), (depth, rights, kind, true, code));
                    assert_eq!(marked.credits(), meta.credits());
                    assert_eq!(marked.with_revoking(false), meta);
                    for other in kinds {
                        assert_eq!(meta.with_kind(other), Meta::new(depth, rights, other, code));
                    }
                    let credits = meta.credits() / 2;
                    let spent = marked.with_credits(credits);
                    assert_eq!(read(spent), read(marked));
                    let wanted = if code == total::UNLIMITED_CODE { UNLIMITED } else { credits };
                    assert_eq!(spent.credits(), wanted);
                }
            }
        }
    }
}

/// The three stores of a node: each keeps its fields, and writes no word of a neighbour.
#[test]
fn slots_keep_their_fields() {
    let table = quad(0);
    let slots = [in_table(table, 0), in_table(table, 1023), in_directory(table, 767), in_node(NODE, 127)];
    for slot in slots {
        let mut world = World::new();
        world.tables.memory.mark();
        for rights in 0..8 {
            for depth in [0, 63] {
                for wanted in [0, 7, 46, 4095, 5000, UNLIMITED] {
                    let total = world.tables.representable(slot, wanted);
                    let exact = slot.kind() == layout::IN_NODE || wanted == UNLIMITED;
                    assert_eq!(total, if exact { wanted } else { wanted.min(4095) });
                    for revoking in [false, true] {
                        let credits = if total == UNLIMITED { total } else { total / 2 };
                        let node = Node { depth, rights, revoking, total, credits };
                        world.tables.put(slot, node);
                        world.tables.set_next(slot, in_node(NODE, 3));
                        world.tables.set_prev(slot, in_table(table, 5));
                        assert_eq!(world.tables.node(slot), node);
                        assert_eq!(world.tables.next(slot), in_node(NODE, 3));
                        assert_eq!(world.tables.prev(slot), in_table(table, 5));
                        world.tables.set_revoking(slot, !revoking);
                        world.tables.set_credits(slot, credits);
                        assert_eq!(world.tables.node(slot), Node { revoking: !revoking, ..node });
                    }
                }
            }
        }
        let own: Vec<u32> = match slot.kind() {
            layout::IN_NODE => (0..8).map(|word| slot.address() + 4 * word).collect(),
            _ => (1..4).map(|page| slot.address() + page * layout::NEXT).collect(),
        };
        let changes = world.tables.memory.changes();
        assert!(changes.iter().all(|word| own.contains(word)), "{changes:x?} outside {own:x?}");
    }
}

/// A capability's kind and fields live beside its node.
#[test]
fn capability_fields() {
    let mut world = World::new();
    let slot = in_node(NODE, 5);
    let node = Node { depth: 9, rights: 5, revoking: true, total: 77, credits: 3 };
    world.tables.put(slot, node);
    for kind in 0..16 {
        for origin in [false, true] {
            world.tables.set_cap_kind(slot, kind, origin);
            world.tables.set_cap_field(slot, layout::OBJECT, 0x1234_0000);
            world.tables.set_cap_field(slot, layout::BADGE, !0);
            world.tables.set_cap_field(slot, layout::SPARE, 7);
            assert_eq!((world.tables.cap_kind(slot), world.tables.cap_is_origin(slot)), (kind, origin));
            assert_eq!((world.tables.node(slot), world.tables.cap_rights(slot)), (node, 5));
            world.tables.put(slot, node);
            assert_eq!((world.tables.cap_kind(slot), world.tables.cap_is_origin(slot)), (kind, origin));
            assert_eq!(world.tables.cap_field(slot, layout::OBJECT), 0x1234_0000);
            assert_eq!(world.tables.cap_field(slot, layout::BADGE), !0);
            assert_eq!(world.tables.cap_field(slot, layout::SPARE), 7);
        }
    }
}

/// Slot ↔ frame is arithmetic, and the sidecars and Space fields do not overlap.
#[test]
fn places() {
    let world = World::new();
    for frame in [0, 0x1000, quad(3), 0x7F_F000] {
        let root = world.tables.root(frame);
        assert_eq!(world.tables.frame_of_root(root), frame);
        assert_eq!(root, world.link(At::Root(frame)));
        assert!(world.tables.is_boot_table(layout::table_of(root.address())));
        assert_eq!(layout::index_of(root.address()), frame / 4096 % 1024);
    }
    let user = 4 * layout::USER_TABLES;
    for field in [layout::AREA_BASE, layout::AREA_PAGES, layout::AREA_TABLES, layout::SPACE_THREADS] {
        assert!((layout::PREV + user..layout::META).contains(&field));
    }
    assert!(layout::SPACE_NODES >= layout::NEXT + user && layout::SPACE_NODES + 128 <= layout::PREV);
    assert_eq!(world.tables.memory.load(world.tables.root(quad(0)).address()) & !0xFFF, quad(0));
}
