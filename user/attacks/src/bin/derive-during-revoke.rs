//! Maps a lent page anew, from every mapping of it that it has, all the while that the root takes it back.
//!
//! If it succeeded, taking back would never end, or something mapped meanwhile would outlast it. Expected under no design:
//! under user-tables what is being revoked is Busy; the baselines take the next mapping off until there is none.

#![no_std]
#![no_main]

use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::touch::Touch;
use freehold_attacks::world::{self, World};
use freehold_attacks::{Evidence, Kit, attack, format};

attack!("derive-during-revoke", attacker, world::serve);

/// Where the borrowed page is seen.
const PAGE: u32 = OWN;
/// Where it is mapped again, in both spaces; each from the one before.
const COPIES: u32 = OWN + BLOCK;
/// How many of these there are.
const COUNT: u32 = 900;
/// Copies made before anybody is asked whether it is time to end.
const ROUND: u32 = 50;
/// Codes of totals, of the borrowed page and the first copy: each copy of a copy has the next lower one.
const TOTAL: u32 = 61;

fn attacker(kit: &mut Kit) -> Evidence {
    let (Ok(mut world), Ok(touch)) = (World::new(kit), Touch::new()) else {
        return kit.impossible("no way to map");
    };
    world.total_code = TOTAL;
    if let Err(why) = kit.try_(world.borrow(kit, 0, PAGE)) {
        return kit.held(format!("nothing was lent: {}", why.name()));
    }
    if kit.number != 0 {
        // Theirs is not taken back: all that they would do is to take turns away from the first.
        while !kit.pause(1000) {}
        return kit.held("");
    }
    let (mut copy, mut made, mut last) = (0, 0, None);
    while !kit.stopped() {
        for _ in 0..ROUND {
            let at = COPIES + copy * FRAME;
            // From the page itself, or from the copy before; to the own space, or the partner's.
            let source = if copy.is_multiple_of(3) { PAGE } else { at - FRAME };
            world.total_code = if copy.is_multiple_of(3) { TOTAL - 20 } else { 0 };
            // A place in use, or one whose source is gone, is no obstacle: there are others.
            let _ = world.forget(at, 1);
            let result = if kit.random() & 1 == 0 {
                world.alias(source, at, 1)
            } else {
                world.delegate(source, at, 1).and_then(|()| world.delegate_back(at, at, 1))
            };
            match kit.try_(result) {
                Ok(()) => made += 1,
                Err(why) => last = Some(why),
            }
            copy = (copy + 1) % COUNT;
        }
    }
    // Half of the window after the root began.
    let own = (0..COUNT).filter(|copy| touch.read(COPIES + copy * FRAME).is_ok()).count();
    let alive = own + usize::from(touch.read(PAGE).is_ok());
    let end = last.map_or("no error", |why| why.name());
    let detail = format!("{made} copies made before and meanwhile, in the end {end}");
    if alive == 0 { kit.held(detail) } else { kit.broken(format!("{detail}; {alive} are still there")) }
}
