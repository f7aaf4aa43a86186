//! Single mappings: made, used, replaced, taken back.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::pages::{self, Frames, address, map, peek, poke, update};
use freehold_guest_tests::probe::{Fault, Probe};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Stop, Used};
use freehold_rt::{CapName, Error, Rights, memory};

const NONE: CapName = CapName::NONE;

/// A missing page, read.
pub fn absent(address: u32) -> Fault {
    Fault { address, access: 0 }
}

/// A missing page, written.
pub fn absent_write(address: u32) -> Fault {
    Fault { address, access: 2 }
}

/// A page that is there, but not to be written.
pub fn read_only(address: u32) -> Fault {
    Fault { address, access: 3 }
}

/// The TLB forgets what was unmapped: the next frame at the same address shows itself.
pub fn replaced() {
    let frames = Frames::take(8, 1);
    let probe = Probe::new(&Home::own(), 0);
    check_eq!(map(&frames, address(0), Rights::WRITE, 0), Ok(()));
    for page in 0..8 {
        check_eq!(peek(address(page)), 0);
        poke(address(page) + 4 * page, 100 + page);
    }
    check_eq!(calls::unmap(NONE, address(0) / FRAME, 8), Ok(()));
    for page in 0..8 {
        check_eq!(probe.read(address(page)), Err(absent(address(page))));
        check_eq!(probe.write(address(page), 1), Err(absent_write(address(page))));
    }
    // Each frame in turn at one address, taken back by address, then through the container.
    for by_address in [true, false] {
        for page in 0..8 {
            let one = [update(
                (frames.container(), frames.at(page)),
                1,
                NONE,
                address(0) / FRAME,
                Rights::WRITE,
                0,
            )];
            check_eq!(calls::update(&one), Ok(()));
            check_eq!(peek(address(0) + 4 * page), 100 + page);
            check_eq!(probe.read(address(0) + 4 * page), Ok(100 + page));
            let unmapped = match by_address {
                true => calls::unmap(NONE, address(0) / FRAME, 1),
                false => calls::unmap(pages::table(), 0, 1),
            };
            check_eq!(unmapped, Ok(()));
        }
    }
    check_eq!(probe.read(address(0)), Err(absent(address(0))));
    check_eq!(calls::unmap(NONE, address(0) / FRAME, 8), Ok(()), "empty entries are no error");
    check_eq!(
        calls::unmap(frames.container(), frames.at(0), 1),
        Err(Stop { error: Error::Unmovable, done: 0 })
    );
}

pub fn rights() {
    let frames = Frames::take(2, 1);
    let probe = Probe::new(&Home::own(), 0);
    let source = (frames.container(), frames.at(0));
    let page = address(0) / FRAME;
    // Page 0 read-only, page 1 writable, page 2 derived from page 0 and asked to be writable.
    check_eq!(calls::update(&[update(source, 1, NONE, page, Rights::NONE, 4)]), Ok(()));
    check_eq!(calls::update(&[update(source, 1, NONE, page + 1, Rights::WRITE, 4)]), Ok(()));
    check_eq!(calls::update(&[update((pages::table(), 0), 1, NONE, page + 2, Rights::WRITE, 0)]), Ok(()));
    check_eq!(calls::update(&[update((pages::table(), 1), 1, NONE, page + 3, Rights::NONE, 0)]), Ok(()));
    check_eq!(probe.write(address(1), 42), Ok(()));
    for page in [0, 2, 3] {
        check_eq!(probe.read(address(page)), Ok(42));
        check_eq!(probe.write(address(page), 1), Err(read_only(address(page))));
    }
    // What hangs on a mapping goes with it.
    check_eq!(calls::unmap(NONE, page, 1), Ok(()));
    check_eq!(probe.read(address(2)), Err(absent(address(2))));
    check_eq!(probe.read(address(3)), Ok(42));
    check_eq!(calls::revoke_range(frames.container(), frames.at(0), 1), Ok(()));
    for page in 0..4 {
        check_eq!(probe.read(address(page)), Err(absent(address(page))));
    }
    // A capability without Write gives no writable mapping, one without Edit none at all.
    let range = calls::range(frames.at(0), 2);
    let edit = freehold_rt::slots::Slot::take().expect("a slot");
    check_eq!(
        calls::lend(
            frames.container(),
            edit.reference(),
            Rights::EDIT.or(Rights::SHARE),
            range,
            calls::Lend::exactly(4),
            9
        ),
        Ok(())
    );
    check_eq!(calls::update(&[update((edit.name(), 0), 2, NONE, page, Rights::WRITE, 0)]), Ok(()));
    check_eq!(probe.read(address(0)), Ok(42));
    check_eq!(probe.write(address(0), 1), Err(read_only(address(0))));
    let share = freehold_guest_tests::objects::derived(edit.name(), Rights::SHARE, calls::range(0, 2), 0);
    let none = calls::update(&[update((share.name(), 0), 1, NONE, page + 9, Rights::NONE, 0)]);
    check_eq!(none, Err(Stop { error: Error::NoRight, done: 0 }));
}

