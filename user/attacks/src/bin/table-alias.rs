//! A writable alias of a page table, or of another object's frame.
//!
//! It maps a frame of its own for writing and donates the frame then, as a Table, a space, a capability node, a thread or
//! its UTCB; any one of the frames of an object that takes several. It donates first and maps then: from the donated root,
//! from a further capability to the same roots that was made before, from its own view of the Table, from the UTCB's one
//! page, by words of a Validate. With a pool it gives the frame to the pool before, or afterwards.
//!
//! Success would mean: it writes its own hardware entries, and so reads and writes all memory. Evidence: an entry that it
//! writes through the alias maps a page that no call has mapped; else, a word that the kernel wrote shows in the alias.
//!
//! What stops it: invariant 1. Only a root from which nothing is derived is donated (HasDescendants), its entry is empty from
//! then on (EmptySource), views are no sources, and a UTCB's mapping has total 0.

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, one, page, probe, update};
use freehold_attacks::rt::abi::info::{place, start};
use freehold_attacks::rt::abi::layout::{ENTRIES, FRAME};
use freehold_attacks::rt::calls::{self, ThreadPlace};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, Rights, SlotRef, memory};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("table-alias", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// What a frame is donated as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum As {
    Table,
    Space,
    Node,
    Thread,
    Utcb,
}

const ALL: [As; 5] = [As::Table, As::Space, As::Node, As::Thread, As::Utcb];
/// Pages of the piece where aliases lie: those of the object's four frames, then that of a frame that stays data.
const DATA: u32 = 8;
const MARK: u32 = 0x5EED_A11A;
/// Node of its own space that it makes and ends again.
const NODE: u32 = 30;
/// Where a thread that it makes has its UTCB.
const UTCB: u32 = 16;

struct Scene {
    ground: Ground,
    frames: Extent,
    slot: Slot,
}

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(frames), Some(slot)) = (Ground::new(0), memory::take(4, 4), Slot::take()) else {
        return kit.untried("no memory to try it with");
    };
    let scene = Scene { ground, frames, slot };
    loop {
        for object in ALL {
            for part in 0..if matches!(object, As::Table | As::Space) { 4 } else { 1 } {
                for try_ in [Scene::mapped_then_donated, Scene::donated_then_mapped, Scene::by_pool] {
                    if let Some(how) = try_(&scene, kit, object, part) {
                        return kit.broken(how);
                    }
                    scene.clean();
                }
            }
        }
        if kit.stopped() {
            return kit.held(format!("{} donations of mapped frames, mappings of donated ones", kit.tries));
        }
    }
}

impl Scene {
    /// Makes the object; a UTCB's thread is the frame behind it.
    fn donate(&self, object: As) -> Result<(), Error> {
        let (container, first) = (self.frames.container, self.frames.first);
        match object {
            As::Table => calls::make_table(container, first, self.slot.reference(), start::SPACE),
            As::Space => calls::make_space(container, first, self.slot.reference(), place::AREA, 4),
            As::Node => calls::make_cap_node(container, first, CapName::NONE, NODE),
            As::Thread => self.thread(first, first + 1),
            As::Utcb => self.thread(first + 1, first),
        }
    }

    fn thread(&self, thread: u32, utcb: u32) -> Result<(), Error> {
        let address = self.ground.address(UTCB);
        let container = self.frames.container;
        let place = ThreadPlace { container, thread, utcb, space: CapName::NONE, address, fpu: false };
        calls::make_thread(place, self.slot.reference())
    }

    fn clean(&self) {
        let _ = self.ground.unmap(0, ENTRIES);
        let _ = calls::reclaim(self.frames.container, self.frames.first, self.frames.count);
        let _ = calls::delete(self.slot.reference());
    }

    fn mapped_then_donated(&self, kit: &mut Kit, object: As, part: u32) -> Option<freehold_attacks::String> {
        self.ground.map(one(self.frames, part), part, Rights::WRITE, 0).ok()?;
        let alias = self.ground.address(part);
        if !probe::write(alias, MARK) {
            return None;
        }
        let result = self.donate(object);
        kit.try_(result).ok()?;
        self.alias(object, part, alias)
            .then(|| format!("a mapped frame became part {part} of a {object:?}, and stayed mapped"))
    }

