//! Attacker and accomplice hang mappings on a lent page and take them off in turn, so that what a mapping cost is never given back
//! to the page: whose mapping is not right behind it has lost its place.
//!
//! If it succeeded, the page's owner could lend it to nobody any more, even after it has taken it back. Expected under no
//! design: what the two use up is what they were lent; taking it back brings all of it in again, and the referee lends the page once
//! more to see that. Without credits there is nothing to use up.

#![no_std]
#![no_main]

use freehold_attacks::rt::abi::layout::BLOCK;
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::rt::{Error, Message, calls};
use freehold_attacks::world::message::DROP;
use freehold_attacks::world::{self, Whose, World};
use freehold_attacks::{Design, Evidence, Kit, attack, format};

attack!("credit-exhaustion", attacker, world::serve);

/// Turns before anybody is asked whether it is time to end.
const ROUND: u32 = 64;
/// Where the two hang it: the attacker here, its accomplice there.
const PLACE: u32 = OWN + BLOCK;

fn attacker(kit: &mut Kit) -> Evidence {
    if kit.design != Design::UserTables {
        while !kit.pause(1000) {}
        return kit.impossible("there are no credits to use up");
    }
    let Ok(mut world) = World::new(kit) else { return kit.impossible("no way to map") };
    let (mut turns, mut end) = (0, None);
    while !kit.stopped() {
        for _ in 0..ROUND {
            let whose = if turns % 2 == 0 { Whose::Own } else { Whose::Partners };
            if let Err(why) = kit.try_(world.borrow_for(kit, 0, PLACE, whose)) {
                end = end.or(Some((turns, why)));
            }
            turns += 1;
            // The other one goes: between it and the page there is one now that came later.
            match whose {
                Whose::Own => drop(calls::call(kit.peer, &Message::of(DROP, &[PLACE, 1]))),
                Whose::Partners => drop(world.forget(PLACE, 1)),
            }
        }
        if end.is_some() {
            kit.pause(1);
        }
    }
    match end {
        Some((turns, why)) if why.error() == Some(Error::NoCredits) => {
            kit.held(format!("{} after {turns} turns", why.name()))
        }
        Some((turns, why)) => kit.untried(format!("{} after {turns} turns", why.name())),
        None => kit.untried(format!("{turns} turns, and no end of credits")),
    }
}
