//! Objects made of frames, and their end.
//!
//! Frames are cleared when an object is made of them and when it has ended; what of that a section holds is told
//! apart. It follows from the kernel's source (`make.rs`, `destroy.rs`) and is checked only in that no section takes
//! less.

use freehold_abi::info::{place, start};
use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::{Call, CapName, Rights, SlotRef};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::pages::{self, Frames};
use freehold_guest_tests::worker::MAIN_PRIORITY;
use freehold_rt::slots::Slot;

use crate::annex::INDEX;
use crate::measure::{Series, any_wanted, section};
use crate::stub;

const ROUNDS: u32 = 100;

/// Instructions that clear a frame: one for each word.
const CLEAR: u32 = FRAME / 4;
/// What is cleared of a Directory at its end, in words: the kernel half of the entries, and the space's fields. All else
/// is clear by then, as all of a Table is.
const SPACE_END: u32 = 256 + 6;

/// What is cleared when a Directory is made: all but one entry for each 4 MiB of RAM, which are copied. That is counted.
fn space_begin() -> u32 {
    4 * CLEAR - freehold_rt::start::boot_info().map_or(0, |boot| boot.blocks)
}

/// `table.*`, `thread.*`, `space.*`.
pub fn run() {
    if any_wanted(&["table.add", "table.remove"]) {
        table();
    }
    if any_wanted(&["thread.create", "thread.delete"]) {
        thread();
    }
    spaces();
    if any_wanted(&["space.furnish", "space.strip"]) {
        furnished_space();
    }
}

/// `space.create`, `space.delete`.
pub fn spaces() {
    if any_wanted(&["space.create", "space.delete"]) {
        space();
    }
}

fn reclaim(frames: &Frames, count: u32) -> u32 {
    stub::status(Call::Reclaim, [frames.container().0, frames.at(0), count, 0])
}

/// A Table donated to the own space and hooked there; and taken back.
fn table() {
    let mut add = Series::new("table.add").clearing(4 * CLEAR);
    let mut remove = Series::new("table.remove");
    let (frames, slot) = (Frames::take(4, 4), Slot::take().expect("a slot"));
    for _ in 0..=ROUNDS {
        let make = [frames.container().0, frames.at(0), slot.reference().0, start::SPACE.0];
        let hook = [slot.name().0, CapName::NONE.0, INDEX, 0];
        let (sample, statuses) = section(|| {
            let made = stub::status(Call::MakeTable, make);
            (made, stub::immediate(Call::Hook, Rights::WRITE.bits(), hook))
        });
        check_eq!(statuses, (stub::OK, stub::OK));
        add.add(sample);
        let (sample, status) = section(|| reclaim(&frames, 4));
        check_eq!(status, stub::OK);
        remove.add(sample);
    }
    add.finish();
    remove.finish();
}

/// A thread of the own space, made and started, below this one, so that it does not run; and its end.
fn thread() {
    let mut create = Series::new("thread.create").clearing(2 * CLEAR);
    let mut delete = Series::new("thread.delete").clearing(2 * CLEAR);
    let (frames, slot) = (Frames::take(2, 1), Slot::take().expect("a slot"));
    let address = pages::address(0);
    for _ in 0..=ROUNDS {
        let indices = frames.at(0) | frames.at(1) << 10;
        let make = [frames.container().0, indices, slot.reference().0, address];
        let begin = [slot.name().0, address, address + FRAME, CapName::NONE.0];
        let priority = u32::from(MAIN_PRIORITY - 1) << 8;
        let (sample, statuses) = section(|| {
            let made = stub::status(Call::MakeThread, make);
            (made, stub::immediate(Call::StartThread, priority, begin))
        });
        check_eq!(statuses, (stub::OK, stub::OK));
        check_eq!(freehold_rt::calls::thread_info(slot.name()).map(|info| info.esp), Ok(address + FRAME));
        create.add(sample);
        let (sample, status) = section(|| reclaim(&frames, 2));
        check_eq!(status, stub::OK);
        delete.add(sample);
    }
    create.finish();
    delete.finish();
}

fn make_space(frames: &Frames, slot: &Slot) -> [u32; 4] {
    [frames.container().0, frames.at(0), slot.reference().0, place::AREA | (ENTRIES - 1)]
}

/// A space without anything, not even a Table of its area; and its end.
fn space() {
    let mut create = Series::new("space.create").clearing(space_begin());
    let mut delete = Series::new("space.delete").clearing(SPACE_END);
    let (frames, slot) = (Frames::take(4, 4), Slot::take().expect("a slot"));
    for _ in 0..=ROUNDS {
        let make = make_space(&frames, &slot);
        let (sample, status) = section(|| stub::status(Call::MakeSpace, make));
        check_eq!(status, stub::OK);
        create.add(sample);
        let (sample, status) = section(|| reclaim(&frames, 4));
        check_eq!(status, stub::OK);
        delete.add(sample);
    }
    create.finish();
    delete.finish();
}

/// A space that a thread can live in: with a page-table area, a Table that is hooked, a capability node; and the end of
/// all that.
fn furnished_space() {
    let mut create = Series::new("space.furnish").clearing(9 * CLEAR + space_begin());
    let mut delete = Series::new("space.strip").clearing(SPACE_END + CLEAR);
    let frames = Frames::take(13, 4);
    let (space, table) = (Slot::take().expect("a slot"), Slot::take().expect("a slot"));
    for _ in 0..=ROUNDS {
        let (from, name) = (frames.container().0, space.name().0);
        let make = make_space(&frames, &space);
        let area = [from, frames.at(4), SlotRef::default().0, name];
        let first = [from, frames.at(8), table.reference().0, name];
        let hook = [table.name().0, name, INDEX, 0];
        let node = [from, frames.at(12), name, 0];
        let (sample, statuses) = section(|| {
            [
                stub::status(Call::MakeSpace, make),
                stub::status(Call::MakeTable, area),
                stub::status(Call::MakeTable, first),
                stub::immediate(Call::Hook, Rights::WRITE.bits(), hook),
                stub::status(Call::MakeCapNode, node),
            ]
        });
        check_eq!(statuses, [stub::OK; 5]);
        create.add(sample);
        let (sample, status) = section(|| reclaim(&frames, 13));
        check_eq!(status, stub::OK);
        delete.add(sample);
    }
    create.finish();
    delete.finish();
}
