//! Operations at random, compared after each with a model; and what no walk comes to.

mod support;

use freehold_mapdb::{MAX_DEPTH, MapFault, Need, Pages, Run, pool};
use freehold_user_pagetables::{FrameType, layout};
use support::world::{FRAMES, PAGES, SPACES, Undivided, World};

/// Returns how often the pool was used up.
fn walk(seed: u32, pool_bytes: u32, steps: u32) -> u32 {
    let mut world = World::new(seed, pool_bytes);
    for _ in 0..steps {
        match world.below(40) {
            0..=5 => world.give(),
            6..=25 => world.map(),
            26..=36 => world.unmap(),
            37..=38 => world.reclaim(),
            _ => {
                let space = world.below(SPACES as u32) as usize;
                world.end_space(space);
            }
        }
        world.compare();
        world.run_programs();
    }
    let refused = world.refused;
    for number in 0..FRAMES {
        while world.tables.frame_type(World::frame(number)) == FrameType::Pooled {
            world.reclaim();
        }
    }
    for space in 0..SPACES {
        while world.model.tables.iter().any(|table| table.0 == space) {
            world.end_space(space);
        }
    }
    world.compare();
    assert_eq!(world.database.pool.bytes().1, 0, "everything is back");
    refused
}

#[test]
fn what_is_mapped_is_what_the_model_says() {
    for seed in 1..9 {
        walk(0x9E37_79B9_u32.wrapping_mul(seed) | 1, 32 * pool::BLOCK, 1000);
    }
}

#[test]
fn a_pool_that_is_too_small_refuses_and_loses_nothing() {
    for seed in 1..9 {
        assert!(walk(0x85EB_CA6B_u32.wrapping_mul(seed) | 1, 5 * pool::BLOCK, 1000) > 10);
    }
}

#[test]
fn a_chain_is_as_long_as_depths_are() {
    let mut world = World::new(1, 32 * pool::BLOCK);
    let donation = world.tables.check_donation(World::frame(0), FrameType::Pooled).expect("data");
    let home = (world.spaces[0], PAGES[0]);
    let flush = world.database.give(&mut world.tables, donation, home, true).expect("a pool");
    world.pay(flush);
    let place = |depth: u32| (world.spaces[depth as usize % 2], PAGES[0] + (depth << 12));
    let run =
        |depth| Run { from: place(depth - 1), to: place(depth), pages: 1, writable: true, grant: false };
    for depth in 1..=MAX_DEPTH {
        world.database.survey(&world.tables, &run(depth), &mut Undivided).expect("not too deep");
        let _flush = world.database.map(&mut world.tables, &run(depth), &mut Undivided);
    }
    let deeper = run(MAX_DEPTH + 1);
    assert_eq!(world.database.survey(&world.tables, &deeper, &mut Undivided), Err(MapFault::TooDeep));
    assert!(!world.database.map_page(&mut world.tables, &deeper));
    world.database.check(&world.tables, true).expect("all holds");
    let pages = Pages { directory: home.0, address: home.1, count: 1 };
    let (_, _flush) = world.database.unmap(&mut world.tables, pages, false, &mut 0, &mut Undivided);
    assert_eq!(world.database.pool.bytes().1, 2 * pool::BLOCK + pool::NODE);
}

#[test]
fn a_run_feeds_those_that_begin_among_its_pages() {
    let run = |from, to, pages| Run { from, to, pages, writable: true, grant: false };
    let brings = run((1, 0x40_0000), (2, 0x80_4000), 4);
    let fed = |space, page, pages| brings.feeds(&run((space, page), (2, 0), pages));
    assert!(fed(2, 0x80_4000, 4) && fed(2, 0x80_7000, 1) && fed(2, 0x80_0000, 8) && fed(2, 0, 1 << 20));
    assert!(!fed(2, 0x80_3000, 1) && !fed(2, 0x80_8000, 8) && !fed(1, 0x80_4000, 4));
}

#[test]
fn all_of_a_pool_can_be_nodes_and_then_tables() {
    let mut world = World::new(1, 4 * pool::BLOCK);
    let donation = world.tables.check_donation(World::frame(0), FrameType::Pooled).expect("data");
    let home = (world.spaces[0], PAGES[0]);
    let flush = world.database.give(&mut world.tables, donation, home, true).expect("a pool");
    world.pay(flush);
    // Two tables with a slab each: what one table has no entries for goes into the other.
    let run = |page: u32| Run {
        from: home,
        to: (world.spaces[1], PAGES[0] + (page << 12)),
        pages: 1,
        writable: true,
        grant: false,
    };
    for page in 0..layout::ENTRIES {
        let (need, _) = world.database.survey(&world.tables, &run(page), &mut Undivided).expect("room");
        assert!(world.database.pool.has(need), "{page}");
        let _flush = world.database.map(&mut world.tables, &run(page), &mut Undivided);
    }
    let next = Need { nodes: 2 * pool::SLAB_NODES - layout::ENTRIES, tables: 0 };
    assert!(!world.database.pool.has(next), "one is the root's");
    assert!(!world.database.pool.has(Need { nodes: 0, tables: 1 }));
    let pages = Pages { directory: home.0, address: home.1, count: 1 };
    let (_, _flush) = world.database.unmap(&mut world.tables, pages, false, &mut 0, &mut Undivided);
    assert!(world.database.pool.has(Need { nodes: 0, tables: 1 }), "slabs become tables again");
    world.database.check(&world.tables, true).expect("all holds");
}
