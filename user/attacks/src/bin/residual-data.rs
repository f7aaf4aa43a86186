//! What memory and registers hold of their former owner.
//!
//! It looks through every frame that it is given, right at the beginning: they are those of attackers that ran before, which
//! filled theirs with a mark. It makes frames full of the mark into Tables, spaces, capability nodes, threads and UTCBs, and
//! looks whether any of it shows through them; ends them with things in them, and looks at the frames; and reads the FPU of a
//! thread beside one that filled its own.
//!
//! Success would mean: a program reads what another wrote, or the kernel takes what a program wrote for its own tables.
//! Evidence: words that are not zero where memory has just been taken back or an object made, or the mark in the FPU.
//!
//! What stops it: invariant 15. Frames are cleared before they change owner, and before they are objects; the FPU's state is
//! its thread's.

#![no_std]
#![no_main]

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_attacks::edge::{self, Ground, probe};
use freehold_attacks::rt::abi::info::{Kind, place, start};
use freehold_attacks::rt::abi::layout::{ENTRIES, FRAME, NODE_SLOTS};
use freehold_attacks::rt::calls::{self, ThreadPlace};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Error, Rights, SlotRef, memory, time};
use freehold_attacks::{Evidence, Kit, String, attack, format, idle};

attack!("residual-data", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// What it fills everything with: an entry that would be present, writable and the user's; a capability that would be one.
const MARK: u32 = 0x00C0_5EE7;
const NODE: u32 = 30;
/// Page of a thread's UTCB.
const UTCB: u32 = 64;
/// Frames that are looked through at the beginning, at most.
const MOST: u32 = 1024;

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(slot)) = (Ground::new(0), Slot::take()) else {
        return kit.untried("no memory to try it with");
    };
    let mut looked = 0;
    if let Some(all) = memory::take_up_to(MOST, 1) {
        looked = all.count;
        if let Some(how) = first_look(kit, &ground, all) {
            return kit.broken(how);
        }
    }
    let Some(frames) = memory::take(4, 4) else { return kit.untried("no memory to try it with") };
    loop {
        for object in OBJECTS {
            if let Some(how) = through(kit, &ground, &slot, frames, object) {
                return kit.broken(how);
            }
        }
        if let Some(word) = by_fpu(kit) {
            return kit.broken(format!("another thread's FPU shows {word:#x}"));
        }
        if kit.stopped() {
            return kit
                .held(format!("{looked} frames at the beginning, {} objects made and ended", kit.tries));
        }
    }
}

/// The first word that is not zero from page `page` of the ground on.
fn residue(ground: &Ground, pages: u32) -> Option<u32> {
    (0..pages * FRAME / 4)
        .find_map(|word| probe::read(ground.address(0) + 4 * word).filter(|&word| word != 0))
}

/// Fills pages with the mark.
fn fill(ground: &Ground, pages: u32) {
    probe::fill(ground.address(0), pages * FRAME / 4, MARK);
}

