//! Attacker and accomplice hang mappings on a lent page and take them off in turn, so that what a mapping cost is never given back
//! to the page: whose mapping is not right behind it has lost its place.
//!
//! If it succeeded, the page's owner could lend it to nobody any more, even after it has taken it back. Expected under no
//! design: what the two use up is their own; the owner's taking back brings it all in again, and the
//! referee lends the page once more to see it. Without credits there is nothing to use up.

#![no_std]
#![no_main]

use freehold_attacks::rt::Error;
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::world::{self, World};
use freehold_attacks::{Design, Evidence, Kit, attack, format};

attack!("credit-exhaustion", attacker, world::serve);

/// Where the page is seen.
const PAGE: u32 = OWN;
/// Where the two hang it, in turn.
const PLACES: [u32; 2] = [OWN + BLOCK, OWN + BLOCK + FRAME];
/// Code of the largest total that one of their mappings can have: it takes the most credits along.
const TOTAL: u32 = 55;
/// Code of the borrowed mapping's total.
const BORROWED: u32 = 61;

fn attacker(kit: &mut Kit) -> Evidence {
    if kit.design != Design::UserTables {
        while !kit.pause(1000) {}
        return kit.impossible("there are no credits to use up");
    }
    let Ok(mut world) = World::new(kit) else { return kit.impossible("no way to map") };
    world.total_code = BORROWED;
    if let Err(why) = kit.try_(world.borrow(kit, 0, PAGE)) {
        return kit.held(format!("nothing was lent: {}", why.name()));
    }
    world.total_code = TOTAL;
    let (mut turns, mut end) = (0, None);
    let mut hung = [false; 2];
    while !kit.stopped() {
        let at = PLACES[turns as usize % 2];
        match kit.try_(world.alias(PAGE, at, 1)) {
            Ok(()) => hung[turns as usize % 2] = true,
            Err(why) => {
                end = end.or(Some((turns, why)));
                kit.pause(1);
            }
        }
        turns += 1;
        // The other one goes, behind which there is one now that came later.
        let other = turns as usize % 2;
        if hung[other] && world.forget(PLACES[other], 1).is_ok() {
            hung[other] = false;
        }
    }
    let Some((turns, why)) = end else { return kit.held(format!("{turns} turns, and no end of credits")) };
    let used_up = why.error() == Some(Error::NoCredits);
    kit.held(format!(
        "{} after {turns} turns: the attackers' own mapping {}",
        why.name(),
        if used_up { "is used up" } else { "is not" }
    ))
}
