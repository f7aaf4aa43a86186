//! Rights raised by an update that changes nothing but flags.
//!
//! It has a page that it may only read: mapped through a container capability without Write. It maps the same frame there
//! again, asking for Write: by the short path and by the ordinary one, by both entries into the kernel, by index and by
//! address; by Validate, whose word says Write, over the entry as it stands; from the read-only entry to another place; after
//! having taken it away. With a pool it passes the page on to itself with more rights.
//!
//! Success would mean: whoever was given memory to read can write it (XSA-182). Evidence: the processor lets a write through.
//!
//! What stops it: an entry in use is never changed (Occupied), and a new one is writable only if word, capability and
//! source entry all say so: invariants 4, 5.

#![no_std]
#![no_main]

use core::arch::asm;

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::rt::abi::layout::utcb::MESSAGE;
use freehold_attacks::rt::abi::update::{UPDATES_AT, Update};
use freehold_attacks::rt::abi::{Call, error};
use freehold_attacks::rt::calls;
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, Rights, Utcb, memory};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("flag-update", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// Pages: what may only be read, words for Validate, another place.
const READ: u32 = 0;
const WORDS: u32 = 1;
const OTHER: u32 = 2;
const MARK: u32 = 0xF1A6_0001;

fn work(kit: &mut Kit) -> Evidence {
    let scene = (Ground::new(0), memory::take(1, 1), memory::take(1, 1), Slot::take());
    let (Some(ground), Some(frame), Some(words), Some(slot)) = scene else {
        return kit.impossible("no memory to try it with");
    };
    // From here on the frame is only named by a capability that has no Write.
    let range = calls::range(frame.first, 1);
    let rights = Rights::EDIT.or(Rights::SHARE);
    if calls::lend(frame.container, slot.reference(), rights, range, calls::Lend::exactly(16), 16).is_err() {
        return kit.impossible("its memory cannot be lent");
    }
    let given = Extent { container: slot.name(), first: 0, count: 1 };
    loop {
        let ready = ground
            .map(given, READ, Rights::WRITE, 8)
            .and_then(|()| ground.map(words, WORDS, Rights::WRITE, 0));
        if let Err(stop) = ready {
            return kit.held(format!("nothing could be mapped: {:?}", stop.error));
        }
        for (name, way) in WAYS {
            let result = way(&ground, given);
            let _ = kit.try_(result);
            for place in [READ, OTHER] {
                if probe::write(ground.address(place), MARK) {
                    return kit.broken(format!("a page that may only be read was written, behind {name}"));
                }
            }
            let _ = ground.unmap(OTHER, 1);
        }
        let _ = ground.unmap(READ, 3);
        if kit.stopped() {
            return kit.held(format!("{} updates that ask for Write", kit.tries));
        }
    }
}

type Way = fn(&Ground, Extent) -> Result<(), Error>;

const WAYS: [(&str, Way); 9] = [
    ("an update of the entry", |ground, given| short(to(ground, given, READ))),
    ("an update of the entry, by int 0x80", |ground, given| by_interrupt(to(ground, given, READ))),
    ("two updates of the entry", |ground, given| {
        ordinary(&[to(ground, given, READ), to(ground, given, READ)])
    }),
    ("an update of the entry, by index", |ground, given| {
        ordinary(&[Update { destination: ground.table(), page: READ, ..to(ground, given, READ) }])
    }),
    ("a word of Validate", |ground, _| validate(ground, READ)),
    ("a word of Validate, elsewhere", |ground, _| validate(ground, OTHER)),
    ("an update from the entry", |ground, _| short(to(ground, entry(ground), OTHER))),
    ("an update from the entry, by int 0x80", |ground, _| by_interrupt(to(ground, entry(ground), OTHER))),
    ("an update in its place", |ground, given| {
        let _ = ground.unmap(READ, 1);
        short(Update { total_code: 8, ..to(ground, given, READ) })
    }),
];

fn entry(ground: &Ground) -> Extent {
    Extent { container: ground.table(), first: READ, count: 1 }
}

fn to(ground: &Ground, from: Extent, at: u32) -> Update {
    update(from, CapName::NONE, page(ground.address(at)), Rights::WRITE, 0)
}

/// One update, as a short path takes it.
fn short(one: Update) -> Result<(), Error> {
    ordinary(&[one])
}

fn ordinary(updates: &[Update]) -> Result<(), Error> {
    calls::update(updates).map_err(|stop| stop.error)
}

fn validate(ground: &Ground, at: u32) -> Result<(), Error> {
    let words = ground.address(WORDS);
    probe::write(words, ground.address(READ) | Rights::WRITE.bits());
    calls::validate(ground.table(), at, 1, words).map_err(|stop| stop.error)
}

/// One update by the entry that no short path begins at.
fn by_interrupt(one: Update) -> Result<(), Error> {
    let own = Utcb::current();
    for (word, value) in one.encode().into_iter().enumerate() {
        own.set(MESSAGE + UPDATES_AT + word, value);
    }
    let mut status = Call::Update as u32;
    // SAFETY: a call that writes no memory of the program's. ESI and EBP are LLVM's, so they are saved, EBP being neither
    // read nor written by an Update; the kernel sets ESP to what ECX says.
    unsafe {
        asm!(
            "push esi",
            "xor esi, esi",
            "xor edi, edi",
            "mov ecx, esp",
            "lea edx, [2f]",
            "int 0x80",
            "2:",
            "pop esi",
            inlateout("eax") status,
            inlateout("ebx") 1 => _,
            out("ecx") _,
            out("edx") _,
            out("edi") _,
        );
    }
    error::status(status)
}
