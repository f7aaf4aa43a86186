//! Maps a page from a mapping of it, that one from the one before, as deep as the kernel lets it; then takes back the first.
//! Over and over.
//!
//! If it succeeded, the kernel would go down the chain by calling itself and run out of its stack, or lose count of the depth,
//! so that mappings survive that hang on what is gone. Expected under no design: all of them have a limit and no recursion.

#![no_std]
#![no_main]

use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::abi::update::TOTAL_UNLIMITED;
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::touch::Touch;
use freehold_attacks::world::{Refusal, World};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("derivation-depth", attacker, idle);

/// The chain: a page behind the other.
const CHAIN: u32 = OWN;
/// Links that are tried.
const LINKS: u32 = BLOCK / FRAME - 1;

fn attacker(kit: &mut Kit) -> Evidence {
    let (Ok(mut world), Ok(touch)) = (World::new(kit), Touch::new()) else {
        return kit.impossible("no way to map");
    };
    world.total_code = TOTAL_UNLIMITED;
    if let Err(why) = world.obtain(CHAIN) {
        return kit.untried(format!("not one page to be had: {}", why.name()));
    }
    let (mut depth, mut end) = (0, None);
    while !kit.stopped() {
        (depth, end) = chain(&mut world);
        if end == Some(Refusal::Exhausted) {
            return kit.untried(format!("{depth} deep until {}", Refusal::Exhausted.name()));
        }
        if let Err(why) = world.revoke(CHAIN, 1) {
            return kit.untried(format!("taking back failed: {}", why.name()));
        }
        let alive = (1..=depth).filter(|link| touch.read(CHAIN + link * FRAME).is_ok()).count();
        if alive != 0 {
            return kit.broken(format!("{alive} of {depth} links outlive what they hang on"));
        }
        kit.tries += 1;
        kit.successes += depth;
        if depth == 0 {
            kit.pause(10);
        }
    }
    kit.held(format!("{depth} deep until {}", end.map_or("the end", Refusal::name)))
}

/// Makes it as long as it can be; its links, and why there are not more.
fn chain(world: &mut World) -> (u32, Option<Refusal>) {
    for link in 0..LINKS {
        let from = CHAIN + link * FRAME;
        if let Err(why) = world.alias(from, from + FRAME, 1) {
            return (link, Some(why));
        }
    }
    (LINKS, None)
}