/// Everything that it was given and does not use yet. Leaves the mark there, for those who come behind.
fn first_look(kit: &mut Kit, ground: &Ground, all: Extent) -> Option<String> {
    ground.map(all, 0, Rights::WRITE, 0).ok()?;
    kit.tries += all.count;
    let word = residue(ground, all.count);
    fill(ground, all.count);
    let _ = ground.unmap(0, all.count);
    // Half of it is taken back, and clear again; in the other half the mark stays, for the referee's end of this program to
    // see to: these frames are used for nothing else.
    let (first, _) = all.split(all.count / 2);
    let _ = memory::release(first);
    word.map(|word| format!("fresh memory held {word:#x}"))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum As {
    Data,
    Table,
    Space,
    Node,
    Thread,
}

const OBJECTS: [As; 5] = [As::Data, As::Table, As::Space, As::Node, As::Thread];

/// Makes marked frames an object, looks through it, uses it, ends it, and looks at the frames.
fn through(kit: &mut Kit, ground: &Ground, slot: &Slot, frames: Extent, object: As) -> Option<String> {
    ground.map(frames, 0, Rights::WRITE, 0).ok()?;
    fill(ground, 4);
    let _ = ground.unmap(0, 4);
    let (container, first) = (frames.container, frames.first);
    let shown = match object {
        As::Data => None,
        As::Table => {
            calls::make_table(container, first, slot.reference(), start::SPACE).ok().and_then(|()| {
                let tables = calls::space_summary(CapName::NONE).map_or(1, |space| space.tables);
                let view = place::AREA + (tables - 1) * FRAME;
                let seen =
                    (0..ENTRIES).find_map(|entry| probe::read(view + 4 * entry).filter(|&entry| entry != 0));
                // Something for its end to clear.
                let _ = calls::update(&[edge::update(
                    edge::one(ground.frames(), 0),
                    slot.name(),
                    3,
                    Rights::NONE,
                    0,
                )]);
                seen
            })
        }
        As::Space => {
            calls::make_space(container, first, slot.reference(), place::AREA, 4).ok().and_then(|()| {
                let summary = calls::space_summary(slot.name()).ok()?;
                let used = summary.tables + summary.threads + summary.nodes;
                let hooked = calls::hook(ground.table(), slot.name(), 5, Rights::WRITE);
                if hooked == Err(Error::Occupied) { Some(MARK) } else { (used != 0).then_some(used) }
            })
        }
        As::Node => calls::make_cap_node(container, first, CapName::NONE, NODE).ok().and_then(|()| {
            let own = |index| SlotRef::own(CapName::new(NODE, index));
            let is_empty =
                |&index: &u32| calls::cap_info(own(index)).is_ok_and(|info| info.kind == Kind::Empty);
            let seen = (0..NODE_SLOTS).find(|index| !is_empty(index));
            let _ = calls::make_endpoint(own(9));
            seen
        }),
        As::Thread => {
            let address = ground.address(UTCB);
            let place = ThreadPlace {
                container,
                thread: first,
                utcb: first + 1,
                space: CapName::NONE,
                address,
                fpu: true,
            };
            calls::make_thread(place, slot.reference()).ok().and_then(|()| {
                let words = (0..FRAME / 4).filter_map(|word| probe::read(address + 4 * word));
                let seen = words.into_iter().find(|&word| word != 0);
                probe::write(address + 512, MARK);
                seen
            })
        }
    };
    // What has become an object can be mapped no more.
    let is_made = object == As::Data || ground.map(edge::one(frames, 0), 0, Rights::NONE, 0).is_err();
    kit.tries += u32::from(is_made);
    let _ = ground.unmap(0, 1);
    let _ = calls::reclaim(container, first, 4);
    let _ = calls::delete(slot.reference());
    if let Some(word) = shown {
        kit.successes += 1;
        return Some(format!("a {object:?} made of used frames shows {word:#x}"));
    }
    ground.map(frames, 0, Rights::NONE, 0).ok()?;
    let left = residue(ground, 4);
    let _ = ground.unmap(0, 4);
    kit.successes += u32::from(left.is_some());
    left.map(|word| format!("what was a {object:?} still holds {word:#x}"))
}

/// What the thread that fills the FPU loads: the mantissa of π, which nothing else here computes.
const PI: [u32; 2] = [0x2168_C235, 0xC90F_DAA2];

static FOUND: AtomicU32 = AtomicU32::new(0);
static ENDED: AtomicU32 = AtomicU32::new(0);

/// Fills the FPU in one thread, looks at it from another, while the first waits. A word of the first's.
fn by_fpu(kit: &mut Kit) -> Option<u32> {
    FOUND.store(0, Relaxed);
    ENDED.store(0, Relaxed);
    let options = Options { stack_pages: 2, fpu: true, ..Options::new(probe::priority()) };
    let mut threads = [fill_fpu as fn(u32), read_fpu].into_iter().map(|main| {
        let before = ENDED.load(Relaxed);
        let thread = thread::spawn(main, 0, options).ok()?;
        while ENDED.load(Relaxed) == before {
            time::sleep(1);
        }
        Some(thread)
    });
    // Both live until the second is through.
    let (first, second) = (threads.next().flatten(), threads.next().flatten());
    kit.tries += u32::from(first.is_some() && second.is_some());
    for thread in first.into_iter().chain(second) {
        let _ = thread.destroy();
    }
    Some(FOUND.load(Relaxed)).filter(|&word| word != 0)
}

fn fill_fpu(_: u32) {
    // SAFETY: the thread may use the FPU, and nothing of Rust's does.
    unsafe {
        asm!(
            "fninit",
            "fldpi",
            "fldpi",
            "fldpi",
            "fldpi",
            "fldpi",
            "fldpi",
            "fldpi",
            "fldpi",
            options(nostack)
        );
    }
    ENDED.store(1, Relaxed);
    time::sleep(3);
}

fn read_fpu(_: u32) {
    let mut area = [0u32; 27];
    // SAFETY: as above; FNSAVE writes 108 bytes.
    unsafe { asm!("fnsave [{}]", in(reg) &raw mut area, options(nostack)) };
    // Ten bytes each, so not all lie on words.
    let bytes: [u8; 108] = core::array::from_fn(|at| (area[at / 4] >> (8 * (at % 4))) as u8);
    let mark: [u8; 8] = core::array::from_fn(|at| (PI[at / 4] >> (8 * (at % 4))) as u8);
    let seen = bytes.windows(8).any(|window| window == mark);
    FOUND.store(if seen { PI[1] } else { 0 }, Relaxed);
    ENDED.store(2, Relaxed);
}
