//! Mappings, by the thousand.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{self, Frames, address, poke, update};
use freehold_guest_tests::{check_eq, home::Home};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights};

const NONE: CapName = CapName::NONE;
/// Entries of a Table.
const ENTRIES: u32 = 1024;
/// Page number of the first of them, in the own space.
const PAGE: u32 = address(0) / FRAME;
/// Frames in a row.
const FRAMES: u32 = 512;

/// A Table that is hooked nowhere.
pub struct Table {
    _memory: Frames,
    pub name: Slot,
}

impl Table {
    pub fn new() -> Table {
        let (memory, name) = (Frames::take(4, 4), Slot::take().expect("a slot"));
        check_eq!(calls::make_table(memory.container(), memory.at(0), name.reference(), NONE), Ok(()));
        Table { _memory: memory, name }
    }

    /// Fills it with mappings of `frames`, from each of which so much can be derived.
    pub fn fill(&self, frames: &Frames, total_code: u32) {
        let half = |page| {
            update(
                (frames.container(), frames.at(0)),
                FRAMES,
                self.name.name(),
                page,
                Rights::WRITE,
                total_code,
            )
        };
        check_eq!(calls::update(&[half(0), half(FRAMES)]), Ok(()));
    }

    /// Derives each entry of the own pages from one of this.
    pub fn derive_all(&self) {
        let all = update((self.name.name(), 0), ENTRIES, NONE, PAGE, Rights::WRITE, 0);
        check_eq!(calls::update(&[all]), Ok(()));
    }
}

pub fn made() {
    let frames = Frames::take(FRAMES, 1);
    let table = Table::new();
    // From roots, then from mappings, whose credits are counted.
    table.fill(&frames, 3);
    table.derive_all();
    check_eq!(calls::unmap(NONE, PAGE, ENTRIES), Ok(()));
    // One entry each: what an update has beside its entries counts most.
    let singles = |first: u32| -> [_; 15] {
        core::array::from_fn(|index| {
            update((table.name.name(), 0), 1, NONE, PAGE + first + index as u32, Rights::NONE, 0)
        })
    };
    check_eq!(calls::update(&singles(0)[..3]), Ok(()));
    check_eq!(calls::unmap(NONE, PAGE, 3), Ok(()));
    let roots: [_; 15] = core::array::from_fn(|index| {
        update(
            (frames.container(), frames.at(index as u32)),
            34,
            NONE,
            PAGE + 34 * index as u32,
            Rights::NONE,
            0,
        )
    });
    check_eq!(calls::update(&roots), Ok(()));
    check_eq!(calls::unmap(NONE, PAGE, 15 * 34), Ok(()));
}

pub fn validated() {
    let frames = Frames::take(1, 1);
    let table = Table::new();
    check_eq!(pages::map(&frames, address(ENTRIES - 1), Rights::WRITE, 63), Ok(()));
    (0..ENTRIES).for_each(|index| poke(address(ENTRIES - 1) + 4 * index, address(ENTRIES - 1) | index & 1));
    check_eq!(calls::validate(table.name.name(), 0, ENTRIES, address(ENTRIES - 1)), Ok(()));
    check_eq!(calls::unmap(NONE, PAGE + ENTRIES - 1, 1), Ok(()), "with all that hangs on it");
    check_eq!(calls::validate(table.name.name(), 0, 1, address(ENTRIES - 1)).is_err(), true);
}

pub fn unmapped() {
    let frames = Frames::take(FRAMES, 1);
    let table = Table::new();
    for by_address in [true, false] {
        table.fill(&frames, 3);
        table.derive_all();
        let unmapped = match by_address {
            true => calls::unmap(NONE, PAGE, ENTRIES),
            false => calls::unmap(pages::table(), 0, ENTRIES),
        };
        check_eq!(unmapped, Ok(()));
        table.derive_all();
        check_eq!(calls::unmap(table.name.name(), 0, ENTRIES), Ok(()), "each with its child");
    }
}

/// What finds nothing to do, in each of the calls that look.
pub fn empty() {
    let home = Home::new();
    let frames = Frames::take(FRAMES, 1);
    check_eq!(calls::unmap(NONE, PAGE, ENTRIES), Ok(()));
    check_eq!(calls::unmap(pages::table(), 0, ENTRIES), Ok(()));
    check_eq!(calls::unmap(home.space(), freehold_guest_tests::home::BLOCKS / FRAME, ENTRIES), Ok(()));
    check_eq!(calls::revoke_range(pages::table(), 0, ENTRIES), Ok(()));
    check_eq!(calls::revoke_range(frames.container(), frames.at(0), FRAMES), Ok(()));
}

pub fn revoked() {
    let frames = Frames::take(FRAMES, 1);
    let table = Table::new();
    // Each with one child.
    table.fill(&frames, 3);
    table.derive_all();
    check_eq!(calls::revoke_range(table.name.name(), 0, ENTRIES), Ok(()));
    table.derive_all();
    check_eq!(calls::revoke_range(frames.container(), frames.at(0), FRAMES), Ok(()));
    // One with a thousand.
    let root = (frames.container(), frames.at(0));
    check_eq!(calls::update(&[update(root, 1, NONE, PAGE, Rights::WRITE, 62)]), Ok(()));
    for index in 1..ENTRIES {
        check_eq!(
            calls::update(&[update((pages::table(), 0), 1, NONE, PAGE + index, Rights::NONE, 0)]),
            Ok(())
        );
    }
    check_eq!(calls::revoke_range(pages::table(), 0, 1), Ok(()));
    // Of chains as deep as they can be.
    for chain in 0..8 {
        let first = 64 * chain;
        let root = (frames.container(), frames.at(0));
        check_eq!(calls::update(&[update(root, 1, NONE, PAGE + 1 + first, Rights::WRITE, 62)]), Ok(()));
        for depth in 1..60 {
            let above = (pages::table(), first + depth);
            let total = 58 - depth.min(44);
            let one = update(above, 1, NONE, PAGE + first + depth + 1, Rights::WRITE, total.min(46));
            // Those above have not enough for the last ones, so that not all of them are as deep.
            let _ = calls::update(&[one]);
        }
    }
    check_eq!(calls::revoke_range(frames.container(), frames.at(0), FRAMES), Ok(()));
    check_eq!(calls::unmap(NONE, PAGE, ENTRIES), Ok(()));
}

pub fn lent() {
    let frames = Frames::take(FRAMES, 1);
    let lent = Slot::take().expect("a slot");
    let range = calls::range(frames.at(0), FRAMES);
    for _ in 0..2 {
        let rights = Rights::ALL;
        check_eq!(
            calls::lend(frames.container(), lent.reference(), rights, range, Lend::exactly(4), 9),
            Ok(())
        );
        check_eq!(calls::delete(lent.reference()), Ok(()));
        check_eq!(calls::reclaim(frames.container(), frames.at(0), FRAMES), Ok(()));
    }
}

/// Data frames, as they are and with a mapping each.
pub fn reclaimed() {
    let frames = Frames::take(FRAMES, 1);
    let table = Table::new();
    for _ in 0..2 {
        check_eq!(calls::reclaim(frames.container(), frames.at(0), FRAMES), Ok(()));
        table.fill(&frames, 3);
        table.derive_all();
    }
    check_eq!(calls::reclaim(frames.container(), frames.at(0), FRAMES), Ok(()));
    check_eq!(calls::unmap(NONE, PAGE, ENTRIES), Ok(()));
}
