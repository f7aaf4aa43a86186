//! The page-table area: the bound that it sets, and what it shows.

use freehold_abi::info::start::BLOCKS as ROOTS;
use freehold_abi::info::{Kind, place};
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::info;
use freehold_guest_tests::pages::{Frames, address, map, peek, poke, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, SlotRef, memory};

use crate::mappings::read_only;

const NONE: CapName = CapName::NONE;

// Bits of an entry (SDM vol. 3, 4.3).
const PRESENT: u32 = 1;
const WRITABLE: u32 = 2;
const USER: u32 = 4;
const ACCESSED: u32 = 32;
const DIRTY: u32 = 64;

/// A space with nothing but its area and `tables` Tables.
struct Bare {
    frames: Frames,
    space: Slot,
    tables: [Slot; 2],
}

const AREA: u32 = 0x8000_0000;

impl Bare {
    fn new(pages: u32) -> Bare {
        let frames = Frames::take(20, 4);
        let [space, first, second] = core::array::from_fn(|_| Slot::take().expect("a slot"));
        check_eq!(
            calls::make_space(frames.container(), frames.at(0), space.reference(), AREA, pages),
            Ok(())
        );
        Bare { frames, space, tables: [first, second] }
    }

    fn table(&self, index: u32, slot: SlotRef) -> Result<(), Error> {
        calls::make_table(self.frames.container(), self.frames.at(4 + 4 * index), slot, self.space.name())
    }
}

pub fn bound() {
    let bare = Bare::new(3);
    let frame = Frames::take(1, 1);
    let source = (frame.container(), frame.at(0));
    let space = bare.space.name();
    let one = |page: u32| update(source, 1, space, page, Rights::WRITE, 0);
    check_eq!(calls::update(&[one(0)]), Err(Stop { error: Error::NoTable, done: 0 }), "no Table at all");
    check_eq!(bare.table(0, SlotRef::default()), Ok(()));
    check_eq!(bare.table(1, bare.tables[0].reference()), Ok(()));
    check_eq!(bare.table(2, bare.tables[1].reference()), Ok(()));
    let fourth = Slot::take().expect("a slot");
    check_eq!(bare.table(3, fourth.reference()), Err(Error::AreaFull));
    check_eq!(info(fourth.name()).kind, Kind::Empty);
    check_eq!(calls::update(&[one(0)]), Err(Stop { error: Error::NoTable, done: 0 }), "not hooked yet");
    check_eq!(calls::hook(bare.tables[0].name(), space, 0, Rights::WRITE), Ok(()));
    check_eq!(calls::hook(bare.tables[1].name(), space, 7, Rights::WRITE), Ok(()));
    // One frame, as often as it goes: in the first 4 MiB, then in the eighth.
    let mut made = 0;
    let mut stop = None;
    let mut page = 0;
    while stop.is_none() {
        let batch: [_; 15] = core::array::from_fn(|index| {
            let page = page + index as u32;
            one(if page < ENTRIES { page } else { page - ENTRIES + 7 * ENTRIES })
        });
        match calls::update(&batch) {
            Ok(()) => made += 15,
            Err(at) => {
                made += at.done;
                stop = Some(at.error);
            }
        }
        page += 15;
    }
    check_eq!((made, stop), (ENTRIES * 2, Some(Error::NoTable)), "1,024 × (3 − 1)");
    let summary = calls::space_summary(space);
    check_eq!(summary.map(|summary| (summary.tables, summary.area, summary.area_pages)), Ok((3, AREA, 3)));
    for index in 1..3 {
        check_eq!(calls::space_table(space, index).map(|table| (table.live, table.hooks)), Ok((ENTRIES, 1)));
    }
    check_eq!(calls::space_table(space, 3), Err(Error::OutOfRange));
    // Hooking the area's own Table elsewhere is impossible: nobody has a capability to it.
    check_eq!(calls::update(&[one(AREA / FRAME)]), Err(Stop { error: Error::PageTableArea, done: 0 }));
    check_eq!(calls::unmap(space, AREA / FRAME, 1), Err(Stop { error: Error::PageTableArea, done: 0 }));
    check_eq!(calls::unhook(space, AREA / BLOCK), Err(Error::PageTableArea));
    check_eq!(calls::update(&[one(0xC0000)]), Err(Stop { error: Error::BadAddress, done: 0 }));
    check_eq!(calls::update(&[one(0xFFFFF)]), Err(Stop { error: Error::BadAddress, done: 0 }));
}

/// The physical address of a root, which its container's place and its index give away.
pub fn physical(frames: &Frames, index: u32) -> u32 {
    (frames.container().0 - ROOTS.0) * BLOCK + frames.at(index) * FRAME
}

