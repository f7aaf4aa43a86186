//! A frame that becomes a page table while the processor still knows a way to write it.
//!
//! It maps a frame, writes to it, so that the translation is in the TLB with its dirty bit, takes the mapping away in each
//! of the ways that there are, and makes the frame a Table or a capability node with the very next call. Then it writes where
//! the frame was mapped.
//!
//! Success would mean: the write lands in a page table (XSA-401). Evidence: a page that no call has mapped can be read
//! through the new Table; or a capability node holds what was written.
//!
//! What stops it: invariant 10. Every removal says what is due, a CR3 load or single pages, and it is paid before a program
//! runs again, before a frame is cleared, and before it changes its type.

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, page, probe};
use freehold_attacks::rt::abi::info::{Kind, start};
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::calls::{self, Stop};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Rights, SlotRef, memory};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("type-race", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

const MARK: u32 = 0x7E57_0401;
/// Page where data stays mapped.
const DATA: u32 = 64;
const NODE: u32 = 30;

type Way = fn(&Ground, Extent) -> Result<(), Stop>;

/// How the mappings of four frames at the first pages are taken away.
const WAYS: [(&str, Way); 7] = [
    ("RevokeRange", |_, frames| calls::revoke_range(frames.container, frames.first, 4)),
    ("RevokeRange of one", |ground, frames| {
        calls::revoke_range(frames.container, frames.first, 1).and_then(|()| ground.unmap(1, 3))
    }),
    ("Unmap of each", |ground, _| (0..4).rev().try_for_each(|page| ground.unmap(page, 1))),
    ("Unmap of four", |ground, _| ground.unmap(0, 4)),
    ("Unmap of many", |ground, _| ground.unmap(0, DATA)),
    ("Unmap by index", |ground, _| calls::unmap(ground.table(), 0, 4)),
    ("Reclaim", |_, frames| calls::reclaim(frames.container, frames.first, 4)),
];

fn work(kit: &mut Kit) -> Evidence {
    let scene = (Ground::new(0), memory::take(4, 4), memory::take(1, 1), Slot::take());
    let (Some(ground), Some(frames), Some(data), Some(slot)) = scene else {
        return kit.untried("no memory to try it with");
    };
    if ground.map(data, DATA, Rights::WRITE, 0).is_err() || !probe::write(ground.address(DATA), MARK) {
        return kit.untried("no page of its own");
    }
    let entry = ground.entry(DATA);
    let (stale, index) = (ground.address(0), ground.index() + 1);
    loop {
        for (name, way) in WAYS {
            for as_table in [true, false] {
                if ground.map(frames, 0, Rights::WRITE, 0).is_err() {
                    return kit.untried("nothing could be mapped");
                }
                probe::fill(stale, FRAME, 1);
                let removed = way(&ground, frames).is_ok();
                let made = match as_table {
                    true => calls::make_table(frames.container, frames.first, slot.reference(), start::SPACE),
                    false => calls::make_cap_node(frames.container, frames.first, CapName::NONE, NODE),
                };
                kit.tries += u32::from(removed && made.is_ok());
                // The first entry of the Table; the word of a slot that says what is in it.
                let written = match as_table {
                    true => probe::write(stale, entry),
                    false => probe::write(stale + 24, (Kind::Space as u32) << 9 | 7 << 6),
                };
                let landed = removed
                    && made.is_ok()
                    && match as_table {
                        true => {
                            let hooked = calls::hook(slot.name(), CapName::NONE, index, Rights::WRITE);
                            let seen = hooked.is_ok() && probe::read(index * BLOCK) == Some(MARK);
                            let _ = calls::unhook(CapName::NONE, index);
                            seen
                        }
                        false => calls::cap_info(SlotRef::own(CapName::new(NODE, 0)))
                            .is_ok_and(|info| info.kind != Kind::Empty),
                    };
                if landed {
                    // So that the end of the object does not stumble over it.
                    probe::write(if as_table { stale } else { stale + 24 }, 0);
                    kit.successes += 1;
                    let what = if as_table { "page table" } else { "capability node" };
                    return kit
                        .broken(format!("behind {name} a {what} was written through an old translation"));
                }
                if written {
                    kit.successes += 1;
                    return kit.broken(format!("behind {name} an old translation could still be written to"));
                }
                let _ = calls::unmap(CapName::NONE, page(stale), 4);
                let _ = calls::reclaim(frames.container, frames.first, 4);
                let _ = calls::delete(slot.reference());
            }
        }
        if kit.stopped() {
            return kit.held(format!("{} frames changed their type right behind their mapping", kit.tries));
        }
    }
}
