//! A chain of 300 mappings of one page, to and fro between two spaces; then the owner takes the page back from the first.
//!
//! If it succeeded, the count of the depth would begin again at 0 somewhere on the way, and what hangs behind that place would be
//! taken for the owner's equals: it stays, and the page can be written through it (in the original 24 stay alive). Expected
//! under no design: the baselines refuse the 256th link. Where the two may send each other nothing, the chain
//! is made within one space.

#![no_std]
#![no_main]

use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::abi::update::TOTAL_UNLIMITED;
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::rt::{Message, calls};
use freehold_attacks::touch::Touch;
use freehold_attacks::world::message::WRITE;
use freehold_attacks::world::{self, Refusal, Whose, World};
use freehold_attacks::{Evidence, Kit, Vec, attack, format};

attack!("depth-wrap", attacker, world::serve);

/// Where the chain lies, in both spaces: link n at page n, the owner's page at page 0.
const CHAIN: u32 = OWN;
/// Mappings that the chain is to have.
const LINKS: u32 = 300;
/// What is written through what is left.
const MARK: u32 = 0x00C0_FFEE;

fn attacker(kit: &mut Kit) -> Evidence {
    let (Ok(mut world), Ok(touch)) = (World::new(kit), Touch::new()) else {
        return kit.impossible("no way to map");
    };
    world.total_code = TOTAL_UNLIMITED;
    if let Err(why) = world.obtain(CHAIN) {
        return kit.untried(format!("not one page to be had: {}", why.name()));
    }
    let mut report = (0, None);
    while !kit.stopped() {
        let (links, end) = chain(&mut world);
        if end == Some(Refusal::Exhausted) {
            return kit.untried(format!("{} links until {}", links.len(), Refusal::Exhausted.name()));
        }
        if let Err(why) = world.revoke(CHAIN, 1) {
            return kit.untried(format!("taking back failed: {}", why.name()));
        }
        let alive = links.iter().filter(|link| writes(kit, &touch, link)).count();
        if alive != 0 || touch.read(CHAIN) == Ok(MARK) {
            return kit.broken(format!("{alive} of {} links outlive the owner's taking back", links.len()));
        }
        kit.tries += 1;
        kit.successes += links.len() as u32;
        report = (links.len(), end);
        if links.is_empty() {
            kit.pause(10);
        }
    }
    let (links, end) = report;
    kit.held(format!("{links} links until {}; none is left", end.map_or("the end", Refusal::name)))
}

/// A link: where it is.
type Link = (Whose, u32);

/// Makes the chain; its links, and why there are not more.
fn chain(world: &mut World) -> (Vec<Link>, Option<Refusal>) {
    let mut links: Vec<Link> = Vec::new();
    let mut last = (Whose::Own, CHAIN);
    let mut local = false;
    while (links.len() as u32) < LINKS {
        let to = CHAIN + (links.len() as u32 + 1) * FRAME;
        let (whose, made) = match last.0 {
            Whose::Own if local => (Whose::Own, world.alias(last.1, to, 1)),
            Whose::Own => (Whose::Partners, world.delegate(last.1, to, 1)),
            Whose::Partners => (Whose::Own, world.delegate_back(last.1, to, 1)),
        };
        match made {
            Ok(()) => last = (whose, to),
            Err(_) if links.is_empty() && !local => {
                local = true;
                continue;
            }
            Err(why) => return (links, Some(why)),
        }
        links.push(last);
    }
    (links, None)
}

/// Whether the page can be written at a link.
fn writes(kit: &Kit, touch: &Touch, &(whose, at): &Link) -> bool {
    match whose {
        Whose::Own => touch.write(at, MARK).is_ok(),
        Whose::Partners => {
            let answer = calls::call(kit.peer, &Message::of(WRITE, &[at, MARK]));
            answer.is_ok_and(|answer| answer.label() == 0)
        }
    }
}
