//! Maps one page as often as the kernel lets it: 4 MiB apart, where each mapping may cost a table, and densely; in the own
//! space by a local thread, in the accomplice's by messages, and by faults that the root answers.
//!
//! If it succeeded, the memory that pays for mappings would be used up for everybody: a victim's next mapping fails. Expected to
//! under kernel-heap; under redirector and local-only, which stop the messages but not the local thread. Under kernel-quota each
//! space comes to its quota, under root-only nothing but the careful root maps, and under user-tables
//! the flood ends where the attackers' own Tables do.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_attacks::rt::abi::update::TOTAL_UNLIMITED;
use freehold_attacks::rt::layout::{OWN, OWN_END};
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Error, start};
use freehold_attacks::world::{self, Filled, Refusal, Whose, World};
use freehold_attacks::{Evidence, Kit, attack, format, kit};

attack!("mapping-flood", attacker, world::serve);

/// The page that is mapped.
const PAGE: u32 = OWN;
/// A block full of it, from which further ones are filled at once (designs with a pool).
const FILLED: u32 = OWN + BLOCK;
/// Blocks in which a thread faults, then blocks that are filled.
const FAULTS: u32 = OWN / BLOCK + 2;
const FIRST: u32 = FAULTS + 16;
const LAST: u32 = OWN_END / BLOCK - 2;

/// How far the attack has come.
struct Flood {
    world: World,
    filled: Option<u32>,
    /// Next blocks, own and the partner's, that get one mapping, and that get all others.
    sparse: [u32; 2],
    dense: [u32; 2],
    made: [u32; 2],
    /// Why it went no further.
    why: [Option<Refusal>; 2],
}

fn attacker(kit: &mut Kit) -> Evidence {
    let mut world = match World::new(kit) {
        Ok(world) => world,
        Err(why) => return kit.impossible(format!("no way to map: {}", why.name())),
    };
    world.total_code = TOTAL_UNLIMITED;
    if let Err(why) = world.obtain(PAGE) {
        return kit.untried(format!("not one page to be had: {}", why.name()));
    }
    world.total_code = 0;
    let has_pool = kit.design.has_pool();
    let filled = has_pool && world.fill(PAGE, FILLED, ENTRIES, Whose::Own, None).0 == ENTRIES;
    let filled = filled.then_some(FILLED);
    let mut flood =
        Flood { world, filled, sparse: [FIRST; 2], dense: [FIRST; 2], made: [0; 2], why: [None; 2] };
    let faults = if has_pool { faults(kit) } else { 0 };
    // Some begin with one mapping in each block, some with full blocks.
    let sparse_first = kit.number.is_multiple_of(2);
    while !kit.stopped() {
        let more = flood.step(kit, sparse_first) || flood.step(kit, !sparse_first);
        if !more && !has_pool {
            // All Tables are full. Once more, from the beginning.
            flood.empty();
        } else if !more {
            // Whatever somebody else gives up is taken.
            kit.pause(1);
        }
    }
    let why = flood.why.map(|why| why.map_or("the end", Refusal::name));
    let [sparse, dense] = flood.made;
    kit.held(format!(
        "{sparse} mappings 4 MiB apart until {}, {dense} dense until {}, {faults} by faults",
        why[0], why[1]
    ))
}

impl Flood {
    /// Makes some more mappings of one kind, in the own space or the accomplice's. Returns whether any could be made.
    fn step(&mut self, kit: &mut Kit, sparse: bool) -> bool {
        [Whose::Own, Whose::Partners].into_iter().any(|whose| {
            let at = whose as usize;
            // A block gets its first mapping before the others.
            let first = sparse || self.dense[at] == self.sparse[at];
            let block = if first { self.sparse[at] } else { self.dense[at] };
            if block == LAST {
                return false;
            }
            let (made, why) =
                if first { self.first(block * BLOCK, whose) } else { self.others(block * BLOCK, whose) };
            kit.tries += 1;
            kit.successes += made;
            let kind = usize::from(!first);
            self.made[kind] += made;
            // Where the partner may be sent nothing, the own space is what is told of.
            if why.is_some() && whose == Whose::Own {
                self.why[kind] = why;
            }
            let place = if first { &mut self.sparse } else { &mut self.dense };
            // A block that was not filled is as full as it gets, unless somebody gives something up.
            place[at] += u32::from(why.is_none());
            made != 0
        })
    }

    fn first(&mut self, block: u32, whose: Whose) -> Filled {
        match self.world.map(PAGE, block, 1, whose) {
            Ok(()) => (1, None),
            Err(why) => (0, Some(why)),
        }
    }

    /// All pages of a block but the first: its second half, the second half of the first one, and so on.
    fn others(&mut self, block: u32, whose: Whose) -> Filled {
        let (mut made, mut pages) = (0, ENTRIES / 2);
        while pages != 0 {
            let to = block + pages * FRAME;
            let (more, why) = self.world.fill(PAGE, to, pages, whose, self.filled);
            made += more;
            match why {
                // What a smaller part does not need may be there; what is there already is no matter.
                Some(Refusal::Kernel(Error::PoolExhausted, _)) if pages > 1 => {}
                Some(Refusal::Kernel(Error::Occupied | Error::NoWindow, _)) => {}
                Some(_) => return (made, why),
                None => {}
            }
            pages /= 2;
        }
        (made, None)
    }

    /// Takes the own mappings away, so that all can be made again.
    fn empty(&mut self) {
        for block in FIRST..self.sparse[0] {
            // Where there is a Table there is something to be taken away.
            let _ = self.world.forget(block * BLOCK, ENTRIES);
        }
        (self.sparse[0], self.dense[0]) = (FIRST, FIRST);
    }
}

/// Pages that a thread got by faulting.
static FAULTED: AtomicU32 = AtomicU32::new(0);

/// Has a thread fault, 4 MiB further each time, until the root leaves it stopped. Returns how many pages it got.
fn faults(kit: &mut Kit) -> u32 {
    let pager = start::capability("pager").unwrap_or(CapName::NONE);
    let options = Options { stack_pages: 1, pager, ..Options::new(kit::PRIORITY) };
    let Ok(thread) = thread::spawn(fault, 0, options) else { return 0 };
    let mut before = u32::MAX;
    while FAULTED.load(Ordering::Relaxed) != before && !kit.stopped() {
        before = FAULTED.load(Ordering::Relaxed);
        kit.pause(20);
    }
    let _ = thread.destroy();
    FAULTED.load(Ordering::Relaxed)
}

fn fault(_: u32) {
    for block in FAULTS..FIRST {
        // SAFETY: whatever the root maps there is nobody's; if it maps nothing the thread stops.
        unsafe { ((block * BLOCK) as *const u32).read_volatile() };
        FAULTED.fetch_add(1, Ordering::Relaxed);
    }
}
