//! Hangs as much as it can on a page that the root has lent it, and waits for the root to take it back.
//!
//! If it succeeded, the root's call would last as long as the attacker likes: with interrupts off for as long, the victim loses
//! its periods. Under user-tables the root has granted 4,095 derivations of each page, and the kernel
//! looks for interrupts every 64 of them. Expected to under kernel-heap, which neither bounds nor interrupts it; the other baselines
//! interrupt it, and kernel-quota bounds it besides. With credits off nothing bounds it but the attackers' Tables.

#![no_std]
#![no_main]

use freehold_attacks::protocol::attack::LENT_PAGES;
use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_attacks::rt::layout::{OWN, OWN_END};
use freehold_attacks::touch::Touch;
use freehold_attacks::world::{self, Refusal, Whose, World};
use freehold_attacks::{Evidence, Kit, attack, format};

attack!("revoke-time", attacker, world::serve);

/// Where the borrowed pages are seen.
const PAGES: u32 = OWN;
/// Blocks that are filled with them.
const FIRST: u32 = OWN / BLOCK + 1;
const LAST: u32 = OWN_END / BLOCK - 2;
/// Mappings that the first attacker makes, whose pages are taken back, and that each other one makes: together less than
/// what uses up the baselines' pool, which is another attack.
const MOST: [u32; 2] = [400_000, 8_000];
/// Code of a total of 3,072: what one mapping can have of the 4,095 that a page has.
const TOTAL: u32 = 61;

fn attacker(kit: &mut Kit) -> Evidence {
    let (Ok(mut world), Ok(touch)) = (World::new(kit), Touch::new()) else {
        return kit.impossible("no way to map");
    };
    let most = MOST[usize::from(kit.number != 0)];
    let (mut made, mut why, mut block) = (0, None, [FIRST; 2]);
    let pages = if kit.design.has_pool() { 1 } else { LENT_PAGES };
    'pages: for page in 0..pages {
        let at = PAGES + page * FRAME;
        world.total_code = TOTAL;
        if let Err(refusal) = world.borrow(kit, page, at) {
            why = Some(refusal);
            break;
        }
        world.total_code = 0;
        let mut filled = None;
        let mut whose = Whose::Own;
        while made < most {
            if kit.stopped() {
                break 'pages;
            }
            let next = &mut block[whose as usize];
            if *next == LAST {
                break;
            }
            let to = *next * BLOCK;
            *next += 1;
            let (more, refusal) = world.fill(at, to, ENTRIES, whose, filled);
            kit.tries += 1;
            kit.successes += more;
            made += more;
            if whose == Whose::Own && more == ENTRIES {
                filled = filled.or(Some(to));
            }
            if refusal.is_some() && whose == Whose::Own {
                why = refusal;
                break;
            }
            // The partner's space takes every other block, if it can be sent anything.
            whose = match whose {
                Whose::Own if refusal.is_none() && block[1] != LAST => Whose::Partners,
                _ => Whose::Own,
            };
            if refusal.is_some() {
                block[1] = LAST;
            }
        }
    }
    while !kit.pause(1000) {}
    let alive = kit.number == 0 && touch.read(PAGES).is_ok();
    let end = why.map_or("enough", Refusal::name);
    let detail = format!("{made} mappings hung on a lent page until {end}");
    if alive { kit.broken(format!("{detail}; it is still there")) } else { kit.held(detail) }
}
