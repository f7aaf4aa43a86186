//! Mappings made and taken back at random in two spaces, each time by a call that a short path may take or by one that
//! none does: both do what the model does, whichever came before.

use freehold_abi::info::place;
use freehold_abi::layout::{BLOCK, ENTRY_ACCESSED, ENTRY_DIRTY, FRAME, MAX_DEPTH};
use freehold_abi::update::{TOTAL_UNLIMITED, UPDATES_AT, Update};
use freehold_abi::{Call, error};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::entry::enter_by_interrupt;
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::pages::{self, Frames, address, peek, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::random::Random;
use freehold_rt::call::{Registers, enter};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, Utcb};

use crate::area::physical;
use crate::mappings::absent;
use crate::model::Model;

const NONE: CapName = CapName::NONE;
const STEPS: u32 = 12_000;
/// What may be derived from each frame. The last one's mappings are a chain as deep as can be.
const BOUNDS: [Option<u32>; 4] = [None, Some(6), Some(2), None];
/// Pages that are mapped at random in each space.
const PAGES: u32 = 4;
/// First slot of the own space's pages, of the chain behind them, and of the other space's pages.
const OWN: usize = BOUNDS.len();
const CHAIN: usize = OWN + PAGES as usize;
const OTHER: usize = CHAIN + MAX_DEPTH as usize;
/// An address that no Table covers.
const BARE: u32 = 500 << 22;
/// Where the own Table is hooked once more.
const AGAIN: u32 = 300;
const SHOWN: u32 = 1 | 4;
const WRITABLE: u32 = 2;

struct Walk {
    random: Random,
    model: Model,
    frames: Frames,
    words: [u32; BOUNDS.len()],
    home: Home,
    probes: [Probe; 2],
    /// Capabilities to the frames: without Write, without Edit.
    less: [Slot; 2],
    /// One to the other space without Edit.
    space: Slot,
    hooked: bool,
}

pub fn at_random() {
    let frames = Frames::take(BOUNDS.len() as u32, 1);
    let lend = |rights, first, count, bound| {
        let (slot, range) = (Slot::take().expect("a slot"), calls::range(frames.at(first), count));
        check_eq!(calls::lend(frames.container(), slot.reference(), rights, range, bound, 0), Ok(()));
        slot
    };
    // What a frame is lent with last is its bound.
    let read_only = lend(Rights::EDIT, 0, BOUNDS.len() as u32, Lend::UNLIMITED);
    let _lent = [(1, 6), (2, 2)].map(|(index, total)| lend(Rights::ALL, index, 1, Lend::exactly(total)));
    let home = Home::new();
    let range = calls::range(frames.at(0), BOUNDS.len() as u32);
    let mut walk = Walk {
        random: Random::new(0x5EED_0001),
        model: Model::new(&BOUNDS, OTHER - OWN + PAGES as usize),
        words: [0; BOUNDS.len()],
        probes: [Probe::new(&Home::own(), 0), Probe::new(&home, 1)],
        less: [read_only, derived(frames.container(), Rights::SHARE, range, 0)],
        space: derived(home.space(), Rights::NONE, 0, 0),
        hooked: false,
        frames,
        home,
    };
    walk.chain();
    for step in 0..STEPS {
        let slot = walk.page();
        match walk.random.below(16) {
            0..6 => walk.update(slot, step),
            6..8 => walk.unmap(slot, step),
            // What was seen just before must not be seen any more.
            8..10 => {
                walk.touch(slot, step);
                walk.unmap(slot, step);
                walk.touch(slot, step);
            }
            10 => walk.revoke(step),
            11 => walk.hook(),
            12 | 13 if walk.hooked => walk.hook(),
            _ => walk.touch(slot, step),
        }
        walk.look(step);
    }
    for root in 0..BOUNDS.len() {
        walk.model.revoke(root);
        check_eq!(calls::revoke_range(walk.frames.container(), walk.frames.at(root as u32), 1), Ok(()));
    }
    walk.look(STEPS);
    if walk.hooked {
        walk.hook();
    }
}

