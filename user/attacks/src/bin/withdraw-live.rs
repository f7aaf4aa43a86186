//! A Table taken away while its entries and hooks are alive.
//!
//! It withdraws a Table with live entries, and the area's own; takes back the frames of a Table that is hooked in two spaces,
//! whole and one of its four frames alone; takes a space back beneath its Tables. Behind each it reads and writes where the
//! hooks were, and fills the frames that were the Table's with entries of its own making.
//!
//! Success would mean: a directory entry points to memory that is somebody's data by now, who then says what it maps; or
//! mappings live on that their space's Tables do not account for. Evidence: a page behind the hook of a Table that is gone
//! can be read; or a withdrawn Table has live entries.
//!
//! What stops it: invariants 2, 7, 11, 21. An object's end revokes its list, hooks included, before its frames are anything
//! else; a Table is withdrawn only when its count of live entries is 0 (NotEmpty).

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, page, probe};
use freehold_attacks::rt::abi::info::place;
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::calls;
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Rights, memory};
use freehold_attacks::{Evidence, Kit, String, attack, format, idle};

attack!("withdraw-live", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

const MARK: u32 = 0x11FE_0001;
/// Pages of the other Table: data, then what was a Table.
const DATA: u32 = 0;
const WAS: u32 = 8;

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(data)) = (Ground::new(0), memory::take(1, 1)) else {
        return kit.untried("no memory to try it with");
    };
    if ground.map(data, DATA, Rights::WRITE, 8).is_err() || !probe::write(ground.address(DATA), MARK) {
        return kit.untried("no page of its own");
    }
    loop {
        for roots in [(0, 4), (0, 1), (1, 1), (3, 1), (1, 3)] {
            let found = ended(kit, &ground, roots).or_else(|| withdrawn(kit, &ground));
            if let Some(how) = found {
                return kit.broken(how);
            }
        }
        if kit.stopped() {
            return kit.held(format!("{} Tables with live entries withdrawn or taken back", kit.tries));
        }
    }
}

/// The page with data once more, in a Table.
fn use_table(ground: &Ground, table: &Ground) -> bool {
    let from = Extent { container: ground.table(), first: DATA, count: 1 };
    table.map(from, 5, Rights::WRITE, 0).is_ok() && probe::read(table.address(5)) == Some(MARK)
}

fn withdrawn(kit: &mut Kit, ground: &Ground) -> Option<String> {
    let table = Ground::new(3)?;
    if !use_table(ground, &table) {
        return None;
    }
    let before = calls::space_summary(CapName::NONE).ok()?.tables;
    let result = calls::withdraw(table.table());
    kit.try_(result).ok()?;
    let after = calls::space_summary(CapName::NONE).ok()?.tables;
    (after < before && probe::read(table.address(5)) == Some(MARK)).then(|| {
        format!("a Table with live entries left the area: {after} Tables of {before}, and its page is there")
    })
}

/// Takes back `count` of the Table's frames from the one `first` on, and looks behind its two hooks.
fn ended(kit: &mut Kit, ground: &Ground, (first, count): (u32, u32)) -> Option<String> {
    let table = Ground::new(1)?;
    let (other, frames) = (Slot::take()?, memory::take(4, 4)?);
    let again = table.index() + 1;
    let made = calls::make_space(frames.container, frames.first, other.reference(), place::AREA, 4)
        .and_then(|()| calls::hook(table.table(), other.name(), 7, Rights::WRITE))
        .and_then(|()| calls::hook(table.table(), CapName::NONE, again, Rights::NONE));
    let mut found = None;
    if made.is_ok() && use_table(ground, &table) && probe::read(again * BLOCK + 5 * FRAME) == Some(MARK) {
        let own = table.frames();
        let result = calls::reclaim(own.container, own.first + first, count);
        let gone = calls::cap_info(freehold_attacks::rt::SlotRef::own(table.table()))
            .is_ok_and(|info| info.total == 0);
        let _ = kit.try_(result);
        if result.is_ok() {
            found = dangling(ground, &table, again);
        } else if gone {
            found = Some("a Table that could not be taken back has lost its capability".into());
        }
    }
    let _ = memory::release(frames);
    let _ = calls::unhook(CapName::NONE, again);
    found
}

/// Whether a hook of the Table that was taken back still leads anywhere; and where to.
fn dangling(ground: &Ground, table: &Ground, again: u32) -> Option<String> {
    let places = [table.address(5), again * BLOCK + 5 * FRAME];
    if let Some(place) = places.into_iter().find(|&place| probe::read(place).is_some()) {
        return Some(format!("{place:#x} can be read, though its Table is gone"));
    }
    // What was the Table's first frame is data: entries of its own making in there.
    let entry = ground.entry(DATA);
    ground.map(edge::one(table.frames(), 0), WAS, Rights::WRITE, 0).ok()?;
    probe::write(ground.address(WAS) + 4 * 6, entry);
    let places = [table.address(6), again * BLOCK + 6 * FRAME];
    let led = places.into_iter().find(|&place| probe::read(place) == Some(MARK));
    probe::write(ground.address(WAS) + 4 * 6, 0);
    let _ = calls::unmap(CapName::NONE, page(ground.address(WAS)), 1);
    led.map(|place| format!("{place:#x} shows a page by an entry that the program wrote itself"))
}