    fn donated_then_mapped(&self, kit: &mut Kit, object: As, part: u32) -> Option<freehold_attacks::String> {
        let (spare, range) = (Slot::take()?, calls::range(self.frames.first, self.frames.count));
        // A lesser capability to the same roots, from before: without Edit it could not map, with it it is lent anew.
        let rights = Rights::EDIT.or(Rights::WRITE);
        let lent =
            calls::lend(self.frames.container, spare.reference(), rights, range, calls::Lend::exactly(8), 8);
        self.donate(object).ok()?;
        let alias = self.ground.address(part);
        let mut ways = [
            self.ground.map(one(self.frames, part), part, Rights::WRITE, 0),
            lent.map_err(|error| calls::Stop { error, done: 0 }).and_then(|()| {
                let frames = Extent { container: spare.name(), first: part, count: 1 };
                self.ground.map(frames, part, Rights::WRITE, 0)
            }),
            self.by_word(place::AREA),
            self.by_word(self.ground.view().unwrap_or(place::AREA)),
            self.by_word(self.ground.address(UTCB)),
            self.again_utcb(object),
        ]
        .into_iter();
        let _ = ways.find(|result| kit.try_(*result).is_ok())?;
        // The alias may be at any of the places that were tried.
        let found =
            [alias, self.ground.address(0)].into_iter().find(|&alias| self.alias(object, part, alias));
        found.map(|_| format!("part {part} of a {object:?} was mapped"))
    }

    /// The page at `address`, named in a word of a Validate.
    fn by_word(&self, address: u32) -> Result<(), calls::Stop> {
        let words = self.ground.address(DATA);
        let frame = memory::take(1, 1).ok_or(calls::Stop { error: Error::NoCredits, done: 0 })?;
        let mapped = self.ground.map(frame, DATA, Rights::WRITE, 0);
        probe::write(words, address | Rights::WRITE.bits());
        let result = mapped.and_then(|()| calls::validate(self.ground.table(), 0, 1, words));
        let _ = self.ground.unmap(DATA, 1);
        let _ = memory::release(frame);
        result
    }

    /// The UTCB's page once more, from its entry.
    fn again_utcb(&self, object: As) -> Result<(), calls::Stop> {
        let container = self.ground.table();
        let page = page(self.ground.address(0));
        let entry = Extent { container, first: if object == As::Utcb { UTCB } else { 0 }, count: 1 };
        calls::update(&[update(entry, CapName::NONE, page, Rights::WRITE, 0)])
    }

    /// In the hands of the pool first, or afterwards.
    fn by_pool(&self, kit: &mut Kit, object: As, part: u32) -> Option<freehold_attacks::String> {
        if !kit.design.has_pool() {
            return None;
        }
        let address = (edge::PIECES + 8) << 22;
        let range = calls::range(self.frames.first + part, 1);
        let give = || calls::give(self.frames.container, range, CapName::NONE, address, Rights::WRITE);
        if give().is_ok() {
            let result = self.donate(object);
            if kit.try_(result).is_ok() && self.alias(object, part, address) {
                return Some(format!("a frame of the pool became part {part} of a {object:?}"));
            }
        }
        self.clean();
        self.donate(object).ok()?;
        let result = give();
        (kit.try_(result).is_ok() && self.alias(object, part, address))
            .then(|| format!("part {part} of a {object:?} was given to the pool"))
    }

    /// Whether `alias` shows the object's memory: by its effect.
    fn alias(&self, object: As, part: u32, alias: u32) -> bool {
        match (object, part) {
            (As::Table, 0) => self.maps_through(alias),
            (As::Node, _) => {
                let made = calls::make_endpoint(SlotRef::own(CapName::new(NODE, 3)));
                made.is_ok() && probe::read(alias + 3 * 32).is_some_and(|word| word != MARK && word != 0)
            }
            // The kernel cleared it, or wrote to it.
            _ => probe::read(alias).is_some_and(|word| word != MARK),
        }
    }

    /// Writes an entry through the alias of the Table, and looks whether that maps a page.
    fn maps_through(&self, alias: u32) -> bool {
        let index = self.ground.index() + 1;
        let Some(frame) = memory::take(1, 1) else { return false };
        let seen = self.ground.map(frame, DATA, Rights::WRITE, 0).is_ok()
            && probe::write(self.ground.address(DATA), MARK)
            && calls::hook(self.slot.name(), CapName::NONE, index, Rights::WRITE).is_ok();
        let entry = self.ground.entry(DATA);
        let mapped = seen && probe::write(alias + 4 * 5, entry);
        let through = mapped && probe::read((index << 22) + 5 * FRAME) == Some(MARK);
        probe::write(alias + 4 * 5, 0);
        let _ = calls::unhook(CapName::NONE, index);
        let _ = self.ground.unmap(DATA, 1);
        let _ = memory::release(frame);
        through
    }
}