impl Walk {
    fn chain(&mut self) {
        let mut source = (self.frames.container(), self.frames.at(3));
        let mut parent = 3;
        for at in 0..MAX_DEPTH {
            let page = address(PAGES + at) / FRAME;
            let one = update(source, 1, NONE, page, Rights::WRITE, TOTAL_UNLIMITED);
            check_eq!(calls::update(&[one]), Ok(()));
            let slot = CHAIN + at as usize;
            check_eq!(self.model.derive(parent, slot, true, TOTAL_UNLIMITED), Ok(()));
            (source, parent) = ((pages::table(), PAGES + at), slot);
        }
    }

    /// One of the pages.
    fn page(&mut self) -> usize {
        let base = self.random.one_of(&[OWN, OWN, OTHER]);
        base + self.random.below(PAGES) as usize
    }

    /// Container and index of a slot.
    fn source(&self, slot: usize) -> (CapName, u32) {
        match slot {
            0..OWN => (self.frames.container(), self.frames.at(slot as u32)),
            OWN..OTHER => (pages::table(), (slot - OWN) as u32),
            _ => (self.home.table(), (slot - OTHER) as u32),
        }
    }

    /// Space and address of a slot.
    fn at(&self, slot: usize) -> (CapName, u32) {
        match slot {
            OWN..OTHER => (NONE, address((slot - OWN) as u32)),
            _ => (self.home.space(), BLOCKS + (slot - OTHER) as u32 * FRAME),
        }
    }

    /// Enters the kernel by an instruction that short paths take, or by the other.
    fn enter(&mut self, call: Call, registers: Registers) -> (Result<(), Error>, Registers) {
        let enter = if self.random.below(2) == 0 { enter } else { enter_by_interrupt };
        let (status, registers) = enter(call as u32, registers);
        (error::status(status), registers)
    }

    fn update(&mut self, to: usize, step: u32) {
        let from = match self.random.below(8) {
            0..5 => self.random.one_of(&[0, 1, 1, 2]),
            5..7 => self.page(),
            _ => OTHER - 1 - self.random.below(3) as usize,
        };
        let rights = self.random.one_of(&[Rights::NONE, Rights::WRITE]);
        let code = self.random.one_of(&[0, 0, 0, 0, 0, 1, 2, TOTAL_UNLIMITED]);
        let (space, address) = self.at(to);
        let mut one = update(self.source(from), 1, space, address / FRAME, rights, code);
        let mut writable = rights == Rights::WRITE;
        // Mostly as it should be; or one thing is different.
        let wrong = match self.random.below(16) {
            0 if from < OWN => {
                (one.source, one.first) = (self.less[0].name(), from as u32);
                writable = false;
                None
            }
            1 if from < OWN => {
                (one.source, one.first) = (self.less[1].name(), from as u32);
                Some(Error::NoRight)
            }
            2 => {
                (one.source, one.first) = (self.less[0].name(), BOUNDS.len() as u32);
                Some(Error::OutOfRange)
            }
            3 => {
                one.source = self.random.one_of(&[NONE, CapName(0xFFF)]);
                Some(Error::NoCapability)
            }
            4 => {
                one.source = self.home.space();
                Some(Error::WrongKind)
            }
            5 => {
                one.destination = self.space.name();
                Some(Error::NoRight)
            }
            6 => {
                one.page = BARE / FRAME;
                Some(Error::NoTable)
            }
            7 => {
                one.page = self.random.one_of(&[place::AREA / FRAME, place::AREA / FRAME + 1]);
                Some(Error::PageTableArea)
            }
            8 => {
                one.page = self.random.one_of(&[0xC_0000, 0xF_FFFF]);
                Some(Error::BadAddress)
            }
            9 => {
                // A Table of the first space's, hooked into the other.
                (one.destination, one.page) = (self.home.space(), place::IMAGE / FRAME);
                Some(Error::NoTable)
            }
            10 => {
                (one.destination, one.page) = self.source(to);
                None
            }
            _ => None,
        };
        let expected = wrong.map_or_else(|| self.model.derive(from, to, writable, code), Err);
        // The first update, or the second of two when the first is done.
        let index = self.random.below(4) / 3;
        self.write(index, one);
        let (result, [_, cursor, made, _]) = self.enter(Call::Update, [index + 1, index << 16, 0, 0]);
        let after = if expected.is_ok() { ((index + 1) << 16, 1) } else { (index << 16, 0) };
        check_eq!((result, (cursor, made)), (expected, after), "step {step}: {one:?}");
    }

