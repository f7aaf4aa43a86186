//! Page tables that map themselves.
//!
//! It writes to every view of its page-table area; hooks a Table, its own space and a space that it made, where the area is
//! and elsewhere; maps pages into the area, takes the area away, and hooks there then; validates words that name the area's
//! pages; hooks one Table twice; gives a space of its own an area and takes the space away beneath it.
//!
//! Success would mean: a program writes its own hardware entries (XSA-240: linear page tables). Evidence: a write to a view
//! goes through, and a page that no call has mapped can be read.
//!
//! What stops it: invariants 1 and 11. Views are read-only, the area's Table has no capability, its place takes nothing else
//! (PageTableArea), and only Tables can be hooked.

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::rt::abi::info::{place, start};
use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_attacks::rt::calls::{self, Stop};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, Rights, SlotRef, memory};
use freehold_attacks::{Evidence, Kit, String, attack, format, idle};

attack!("self-map", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

const MARK: u32 = 0x5E1F_0001;
/// Pages of the piece: data, words for Validate, one that stays empty.
const DATA: u32 = 0;
const WORDS: u32 = 1;
const EMPTY: u32 = 7;
const AREA: u32 = place::AREA / BLOCK;

fn work(kit: &mut Kit) -> Evidence {
    let scene = (Ground::new(0), memory::take(1, 1), memory::take(1, 1));
    let (Some(ground), Some(data), Some(words)) = scene else {
        return kit.untried("no memory to try it with");
    };
    let ready =
        ground.map(data, DATA, Rights::WRITE, 8).and_then(|()| ground.map(words, WORDS, Rights::WRITE, 0));
    if ready.is_err() || !probe::write(ground.address(DATA), MARK) {
        return kit.untried("no page of its own");
    }
    loop {
        let found =
            by_views(kit, &ground).or_else(|| by_calls(kit, &ground, data)).or_else(|| by_orphan(kit));
        if let Some(how) = found {
            return kit.broken(how);
        }
        if kit.stopped() {
            return kit.held(format!("{} writes and calls", kit.tries));
        }
    }
}

/// Writes the entry of the page with data to where the empty one's is, in the view of the Table; and to all views.
fn by_views(kit: &mut Kit, ground: &Ground) -> Option<String> {
    let tables = calls::space_summary(CapName::NONE).map_or(0, |space| space.tables);
    let (view, entry) = (ground.view()?, ground.entry(DATA));
    kit.tries += tables;
    if probe::write(view + 4 * EMPTY, entry) {
        kit.successes += 1;
        if probe::read(ground.address(EMPTY)) == Some(MARK) {
            probe::write(view + 4 * EMPTY, 0);
            return Some("an entry written in the page-table area maps a page".into());
        }
    }
    // The word is the one that stands there, so nothing is harmed if it goes through.
    let writes = |number: &u32| {
        let last = place::AREA + number * FRAME + 4 * (ENTRIES - 1);
        probe::read(last).is_some_and(|word| probe::write(last, word))
    };
    (0..tables).find(writes).map(|number| format!("view {number} can be written"))
}

/// Calls that would have a directory or the area map what they must not.
fn by_calls(kit: &mut Kit, ground: &Ground, data: Extent) -> Option<String> {
    let (own, words) = (start::SPACE, ground.address(WORDS));
    let flat = |result: Result<(), Stop>| result.map_err(|stop| stop.error);
    let validate = |word: u32| {
        probe::write(words, word | Rights::WRITE.bits());
        flat(calls::validate(ground.table(), EMPTY, 1, words))
    };
    let into =
        |address: u32| flat(calls::update(&[update(data, CapName::NONE, page(address), Rights::WRITE, 0)]));
    let tries: [(&str, Result<(), Error>); 10] = [
        ("its own space was hooked", calls::hook(own, CapName::NONE, ground.index() + 2, Rights::WRITE)),
        ("its own space was hooked at the area", calls::hook(own, CapName::NONE, AREA, Rights::WRITE)),
        ("a Table was hooked at the area", calls::hook(ground.table(), CapName::NONE, AREA, Rights::WRITE)),
        ("the area was unhooked", calls::unhook(CapName::NONE, AREA)),
        ("a page was mapped in the area", into(place::AREA)),
        ("a page was mapped in the area", into(place::AREA + BLOCK - FRAME)),
        ("a page of the area was unmapped", flat(calls::unmap(CapName::NONE, page(place::AREA), 1))),
        ("a view was mapped", validate(place::AREA)),
        ("a view was mapped", ground.view().map_or(Err(Error::NoTable), validate)),
        ("a kernel page was mapped", validate(0xC000_0000)),
    ];
    let found = tries.into_iter().find(|(_, result)| kit.try_(*result).is_ok());
    let _ = ground.unmap(EMPTY, 1);
    // One Table, hooked twice: the same entries, and no more.
    let again = calls::hook(ground.table(), CapName::NONE, ground.index() + 3, Rights::WRITE);
    kit.tries += 1;
    let twice = again.is_ok() && probe::read((ground.index() + 3) * BLOCK + EMPTY * FRAME).is_some();
    let _ = calls::unhook(CapName::NONE, ground.index() + 3);
    found
        .map(|(how, _)| how.into())
        .or_else(|| twice.then(|| "an empty page can be read by a second hook".into()))
}

/// A space of its own with an area, which is taken away beneath its Tables; they are hooked here then.
fn by_orphan(kit: &mut Kit) -> Option<String> {
    let frames = memory::take(12, 4)?;
    let (space, table) = (Slot::take()?, Slot::take()?);
    let (from, first) = (frames.container, frames.first);
    let made = calls::make_space(from, first, space.reference(), place::AREA, 4)
        .and_then(|()| calls::make_table(from, first + 4, SlotRef::default(), space.name()))
        .and_then(|()| calls::make_table(from, first + 8, table.reference(), space.name()));
    let mut found = None;
    if made.is_ok() {
        let within = [
            calls::hook(table.name(), space.name(), AREA, Rights::WRITE),
            calls::hook(space.name(), space.name(), 0, Rights::WRITE),
            calls::unhook(space.name(), AREA),
        ];
        let ended = calls::reclaim(from, first, 4);
        let index = edge::PIECES + 4;
        let hooked = calls::hook(table.name(), CapName::NONE, index, Rights::WRITE);
        let shows = hooked.is_ok() && (0..4).any(|page| probe::read(index * BLOCK + page * FRAME).is_some());
        let _ = calls::unhook(CapName::NONE, index);
        if within.into_iter().any(|result| kit.try_(result).is_ok()) {
            found = Some("the area of a space of its own took another Table".into());
        } else if shows && ended.is_ok() {
            found = Some("a Table whose space is gone shows pages".into());
        }
    }
    let _ = memory::release(frames);
    found
}
