//! Tables shared: a hook a 4 MiB, whatever is in it; rights are those of hook and entry together.

use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::pages::{self, Frames, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights};

use crate::mappings::{absent, absent_write, read_only};

const NONE: CapName = CapName::NONE;
const HERE: u32 = 300;
const THERE: u32 = 400;
const AT: u32 = THERE * BLOCK;

/// A Table of its own, with four writable frames in its first entries.
struct Shared {
    table: Slot,
    frames: Frames,
    _memory: Frames,
}

impl Shared {
    fn new() -> Shared {
        let (memory, frames) = (Frames::take(4, 4), Frames::take(4, 1));
        let table = Slot::take().expect("a slot");
        check_eq!(calls::make_table(memory.container(), memory.at(0), table.reference(), NONE), Ok(()));
        let fill = update((frames.container(), frames.at(0)), 4, table.name(), 0, Rights::WRITE, 3);
        check_eq!(calls::update(&[fill]), Ok(()));
        Shared { table, frames, _memory: memory }
    }
}

pub fn hooks() {
    let shared = Shared::new();
    let (home, third) = (Home::new(), Home::new());
    let (here, there) = (Probe::new(&Home::own(), 0), Probe::new(&home, 1));
    let other = Probe::new(&third, 2);
    check_eq!(calls::hook(shared.table.name(), NONE, HERE, Rights::WRITE), Ok(()));
    check_eq!(calls::hook(shared.table.name(), home.space(), THERE, Rights::NONE), Ok(()));
    check_eq!(calls::hook(shared.table.name(), third.space(), THERE, Rights::WRITE), Ok(()));
    for page in 0..4 {
        check_eq!(here.write(HERE * BLOCK + page * FRAME, 50 + page), Ok(()));
        check_eq!(there.read(AT + page * FRAME), Ok(50 + page));
        check_eq!(there.write(AT + page * FRAME, 0), Err(read_only(AT + page * FRAME)));
        check_eq!(other.write(AT + page * FRAME, 60 + page), Ok(()));
        check_eq!(there.read(AT + page * FRAME), Ok(60 + page));
    }
    check_eq!(there.read(AT + 4 * FRAME), Err(absent(AT + 4 * FRAME)));
    // A change of the Table is a change for all at once; nobody's TLB keeps the old.
    check_eq!(calls::unmap(shared.table.name(), 1, 1), Ok(()));
    for (probe, at) in [(&here, HERE * BLOCK), (&there, AT), (&other, AT)] {
        check_eq!(probe.read(at + FRAME), Err(absent(at + FRAME)));
        check_eq!(probe.read(at + 2 * FRAME), Ok(62));
    }
    let swap =
        update((shared.frames.container(), shared.frames.at(3)), 1, shared.table.name(), 1, Rights::NONE, 0);
    check_eq!(calls::update(&[swap]), Ok(()));
    for (probe, at) in [(&here, HERE * BLOCK), (&there, AT), (&other, AT)] {
        check_eq!(probe.read(at + FRAME), Ok(63));
        check_eq!(probe.write(at + FRAME, 0), Err(read_only(at + FRAME)), "read-only by its entry");
    }
    // By address the Table is nobody's: it was donated to no space.
    let by_address = calls::update(&[update(
        (shared.frames.container(), shared.frames.at(0)),
        1,
        NONE,
        HERE * 1024 + 9,
        Rights::NONE,
        0,
    )]);
    check_eq!(by_address, Err(Stop { error: Error::NoTable, done: 0 }));
    check_eq!(calls::unmap(NONE, HERE * 1024, 1), Err(Stop { error: Error::NoTable, done: 0 }));
    check_eq!(calls::hook(shared.table.name(), NONE, HERE, Rights::WRITE), Err(Error::Occupied));
    check_eq!(calls::hook(shared.table.name(), NONE, 768, Rights::WRITE), Err(Error::OutOfRange));
    check_eq!(calls::hook(pages::table(), NONE, 0xBFC0_0000 >> 22, Rights::WRITE), Err(Error::PageTableArea));
    check_eq!(calls::unhook(NONE, HERE), Ok(()));
    check_eq!(here.read(HERE * BLOCK), Err(absent(HERE * BLOCK)));
    check_eq!(other.read(AT), Ok(60), "the others keep theirs");
    check_eq!(calls::unhook(NONE, HERE), Err(Error::NoTable));
}