pub fn batches() {
    let frames = Frames::take(30, 1);
    let probe = Probe::new(&Home::own(), 0);
    let page = address(0) / FRAME;
    // Fifteen updates of two pages each, in reverse.
    let batch: [_; 15] = core::array::from_fn(|index| {
        let at = 2 * index as u32;
        update((frames.container(), frames.at(at)), 2, NONE, page + 28 - at, Rights::WRITE, 0)
    });
    check_eq!(calls::update(&batch), Ok(()));
    (0..30).for_each(|index| poke(address(index), index));
    check_eq!(calls::revoke_range(frames.container(), frames.at(0), 30), Ok(()));
    check_eq!(map(&frames, address(0), Rights::NONE, 0), Ok(()));
    let right = (0..30).all(|index| peek(address(index)) == 28 - (index & !1) + index % 2);
    check!(right, "each page lies where its update said");
    check_eq!(calls::unmap(NONE, page, 30), Ok(()));
    // The first error ends it; what is done stays.
    check_eq!(
        calls::update(&[update((frames.container(), frames.at(0)), 1, NONE, page + 5, Rights::NONE, 0)]),
        Ok(())
    );
    let source = (frames.container(), frames.at(0));
    let stopped = calls::update(&[
        update(source, 3, NONE, page + 10, Rights::NONE, 0),
        update(source, 10, NONE, page, Rights::NONE, 0),
        update(source, 3, NONE, page + 20, Rights::NONE, 0),
    ]);
    check_eq!(stopped, Err(Stop { error: Error::Occupied, done: 8 }));
    let present: u32 =
        (0..30).filter(|&index| probe.read(address(index)).is_ok()).fold(0, |bits, index| bits | 1 << index);
    check_eq!(present, 0b111 << 10 | 0b11_1111);
}

/// Mappings in another space's Table, by its space's capability and by its Table's.
pub fn elsewhere() {
    let home = Home::new();
    let (here, there) = (Probe::new(&Home::own(), 0), Probe::new(&home, 1));
    let frames = Frames::take(2, 1);
    let source = (frames.container(), frames.at(0));
    // Threads use the first 32 blocks of 32 pages: all of the Table; the first pages of a block are free.
    let at = BLOCKS;
    check_eq!(there.read(at), Err(absent(at)));
    check_eq!(calls::update(&[update(source, 1, home.space(), at / FRAME, Rights::WRITE, 9)]), Ok(()));
    check_eq!(
        calls::update(&[update((frames.container(), frames.at(1)), 1, home.table(), 1, Rights::NONE, 0)]),
        Ok(())
    );
    check_eq!(map(&frames, address(0), Rights::WRITE, 0), Ok(()));
    check_eq!(there.write(at, 1234), Ok(()));
    check_eq!(here.read(address(0)), Ok(1234));
    check_eq!(here.write(address(1), 77), Ok(()));
    check_eq!(there.read(at + FRAME), Ok(77));
    check_eq!(there.write(at + FRAME, 1), Err(read_only(at + FRAME)));
    check_eq!(here.read(at), Err(absent(at)), "not at that address here");
    // Where the space has no Table of its own, nothing is mapped: the image's is this program's.
    let shared = calls::update(&[update(source, 1, home.space(), 0x006F_F000 / FRAME, Rights::NONE, 0)]);
    check_eq!(shared, Err(Stop { error: Error::NoTable, done: 0 }));
    check_eq!(calls::unmap(home.space(), at / FRAME, 1), Ok(()));
    check_eq!(there.read(at), Err(absent(at)));
    check_eq!(here.read(address(0)), Ok(1234), "only that one");
}

