//! Validate: a whole Table's worth of mappings, described in an ordinary page.

use freehold_abi::layout::{BLOCK, FRAME, USER_END};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{Frames, address, peek, poke, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights};

use crate::mappings::read_only;

const NONE: CapName = CapName::NONE;
/// Page with the words.
const WORDS: u32 = address(1000);

struct Scene {
    /// Frames, mapped at pages 0 to 3; frame 4 at `WORDS`.
    frames: Frames,
    table: Slot,
    _memory: Frames,
}

impl Scene {
    fn new() -> Scene {
        let (frames, memory) = (Frames::take(5, 1), Frames::take(4, 4));
        let table = Slot::take().expect("a slot");
        check_eq!(calls::make_table(memory.container(), memory.at(0), table.reference(), NONE), Ok(()));
        check_eq!(calls::hook(table.name(), NONE, 300, Rights::WRITE), Ok(()));
        let source = (frames.container(), frames.at(0));
        let mapped = calls::update(&[
            update(source, 4, NONE, address(0) / FRAME, Rights::WRITE, 63),
            update((source.0, source.1 + 4), 1, NONE, WORDS / FRAME, Rights::WRITE, 63),
        ]);
        check_eq!(mapped, Ok(()));
        (0..4).for_each(|page| poke(address(page), 70 + page));
        Scene { frames, table, _memory: memory }
    }
}

pub fn words() {
    let scene = Scene::new();
    let probe = Probe::new(&Home::own(), 0);
    // Every second entry, the four pages in turn, some of them to be written.
    for index in 0..1024 {
        let word = address(index % 4) | u32::from(index % 4 == 2);
        poke(WORDS + 4 * index, if index % 16 == 0 || index % 16 == 10 { word } else { 0 });
    }
    check_eq!(calls::validate(scene.table.name(), 0, 1024, WORDS), Ok(()));
    let mut right = 0;
    for index in 0..1024 {
        let read = probe.read(300 * BLOCK + index * FRAME);
        let expected = match index % 16 {
            0 => Some(70),
            10 => Some(72),
            _ => None,
        };
        right += u32::from(read.ok() == expected);
    }
    check_eq!(right, 1024);
    let (plain, writable) = (300 * BLOCK, 300 * BLOCK + 10 * FRAME);
    check_eq!(probe.write(plain, 1), Err(read_only(plain)));
    check_eq!(probe.write(writable, 99), Ok(()));
    check_eq!(peek(address(2)), 99);
    // They hang on the own mappings.
    check_eq!(calls::unmap(NONE, address(2) / FRAME, 1), Ok(()));
    check!(probe.read(writable).is_err() && probe.read(plain).is_ok());
    // Into a part: entries count in the part's range.
    let part =
        freehold_guest_tests::objects::derived(scene.table.name(), Rights::ALL, calls::range(100, 8), 0);
    (0..8).for_each(|index| poke(WORDS + 4 * index, if index == 7 { address(3) } else { 0 }));
    check_eq!(calls::validate(part.name(), 4, 4, WORDS + 16), Ok(()));
    check_eq!(probe.read(300 * BLOCK + 107 * FRAME), Ok(73));
}

pub fn wrong() {
    let scene = Scene::new();
    let name = scene.table.name();
    let try_word = |word: u32| {
        poke(WORDS, address(0));
        poke(WORDS + 4, word);
        let result = calls::validate(name, 0, 2, WORDS);
        check_eq!(calls::unmap(name, 0, 1), Ok(()));
        result
    };
    let stop = |error, done| Err(Stop { error, done });
    check_eq!(try_word(0), Ok(()));
    check_eq!(try_word(USER_END), stop(Error::BadAddress, 1));
    check_eq!(try_word(0xFFFF_F001), stop(Error::BadAddress, 1));
    check_eq!(try_word(0xBFC0_0000), stop(Error::PageTableArea, 1));
    check_eq!(try_word(0x5000_0000), stop(Error::NoTable, 1));
    check_eq!(try_word(address(9)), stop(Error::EmptySource, 1));
    check_eq!(try_word(300 * BLOCK), stop(Error::NoTable, 1), "not the space's own Table");
    check_eq!(calls::validate(name, 1020, 5, WORDS), stop(Error::OutOfRange, 0));
    check_eq!(calls::validate(name, 0, 2, WORDS + 2), stop(Error::Misaligned, 0));
    // The words' page ends in the middle.
    (1016..1024).for_each(|index| poke(WORDS + 4 * index, address(1)));
    let raw = |words| {
        let range = calls::range(0, 16);
        freehold_rt::call::call(freehold_abi::Call::Validate, 0, [name.0, range, words, 0])
    };
    let (result, registers) = raw(WORDS + 4 * 1016);
    check_eq!(result, Err(Error::FaultMine));
    check_eq!((registers[2], registers[3]), (WORDS + FRAME, 8), "address of the fault, words done");
    check_eq!(calls::unmap(name, 0, 16), Ok(()));
    let (result, registers) = raw(USER_END - 4);
    check_eq!((result, registers[2]), (Err(Error::FaultMine), USER_END - 4));
    let (result, registers) = raw(u32::MAX - 3);
    check_eq!((result, registers[2]), (Err(Error::FaultMine), u32::MAX - 3));
    // Occupied entries, and a parent with no credits left.
    poke(WORDS, address(0));
    check_eq!(calls::validate(name, 5, 1, WORDS), Ok(()));
    check_eq!(calls::validate(name, 5, 1, WORDS), stop(Error::Occupied, 0));
    let poor =
        update((scene.frames.container(), scene.frames.at(0)), 1, NONE, address(20) / FRAME, Rights::NONE, 0);
    check_eq!(calls::update(&[poor]), Ok(()));
    check_eq!(try_word(address(20)), stop(Error::NoCredits, 1));
}