    fn write(&self, index: u32, one: Update) {
        let at = freehold_abi::layout::utcb::MESSAGE + UPDATES_AT + 4 * index as usize;
        for (word, value) in one.encode().into_iter().enumerate() {
            Utcb::current().set(at + word, value);
        }
    }

    fn unmap(&mut self, slot: usize, step: u32) {
        let (space, address) = self.at(slot);
        let wrong = match self.random.below(16) {
            0 => Some((BARE, Error::NoTable)),
            1 => Some((place::AREA, Error::PageTableArea)),
            2 => Some((0xC000_0000, Error::BadAddress)),
            _ => None,
        };
        if let Some((address, error)) = wrong {
            let (result, registers) = self.enter(Call::Unmap, [space.0, address / FRAME, 1, 0]);
            let unchanged = [space.0, address / FRAME, 1, 0];
            check_eq!(
                (result, registers[1..].to_vec()),
                (Err(error), unchanged[1..].to_vec()),
                "step {step}"
            );
            return;
        }
        let (from, first) =
            if self.random.below(4) == 0 { self.source(slot) } else { (space, address / FRAME) };
        let used = self.model.unmap(slot);
        let (result, [_, next, left, told]) = self.enter(Call::Unmap, [from.0, first, 1, 0]);
        check_eq!((result, next, left, told), (Ok(()), first + 1, 0, used), "step {step}: {slot}");
    }

    fn revoke(&mut self, step: u32) {
        let slot = if self.random.below(2) == 0 { self.random.below(3) as usize } else { self.page() };
        self.model.revoke(slot);
        let (container, index) = self.source(slot);
        check_eq!(calls::revoke_range(container, index, 1), Ok(()), "step {step}");
    }

    /// The own Table is hooked once more, or no longer: its pages are seen at two addresses.
    fn hook(&mut self) {
        let done = match self.hooked {
            true => calls::unhook(NONE, AGAIN),
            false => calls::hook(pages::table(), NONE, AGAIN, Rights::NONE),
        };
        check_eq!(done, Ok(()));
        self.hooked = !self.hooked;
    }

    /// Reads and writes a page where it is seen.
    fn touch(&mut self, slot: usize, step: u32) {
        let (space, mut address) = self.at(slot);
        if slot < OTHER && self.hooked && self.random.below(2) == 0 {
            address += (AGAIN - pages::INDEX) * BLOCK;
            let seen = self.model.node(slot).map(|node| {
                node.used |= ENTRY_ACCESSED;
                node.frame
            });
            let expected = seen.map_or_else(|| Err(absent(address)), |frame| Ok(self.words[frame]));
            check_eq!(self.probes[0].read(address), expected, "step {step}: {slot}");
            return;
        }
        let probe = &self.probes[usize::from(space != NONE)];
        let Some(node) = self.model.node(slot) else {
            check_eq!(probe.read(address), Err(absent(address)), "step {step}: {slot}");
            return;
        };
        node.used |= ENTRY_ACCESSED;
        check_eq!(probe.read(address), Ok(self.words[node.frame]), "step {step}: {slot}");
        if node.writable && self.random.below(2) == 0 {
            node.used |= ENTRY_DIRTY;
            self.words[node.frame] = self.random.word();
            check_eq!(probe.write(address, self.words[node.frame]), Ok(()), "step {step}: {slot}");
        }
    }

    /// Looks at all entries: always in the own page-table area, and sometimes in the other space's, since to go there
    /// flushes what may be stale.
    fn look(&mut self, step: u32) {
        let others = self.random.below(8) == 0 || step == STEPS;
        for slot in (OWN..OWN + PAGES as usize).chain(OTHER..OTHER + PAGES as usize) {
            let expected = match self.model.node(slot) {
                Some(node) => {
                    let writable = if node.writable { WRITABLE } else { 0 };
                    physical(&self.frames, node.frame as u32) | SHOWN | writable | node.used
                }
                None => 0,
            };
            let (_, index) = self.source(slot);
            let view = if slot < OTHER { pages::view_index() } else { 1 };
            let entry = place::AREA + view * FRAME + 4 * index;
            if slot < OTHER {
                check_eq!(peek(entry), expected, "step {step}: slot {slot}");
            } else if others {
                check_eq!(self.probes[1].read(entry), Ok(expected), "step {step}: slot {slot}");
            }
        }
    }
}
