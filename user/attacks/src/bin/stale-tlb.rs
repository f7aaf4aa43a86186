//! Memory used after it was taken away, through translations that the processor still holds.
//!
//! It maps frames, in numbers on either side of every limit in the flush, writes to all of them, takes the mappings away in
//! each of the ways that there are, and reads and writes at once where they were: by the address, through a second hook on
//! the same Table, and after the frames have been mapped again to be read only. With a pool it does the same to pages that it
//! mapped onward by map items.
//!
//! Success would mean: taking memory back does not take it back. Evidence: the processor lets a read or a write through.
//!
//! What stops it: invariant 10. Removals name what is due for the TLB, and it is paid before the next user instruction.

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, probe};
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::calls::{self, Stop};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::{CapName, Rights, memory};
use freehold_attacks::world::World;
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("stale-tlb", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

const MARK: u32 = 0x57A1_E71B;
/// Pages at a time: around the most that are flushed one by one.
const COUNTS: [u32; 6] = [1, 2, 15, 16, 17, 40];
const MOST: u32 = 40;

type Way = fn(&Ground, Extent) -> Result<(), Stop>;

/// How the mappings of `frames` from the first page on are taken away.
const WAYS: [(&str, Way); 8] = [
    ("Unmap", |ground, frames| ground.unmap(0, frames.count)),
    ("Unmap of each", |ground, frames| (0..frames.count).try_for_each(|page| ground.unmap(page, 1))),
    ("Unmap of more", |ground, _| ground.unmap(0, 1024)),
    ("Unmap by index", |ground, frames| calls::unmap(ground.table(), 0, frames.count)),
    ("RevokeRange", |_, frames| calls::revoke_range(frames.container, frames.first, frames.count)),
    ("Reclaim", |_, frames| calls::reclaim(frames.container, frames.first, frames.count)),
    ("Unhook", UNHOOK),
    // Mapped again at once, to be read only: what is left must not be written to.
    ("Unmap, and an update", |ground, frames| {
        ground.unmap(0, frames.count).and_then(|()| ground.map(frames, 0, Rights::NONE, 0))
    }),
];

const UNHOOK: Way = |ground, _| flat(ground.hook(false));

fn flat(result: Result<(), freehold_attacks::rt::Error>) -> Result<(), Stop> {
    result.map_err(|error| Stop { error, done: 0 })
}

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(frames)) = (Ground::new(0), memory::take(MOST, 1)) else {
        return kit.untried("no memory to try it with");
    };
    let again = ground.index() + 1;
    let mut pool = if kit.design.has_pool() { World::new(kit).ok().and_then(obtained) } else { None };
    loop {
        if let Some(address) = pool.as_mut().and_then(|world| by_items(kit, world)) {
            kit.successes += 1;
            return kit
                .broken(format!("behind an unmap of the pool's pages, {address:#x} could still be used"));
        }
        for second_hook in [false, true] {
            if second_hook && calls::hook(ground.table(), CapName::NONE, again, Rights::WRITE).is_err() {
                continue;
            }
            for (name, way) in WAYS {
                for count in COUNTS {
                    if let Some(address) =
                        try_(kit, &ground, Extent { count, ..frames }, way, second_hook.then_some(again))
                    {
                        kit.successes += 1;
                        return kit.broken(format!(
                            "behind {name} of {count} pages, {address:#x} could still be used"
                        ));
                    }
                }
            }
            if second_hook {
                let _ = calls::unhook(CapName::NONE, again);
            }
        }
        if kit.stopped() {
            return kit.held(format!("{} removals, and a touch right behind each", kit.tries));
        }
    }
}

/// Maps, writes, takes away, touches. An address that could still be used.
fn try_(kit: &mut Kit, ground: &Ground, frames: Extent, way: Way, again: Option<u32>) -> Option<u32> {
    let unhooks = core::ptr::fn_addr_eq(way, UNHOOK);
    ground.map(frames, 0, Rights::WRITE, 0).ok()?;
    let at = |index: u32| (0..frames.count).map(move |page| index * BLOCK + page * FRAME);
    let seen_at = || at(ground.index()).chain(again.into_iter().flat_map(at));
    let ready = seen_at().all(|address| probe::write(address, MARK));
    let done = way(ground, frames);
    kit.tries += u32::from(done.is_ok() && ready);
    let stale = match (unhooks, done.is_ok() && ready) {
        (_, false) => None,
        // Behind another hook everything is as it was.
        (true, _) => at(ground.index()).find(|&address| probe::read(address).is_some()),
        // A write tells for all ways: what is mapped again may only be read.
        (false, _) => seen_at().find(|&address| probe::write(address, !MARK)),
    };
    if unhooks {
        let _ = ground.hook(true);
    }
    let _ = ground.unmap(0, frames.count);
    let _ = calls::reclaim(frames.container, frames.first, frames.count);
    stale
}

/// With a pool: pages, where they lie, and where they are mapped onward to.
const POOLED: u32 = 32;
const FROM: u32 = (edge::PIECES + 32) * BLOCK;
const ONWARD: u32 = FROM + POOLED * FRAME;

/// As many pages as that.
fn obtained(mut world: World) -> Option<World> {
    (0..POOLED).try_for_each(|page| world.obtain(FROM + page * FRAME)).ok()?;
    Some(world)
}

/// Maps pages of the pool onward, writes, takes them back, touches.
fn by_items(kit: &mut Kit, world: &mut World) -> Option<u32> {
    [1, 16, POOLED].into_iter().find_map(|pages| {
        world.alias(FROM, ONWARD, pages).ok()?;
        let at = || (0..pages).map(|page| ONWARD + page * FRAME);
        let ready = at().all(|address| probe::write(address, MARK));
        let done = world.revoke(FROM, pages);
        kit.tries += u32::from(done.is_ok() && ready);
        at().find(|&address| ready && done.is_ok() && probe::write(address, !MARK))
    })
}
