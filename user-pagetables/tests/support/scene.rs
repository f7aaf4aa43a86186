//! A scene that many tests begin with.

use freehold_user_pagetables::FrameType;

use super::model::At;
use super::ops::Op;
use super::world::{World, quad, single};

/// The space that the processor is in.
pub const SPACE: u32 = quad(0);
/// Another space, empty.
pub const OTHER: u32 = quad(1);
/// The Table of its page-table area.
pub const AREA: u32 = quad(2);
/// A Table with mappings, hooked.
pub const TABLE: u32 = quad(4);
/// A Table without.
pub const SPARE: u32 = quad(8);

/// Does `ops`, which all succeed.
pub fn run(world: &mut World, ops: &[Op]) {
    for &op in ops {
        let outcome = world.apply(op).expect("it makes sense");
        assert!(outcome.is_ok(), "{op:x?}: {outcome:?}");
        world.compare().unwrap_or_else(|difference| panic!("after {op:x?}: {difference}"));
    }
}

/// The current space has Tables AREA, TABLE (hooked at 0, with a mapping of single frame 0 at 1, from
/// which one at 2 is derived) and SPARE; the boot container of block 0 is hooked at 9.
pub fn world() -> World {
    let mut world = World::new();
    let donate = |frame, kind| Op::Donate { frame, kind, area: 5, pages: 8 };
    run(
        &mut world,
        &[
            donate(SPACE, FrameType::Directory),
            donate(OTHER, FrameType::Directory),
            donate(AREA, FrameType::Table),
            donate(TABLE, FrameType::Table),
            donate(SPARE, FrameType::Table),
            Op::Attach { directory: SPACE, table: AREA },
            Op::Attach { directory: SPACE, table: TABLE },
            Op::Attach { directory: SPACE, table: SPARE },
            Op::Derive { parent: At::Root(TABLE), cap: 2, rights: 7, total: 20 },
            Op::Derive { parent: At::Root(AREA), cap: 3, rights: 7, total: 20 },
            Op::Hook { cap: 2, directory: SPACE, index: 0, rights: 1 },
            Op::Hook { cap: 0, directory: SPACE, index: 9, rights: 1 },
            Op::Map { source: At::Root(single(0)), table: TABLE, index: 1, rights: 1, code: 8 },
            Op::Map { source: At::Entry(TABLE, 1), table: TABLE, index: 2, rights: 0, code: 0 },
            Op::Switch { directory: SPACE },
        ],
    );
    world
}