pub fn views() {
    let frames = Frames::take(3, 1);
    let summary = calls::space_summary(NONE).expect("the own space");
    check_eq!((summary.area, summary.area_pages), (place::AREA, place::AREA_PAGES));
    // Which view is that of the Table at `pages::AT`: the one that shows its entries.
    let tables: u32 = summary.tables;
    let before: alloc::vec::Vec<u32> =
        (0..tables).map(|index| calls::space_table(NONE, index).map_or(0, |table| table.live)).collect();
    check_eq!(map(&frames, address(5), Rights::WRITE, 0), Ok(()));
    let changed = |&index: &u32| {
        calls::space_table(NONE, index).is_ok_and(|table| table.live == before[index as usize] + 3)
    };
    let grown: alloc::vec::Vec<u32> = (0..tables).filter(changed).collect();
    check_eq!(grown.len(), 1);
    let view = place::AREA + grown[0] * FRAME;
    let entry = |page: u32| peek(view + 4 * page);
    for index in 0..3 {
        check_eq!(entry(5 + index), physical(&frames, index) | PRESENT | WRITABLE | USER);
    }
    check_eq!((entry(4), entry(8)), (0, 0));
    check_eq!(peek(address(5)), 0);
    check_eq!(entry(5), physical(&frames, 0) | PRESENT | WRITABLE | USER | ACCESSED, "read");
    poke(address(6), 1);
    check_eq!(entry(6), physical(&frames, 1) | PRESENT | WRITABLE | USER | ACCESSED | DIRTY, "written");
    check_eq!(entry(7), physical(&frames, 2) | PRESENT | WRITABLE | USER, "not touched");
    // View 0 is the area's own Table: its entries are the views themselves, of which none is writable.
    for index in 0..tables {
        let frame = calls::space_table(NONE, index).map_or(0, |table| table.frame * FRAME);
        check_eq!(peek(place::AREA + 4 * index) & !(ACCESSED | DIRTY), frame | PRESENT | USER);
    }
    check_eq!(peek(place::AREA + 4 * tables), 0);
    let probe = Probe::new(&Home::own(), 0);
    for index in 0..tables {
        check_eq!(probe.write(place::AREA + index * FRAME, 7), Err(read_only(place::AREA + index * FRAME)));
    }
    let behind = place::AREA + tables * FRAME;
    check!(probe.read(behind).is_err(), "no view, no page");
    check_eq!(calls::unmap(NONE, address(5) / FRAME, 3), Ok(()));
    check_eq!((entry(5), entry(6), entry(7)), (0, 0, 0), "what is not present is zero");
    check!((0..ENTRIES).all(|page| entry(page) == 0));
}

/// A space that does not see its entries: no view is mapped, all else is as ever.
pub fn hidden() {
    let (space, table) = (Slot::take().expect("a slot"), Slot::take().expect("a slot"));
    let frames = memory::take(12, 4).expect("memory");
    let (container, first) = (frames.container, frames.first);
    let frame = Frames::take(1, 1);
    check_eq!(calls::make_hidden_space(container, first, space.reference(), place::AREA, 1024), Ok(()));
    let name = space.name();
    check_eq!(calls::make_table(container, first + 4, SlotRef::default(), name), Ok(()));
    check_eq!(calls::make_table(container, first + 8, table.reference(), name), Ok(()));
    check_eq!(calls::space_summary(name).map(|summary| summary.tables), Ok(2));
    check_eq!(calls::space_table(name, 0).map(|area| area.hooks), Ok(0), "hooked nowhere");
    let reserved = place::AREA / BLOCK;
    check_eq!(calls::hook(table.name(), name, reserved, Rights::WRITE), Err(Error::PageTableArea));
    check_eq!(calls::unhook(name, reserved), Err(Error::NoTable));
    check_eq!(calls::hook(table.name(), name, 0, Rights::WRITE), Ok(()));
    let at = |page| [update((frame.container(), frame.at(0)), 1, name, page, Rights::WRITE, 0)];
    check_eq!(calls::update(&at(7)), Ok(()));
    check_eq!(calls::update(&at(1024)), Err(Stop { error: Error::NoTable, done: 0 }));
    let into_area = Err(Stop { error: Error::PageTableArea, done: 0 });
    check_eq!(calls::update(&at(place::AREA / FRAME)), into_area);
    check_eq!(calls::space_table(name, 1).map(|table| table.live), Ok(1));
    check_eq!(memory::release(frames), Ok(()));
}

pub fn withdrawn() {
    let bare = Bare::new(1024);
    let frame = Frames::take(1, 1);
    let space = bare.space.name();
    check_eq!(bare.table(0, SlotRef::default()), Ok(()));
    check_eq!(bare.table(1, bare.tables[0].reference()), Ok(()));
    check_eq!(bare.table(2, bare.tables[1].reference()), Ok(()));
    check_eq!(calls::hook(bare.tables[0].name(), space, 0, Rights::WRITE), Ok(()));
    let one = [update((frame.container(), frame.at(0)), 1, space, 0, Rights::WRITE, 0)];
    check_eq!(calls::update(&one), Ok(()));
    check_eq!(calls::withdraw(bare.tables[0].name()), Err(Error::NotEmpty));
    let last = calls::space_table(space, 2).map(|table| table.frame);
    check_eq!(calls::unmap(space, 0, 1), Ok(()));
    check_eq!(calls::withdraw(bare.tables[0].name()), Ok(()));
    check_eq!(calls::space_summary(space).map(|summary| summary.tables), Ok(2));
    check_eq!(calls::space_table(space, 1).map(|table| table.frame), last, "the last view takes its place");
    check_eq!(calls::withdraw(bare.tables[0].name()), Err(Error::NotInArea));
    check_eq!(
        calls::update(&one),
        Err(Stop { error: Error::NoTable, done: 0 }),
        "hooked, but not the space's"
    );
    // It is a bare container now: entries can be changed through its capability, and it can be hooked.
    check_eq!(
        calls::update(&[update(
            (frame.container(), frame.at(0)),
            1,
            bare.tables[0].name(),
            3,
            Rights::WRITE,
            0
        )]),
        Ok(())
    );
    check_eq!(calls::hook(bare.tables[0].name(), NONE, 300, Rights::WRITE), Ok(()));
    let probe = Probe::new(&Home::own(), 0);
    check_eq!(probe.write(300 * BLOCK + 3 * FRAME, 6), Ok(()));
    check_eq!(calls::unhook(NONE, 300), Ok(()));
    let part =
        freehold_guest_tests::objects::derived(bare.tables[1].name(), Rights::ALL, calls::range(0, 9), 0);
    check_eq!(calls::withdraw(part.name()), Err(Error::OutOfRange));
    check_eq!(calls::withdraw(frame.container()), Err(Error::NotInArea), "a boot container is in no area");
}
