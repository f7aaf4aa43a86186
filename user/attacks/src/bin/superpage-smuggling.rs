//! An entry that maps 4 MiB at once, or another bit that was not asked for, in a directory.
//!
//! It hooks an empty Table with each bit of the immediate that the call has, and with several; into its own space and into
//! one that it has made. It passes words with bit 7 to Update and Validate. With a pool it maps an fpage of 4
//! MiB onward of which it has one page.
//!
//! Success would mean: 4 MiB of somebody's memory appear behind one directory entry (XSA-19, -212). Evidence: a page behind
//! the hook of a Table without entries can be read.
//!
//! What stops it: invariant 12. A directory entry is made of a Table's address and the right to write, whatever the
//! caller's words say; there are no superpages yet.

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::rt::abi::Call;
use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_attacks::rt::call;
use freehold_attacks::rt::calls;
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::{CapName, Rights, memory};
use freehold_attacks::world::World;
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("superpage-smuggling", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// Bits of an immediate.
const IMMEDIATE_BITS: u32 = 24;
/// In an entry of a Table: page attributes; in one of a directory: maps 4 MiB.
const LARGE: u32 = 1 << 7;
/// Pages behind a hook that are looked at.
const LOOKED_AT: [u32; 5] = [0, 1, 255, 512, ENTRIES - 1];

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(table), Some(frame)) = (Ground::new(0), Ground::new(1), memory::take(1, 1))
    else {
        return kit.untried("no memory to try it with");
    };
    let at = table.index() + 1;
    let obtained = |mut world: World| world.obtain(POOLED).is_ok().then_some(world);
    let mut pool = if kit.design.has_pool() { World::new(kit).ok().and_then(obtained) } else { None };
    loop {
        for bit in 0..IMMEDIATE_BITS {
            for immediate in
                [1 << bit, 1 << bit | 1, 1 << bit | LARGE, ((1 << IMMEDIATE_BITS) - 1) ^ (1 << bit)]
            {
                let registers = [table.table().0, 0, at, 0];
                let (result, _) = call::call(Call::Hook, immediate, registers);
                kit.tries += 1;
                if result.is_err() {
                    continue;
                }
                let seen =
                    LOOKED_AT.into_iter().find(|page| probe::read(at * BLOCK + page * FRAME).is_some());
                let _ = calls::unhook(CapName::NONE, at);
                if let Some(page) = seen {
                    kit.successes += 1;
                    return kit.broken(format!(
                        "page {page} behind an empty Table, hooked with {immediate:#x}, can be read"
                    ));
                }
            }
        }
        if let Some(entry) = words(kit, &ground, frame) {
            return kit.broken(format!("an entry {entry:#x}"));
        }
        if pool.as_mut().is_some_and(|world| by_fpage(kit, world)) {
            return kit.broken("pages around a page of the pool can be read");
        }
        if kit.stopped() {
            return kit.held(format!("{} hooks and words with further bits", kit.tries));
        }
    }
}

/// Bit 7 in the words of Update and Validate.
fn words(kit: &mut Kit, ground: &Ground, frame: Extent) -> Option<u32> {
    let (own, words) = (ground.address(0), ground.address(1));
    let source = [
        update(frame, CapName::NONE, page(own), Rights::WRITE, 8),
        update(frame, CapName::NONE, page(words), Rights::WRITE, 0),
    ];
    let mapped = calls::update(&source);
    let written = mapped.is_ok() && probe::write(words, own | LARGE | 1);
    kit.tries += u32::from(mapped.is_ok()) + u32::from(written);
    let validated = written && calls::validate(ground.table(), 2, 1, words).is_ok();
    let entry = if validated { ground.entry(2) } else { 0 };
    let _ = ground.unmap(0, 3);
    (entry & LARGE != 0).then_some(entry)
}

/// Where a page of the pool lies, at the beginning of 4 MiB.
const POOLED: u32 = (edge::PIECES + 32) * BLOCK;

/// An fpage of 4 MiB, of which it has one page, mapped onward.
fn by_fpage(kit: &mut Kit, world: &mut World) -> bool {
    kit.tries += 1;
    let mapped = world.alias(POOLED, POOLED + BLOCK, ENTRIES);
    let seen = LOOKED_AT[1..].iter().any(|page| probe::read(POOLED + BLOCK + page * FRAME).is_some());
    let _ = world.revoke(POOLED, ENTRIES);
    mapped.is_ok() && seen
}
