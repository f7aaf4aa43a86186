//! Maps a lent page anew, from every mapping of it that it has, all the while that the root takes it back.
//!
//! If it succeeded, taking back would never end, or something mapped meanwhile would outlast it. Expected under no design:
//! under user-tables what is being revoked is Busy; the baselines take the next mapping off until there is none.

#![no_std]
#![no_main]

use freehold_attacks::rt::Error;
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::touch::Touch;
use freehold_attacks::world::{self, Whose, World};
use freehold_attacks::{Evidence, Kit, attack, format};

attack!("derive-during-revoke", attacker, world::serve);

/// Where the borrowed page is seen.
const PAGE: u32 = OWN;
/// Where it is mapped again, in both spaces; each from the one before.
const COPIES: u32 = OWN + BLOCK;
/// How many of these there are.
const COUNT: u32 = 900;
/// Copies made in a round.
const ROUND: u32 = 300;
/// Codes of totals: of the borrowed page, of a copy of it, and of a copy of that.
const TOTALS: [u32; 3] = [61, 2, 0];

fn attacker(kit: &mut Kit) -> Evidence {
    let (Ok(mut world), Ok(touch)) = (World::new(kit), Touch::new()) else {
        return kit.impossible("no way to map");
    };
    world.total_code = TOTALS[0];
    if let Err(why) = kit.try_(world.borrow(kit, 0, PAGE)) {
        return kit.held(format!("nothing was lent: {}", why.name()));
    }
    if kit.number != 0 {
        // Theirs is not taken back: all that they would do is to take turns away from the first.
        while !kit.pause(1000) {}
        return kit.held("");
    }
    let (mut copy, mut made, mut busy, mut last) = (0, 0, 0, None);
    while !kit.stopped() {
        for _ in 0..ROUND {
            let at = COPIES + copy * FRAME;
            // From the page itself, or from the copy before; to the own space, or the partner's.
            let source = if copy.is_multiple_of(3) { PAGE } else { COPIES + copy / 3 * 3 * FRAME };
            world.total_code = TOTALS[if copy.is_multiple_of(3) { 1 } else { 2 }];
            // A place in use, or one whose source is gone, is no obstacle: there are others.
            let _ = world.forget(at, 1);
            let result =
                world.map(source, at, 1, if kit.random() & 1 == 0 { Whose::Own } else { Whose::Partners });
            match kit.try_(result) {
                Ok(()) => made += 1,
                // What got lost on the way comes back to the page, if there is one.
                Err(why) if why.error() == Some(Error::NoCredits) => drop(world.revoke(PAGE, 1)),
                Err(why) => {
                    busy += u32::from(why.error() == Some(Error::Busy));
                    last = Some(why);
                }
            }
            copy = (copy + 1) % COUNT;
        }
        // Now the owner has a moment, in the middle of which the next round comes.
        kit.pause(1);
    }
    // Half of the window after the root began.
    let own = (0..COUNT).filter(|copy| touch.read(COPIES + copy * FRAME).is_ok()).count();
    let alive = own + usize::from(touch.read(PAGE).is_ok());
    let end = last.map_or("no error", |why| why.name());
    let detail = format!("{made} copies made before and meanwhile, {busy} refused as Busy, in the end {end}");
    if alive == 0 { kit.held(detail) } else { kit.broken(format!("{detail}; {alive} are still there")) }
}