/// By the space, by the capability, by its parent, by the Table's own frames.
pub fn taken_back() {
    let home = Home::new();
    let there = Probe::new(&home, 1);
    for way in 0..6 {
        let shared = Shared::new();
        let proxy = derived(shared.table.name(), Rights::SHARE.or(Rights::WRITE), calls::range(0, 1024), 8);
        check_eq!(calls::hook(proxy.name(), home.space(), THERE, Rights::WRITE), Ok(()));
        check_eq!(there.write(AT, way + 1), Ok(()));
        check_eq!(there.read(AT), Ok(way + 1));
        match way {
            0 => check_eq!(calls::unhook(home.space(), THERE), Ok(())),
            1 => check_eq!(calls::revoke(proxy.reference()), Ok(())),
            2 => check_eq!(calls::delete(proxy.reference()), Ok(())),
            3 => check_eq!(calls::revoke(shared.table.reference()), Ok(())),
            4 => check_eq!(calls::delete(shared.table.reference()), Ok(())),
            _ => {
                let extent = shared._memory.extent();
                check_eq!(calls::reclaim(extent.container, extent.first, 4), Ok(()))
            }
        };
        check_eq!(there.read(AT), Err(absent(AT)), "way {way}");
        check_eq!(there.write(AT, 0), Err(absent_write(AT)), "way {way}");
    }
    // The frames alone taken back: the hook stays, the page is gone.
    let shared = Shared::new();
    check_eq!(calls::hook(shared.table.name(), home.space(), THERE, Rights::WRITE), Ok(()));
    check_eq!(there.write(AT, 9), Ok(()));
    check_eq!(calls::revoke_range(shared.frames.container(), shared.frames.at(0), 1), Ok(()));
    check_eq!(there.read(AT), Err(absent(AT)));
    check_eq!(there.read(AT + FRAME), Ok(0));
}

/// A part of a Table can be edited through a capability to that part and no further; a hook needs all.
pub fn parts() {
    let shared = Shared::new();
    let frames = Frames::take(1, 1);
    let source = (frames.container(), frames.at(0));
    let part = derived(shared.table.name(), Rights::ALL, calls::range(8, 4), 8);
    let inner = derived(part.name(), Rights::ALL, calls::range(2, 2), 0);
    check_eq!(calls::hook(part.name(), NONE, HERE, Rights::NONE), Err(Error::OutOfRange));
    let into = |name: CapName, index| calls::update(&[update(source, 1, name, index, Rights::WRITE, 0)]);
    check_eq!(into(part.name(), 4), Err(Stop { error: Error::OutOfRange, done: 0 }));
    check_eq!(into(inner.name(), 2), Err(Stop { error: Error::OutOfRange, done: 0 }));
    check_eq!(into(inner.name(), 1), Ok(()));
    check_eq!(calls::hook(shared.table.name(), NONE, HERE, Rights::WRITE), Ok(()));
    let probe = Probe::new(&Home::own(), 0);
    check_eq!(probe.write(HERE * BLOCK + 11 * FRAME, 5), Ok(()), "8 + 2 + 1");
    check_eq!(into(part.name(), 3), Err(Stop { error: Error::Occupied, done: 0 }));
    check_eq!(calls::unmap(part.name(), 0, 5), Err(Stop { error: Error::OutOfRange, done: 4 }));
    check_eq!(probe.read(HERE * BLOCK + 11 * FRAME), Err(absent(HERE * BLOCK + 11 * FRAME)));
    check_eq!(calls::unhook(NONE, HERE), Ok(()));
    let slot = Slot::take().expect("a slot");
    for (first, count) in [(3, 2), (4, 1), (0, 5), (1023, 1)] {
        let part = calls::derive(part.name(), slot.reference(), Rights::ALL, calls::range(first, count), 0);
        check_eq!(part, Err(Error::OutOfRange), "{first} {count}");
    }
}

/// Four mebibytes of data by one entry: the Table of the roots themselves.
pub fn boot_container() {
    let frames = Frames::take(4, 1);
    check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, 0), Ok(()));
    pages::poke(pages::AT + 12, 0xB007);
    check_eq!(calls::hook(frames.container(), NONE, HERE, Rights::WRITE), Ok(()));
    let probe = Probe::new(&Home::own(), 0);
    let at = HERE * BLOCK + frames.at(0) * FRAME;
    check_eq!(probe.read(at + 12), Ok(0xB007));
    check_eq!(probe.write(at + 12, 3), Ok(()));
    check_eq!(pages::peek(pages::AT + 12), 3);
    // A frame that becomes an object is no longer there, at once.
    check_eq!(calls::unmap(NONE, pages::AT / FRAME, 4), Ok(()));
    check_eq!(calls::make_cap_node(frames.container(), frames.at(0), NONE, 31), Ok(()));
    check_eq!(probe.read(at), Err(absent(at)));
    check_eq!(probe.write(at, 1), Err(absent_write(at)));
    check_eq!(calls::reclaim(frames.container(), frames.at(0), 1), Ok(()));
    check_eq!(probe.read(at + 12), Ok(0), "data again, and clear");
    check_eq!(calls::unmap(NONE, HERE * 1024, 1), Err(Stop { error: Error::NoTable, done: 0 }));
    check_eq!(calls::unhook(NONE, HERE), Ok(()));
    check!(probe.read(at).is_err());
}
