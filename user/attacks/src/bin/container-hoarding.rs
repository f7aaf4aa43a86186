//! Keeps lent memory: makes a Table, a space or a thread of it, hangs things into these, passes it on to the accomplice, and never
//! gives anything back.
//!
//! If it succeeded, the owner could not take back what it lent, or not within the steps that it granted. Expected under no
//! design. With a pool the page is granted on, which moves it in the derivation: the root still finds it.

#![no_std]
#![no_main]

use freehold_attacks::protocol::attack::LENT_PAGES;
use freehold_attacks::rt::abi::info::Kind;
use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_attacks::rt::abi::update::Update;
use freehold_attacks::rt::calls::{self, Lend, ThreadPlace, range};
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, Rights, SlotRef, memory};
use freehold_attacks::touch::Touch;
use freehold_attacks::world::{self, World};
use freehold_attacks::{Evidence, Kit, Vec, attack, format};

attack!("container-hoarding", attacker, world::serve);

/// Where borrowed memory is seen.
const AT: u32 = OWN + BLOCK;
/// Node of the own space that a borrowed page becomes.
const NODE: u32 = 30;
/// A page-table area for a borrowed space.
const AREA: u32 = 0x8000_0000;

fn attacker(kit: &mut Kit) -> Evidence {
    let Ok(touch) = Touch::new() else { return kit.untried("no memory for a thread") };
    match kit.lent {
        Some(lent) => objects(kit, lent, &touch),
        None => pages(kit, &touch),
    }
}

/// What the container becomes depends on the attacker's number.
fn objects(kit: &mut Kit, lent: CapName, touch: &Touch) -> Evidence {
    let slots: Vec<Slot> = (0..3).filter_map(|_| Slot::take()).collect();
    let [object, copy, other] = &slots[..] else { return kit.untried("no slots") };
    let (what, made) = match kit.number % 3 {
        0 => ("a Table full of mappings", table(lent, object)),
        1 => ("a space", calls::make_space(lent, 0, object.reference(), AREA, 1)),
        _ => ("a thread, a capability node and a page", thread(lent, object)),
    };
    let made = kit.try_(made);
    // Further capabilities to it hang on the one that was lent.
    let part = range(0, LENT_PAGES);
    let kept = calls::derive(lent, copy.reference(), Rights::SHARE, part, 0);
    let _ = kit.try_(kept);
    let _ = kit.try_(calls::lend(lent, other.reference(), Rights::ALL, part, Lend::exactly(1), 0));
    let before = touch.read(AT).is_ok();
    while !kit.pause(1000) {}
    if let Err(why) = made {
        return kit.untried(format!("{what}: {}", why.name()));
    }
    if kit.number != 0 {
        return kit.held("");
    }
    let kinds = [lent, object.name(), copy.name(), other.name()]
        .map(|name| calls::cap_info(SlotRef::own(name)).map_or(Kind::Empty, |info| info.kind));
    let named = kinds.iter().filter(|kind| **kind != Kind::Empty).count();
    let seen = touch.read(AT).is_ok();
    let detail = format!("{what}: made, seen before: {before}");
    if seen || named != 0 {
        return kit.broken(format!("{detail}; {named} capabilities, and seen: {seen}, are still there"));
    }
    kit.held(format!("{detail}; all of it is gone"))
}

/// A Table at [`AT`], with a page of the own memory in each entry.
fn table(lent: CapName, slot: &Slot) -> Result<(), Error> {
    calls::make_table(lent, 0, slot.reference(), CapName::NONE)?;
    calls::hook(slot.name(), CapName::NONE, AT / BLOCK, Rights::WRITE)?;
    let frame = memory::take(1, 1).ok_or(Error::EmptySource)?;
    let (source, first, destination) = (frame.container, frame.first, slot.name());
    (0..ENTRIES).try_for_each(|page| {
        let update =
            Update { source, first, count: 1, destination, page, rights: Rights::WRITE, total_code: 0 };
        calls::update(&[update]).map_err(|stop| stop.error)
    })
}

/// A thread, its UTCB, a node of the own space, and a page at [`AT`].
fn thread(lent: CapName, slot: &Slot) -> Result<(), Error> {
    memory::grow(AT / BLOCK).map_err(|_| Error::NoTable)?;
    let place = ThreadPlace {
        container: lent,
        thread: 0,
        utcb: 1,
        space: CapName::NONE,
        address: AT + FRAME,
        fpu: false,
    };
    calls::make_thread(place, slot.reference())?;
    calls::make_cap_node(lent, 2, CapName::NONE, NODE)?;
    let page = AT / FRAME;
    let (destination, rights) = (CapName::NONE, Rights::WRITE);
    let update = Update { source: lent, first: 3, count: 1, destination, page, rights, total_code: 0 };
    calls::update(&[update]).map_err(|stop| stop.error)
}

/// Pages of the root's: mapped on, and granted on.
fn pages(kit: &mut Kit, touch: &Touch) -> Evidence {
    let mut world = match World::new(kit) {
        Ok(world) => world,
        Err(why) => return kit.impossible(format!("no way to map: {}", why.name())),
    };
    let mut last = None;
    for page in 0..LENT_PAGES {
        let at = AT + page * FRAME;
        let behind = at + LENT_PAGES * FRAME;
        if let Err(why) = world.borrow(kit, page, at) {
            last = Some(why);
            continue;
        }
        let passed = world.delegate(at, at, 1).and_then(|()| world.delegate_back(at, behind, 1));
        let result = passed.or_else(|why| {
            last = Some(why);
            world.alias(at, behind, 1)
        });
        if let Err(why) = kit.try_(result) {
            last = Some(why);
        }
        // The own mapping goes on to the other space, with what hangs on it.
        let _ = kit.try_(world.grant(behind, behind, 1));
    }
    while !kit.pause(1000) {}
    let alive = (0..2 * LENT_PAGES).filter(|page| touch.read(AT + page * FRAME).is_ok()).count();
    let detail = format!("{LENT_PAGES} pages passed on, {}", last.map_or("no error", |why| why.name()));
    if kit.number == 0 && alive != 0 {
        return kit.broken(format!("{detail}; {alive} are still there"));
    }
    kit.held(detail)
}