/// Unmap tells how the entries that it empties were used, also of a long range that the timer interrupts; nobody
/// else's entries, and nothing of what was there before.
pub fn used() {
    const PAGES: u32 = 600;
    let used = |accessed, dirty| Ok(Used { accessed, dirty });
    let (frames, probe) = (Frames::take(3, 1), Probe::new(&Home::own(), 0));
    let unmap = |page: u32, count: u32| calls::unmap_used(NONE, address(page) / FRAME, count);
    for _ in 0..3 {
        check_eq!(map(&frames, address(0), Rights::WRITE, 1), Ok(()));
        peek(address(1));
        check_eq!(probe.write(address(2), 5), Ok(()));
        check_eq!(unmap(0, 1), used(false, false));
        check_eq!(unmap(1, 1), used(true, false));
        check_eq!(unmap(2, 1), used(true, true));
        check_eq!(unmap(0, 3), used(false, false), "empty entries");
    }
    // By index, and a child that is used while its parent is not.
    check_eq!(map(&frames, address(0), Rights::WRITE, 1), Ok(()));
    let child = [update((pages::table(), 0), 1, NONE, address(9) / FRAME, Rights::WRITE, 0)];
    check_eq!(calls::update(&child), Ok(()));
    poke(address(9), 1);
    peek(address(1));
    check_eq!(calls::unmap_used(pages::table(), 0, 1), used(false, false));
    check_eq!(probe.read(address(9)), Err(absent(address(9))), "it went with its parent");
    check_eq!(calls::unmap_used(pages::table(), 0, 3), used(true, false));
    for round in 0..40 {
        for page in 0..PAGES {
            let one = [update(
                (frames.container(), frames.at(0)),
                1,
                NONE,
                address(page) / FRAME,
                Rights::WRITE,
                0,
            )];
            check_eq!(calls::update(&one), Ok(()));
        }
        if round % 2 == 0 {
            poke(address(0), round);
        }
        check_eq!(unmap(0, PAGES), used(round % 2 == 0, round % 2 == 0), "round {round}");
    }
}

/// What was written does not outlive a reclaim, whatever the frame was meanwhile.
pub fn cleared() {
    for kind in 0..4 {
        let frames = Frames::take(4, 4);
        check_eq!(map(&frames, address(0), Rights::WRITE, 0), Ok(()));
        for word in 0..4 * 1024 {
            poke(address(0) + 4 * word, 0xDEAD_0000 | word);
        }
        let place = (frames.container(), frames.at(0));
        let slot = freehold_rt::slots::Slot::take().expect("a slot");
        if kind != 0 {
            check_eq!(calls::revoke_range(place.0, place.1, 4), Ok(()));
        }
        let made = match kind {
            0 => Ok(()),
            1 => calls::make_table(place.0, place.1, slot.reference(), NONE),
            2 => calls::make_space(place.0, place.1, slot.reference(), 0x8000_0000, 1024),
            _ => calls::make_cap_node(place.0, place.1, NONE, 31),
        };
        check_eq!(made, Ok(()));
        if kind == 1 {
            // A Table begins empty, though the frames were full.
            check_eq!(calls::hook(slot.name(), NONE, 300, Rights::WRITE), Ok(()));
            let probe = Probe::new(&Home::own(), 0);
            check!((0..1024).step_by(73).all(|page| probe.read(300 << 22 | page << 12).is_err()));
            check_eq!(
                calls::update(&[update((pages::table(), 9), 1, slot.name(), 0, Rights::NONE, 0)]),
                Err(Stop { error: Error::EmptySource, done: 0 })
            );
        }
        if kind == 3 {
            check!((0..128).all(|index| freehold_guest_tests::objects::info(CapName::new(31, index)).kind as u8 == 0));
            check_eq!(calls::make_endpoint(freehold_rt::SlotRef::own(CapName::new(31, 127))), Ok(()));
        }
        check_eq!(memory::release(frames.extent()), Ok(()));
        let again = memory::take(4, 4);
        check_eq!(again, Some(frames.extent()), "the books give the same frames again");
        check_eq!(map(&frames, address(0), Rights::WRITE, 0), Ok(()));
        let dirty = (0..4 * 1024).filter(|word| peek(address(0) + 4 * word) != 0).count();
        check_eq!(dirty, 0, "kind {kind}");
    }
}
