//! Rights raised by an update that changes nothing but flags.
//!
//! It has a page that it may only read: mapped through a container capability without Write. It maps the same frame there
//! again, asking for Write: by the short path and by the ordinary one, by both entries into the kernel, by index and by
//! address; by Validate, whose word says Write, over the entry as it stands; from the read-only entry to another place; after
//! having taken it away. With a pool it maps a page onward to be read only, and from there, by an item that says Write, further
//! on and onto itself.
//!
//! Success would mean: whoever was given memory to read can write it (XSA-182). Evidence: the processor lets a write through.
//!
//! What stops it: an entry in use is never changed (Occupied), and a new one is writable only if word, capability and
//! source entry all say so: invariants 4, 5.

#![no_std]
#![no_main]

use core::arch::asm;

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::rt::abi::designs::{Fpage, MapItem};
use freehold_attacks::rt::abi::layout::utcb::MESSAGE;
use freehold_attacks::rt::abi::layout::{FRAME, utcb};
use freehold_attacks::rt::abi::update::{UPDATES_AT, Update};
use freehold_attacks::rt::abi::{Call, error};
use freehold_attacks::rt::calls;
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Error, Message, Rights, Tag, Utcb, memory};
use freehold_attacks::world::World;
use freehold_attacks::{Evidence, Kit, String, attack, format, idle};

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
        return kit.untried("no memory to try it with");
    };
    // From here on the frame is only named by a capability that has no Write.
    let range = calls::range(frame.first, 1);
    let rights = Rights::EDIT.or(Rights::SHARE);
    if calls::lend(frame.container, slot.reference(), rights, range, calls::Lend::exactly(16), 16).is_err() {
        return kit.untried("its memory cannot be lent");
    }
    let given = Extent { container: slot.name(), first: 0, count: 1 };
    let pool = if kit.design.has_pool() { Pool::new(kit) } else { None };
    loop {
        if let Some(how) = pool.as_ref().and_then(|pool| pool.raised(kit)) {
            return kit.broken(how);
        }
        let ready = ground
            .map(given, READ, Rights::WRITE, 8)
            .and_then(|()| ground.map(words, WORDS, Rights::WRITE, 0));
        if let Err(stop) = ready {
            return kit.untried(format!("nothing could be mapped: {:?}", stop.error));
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

/// A page of the root's, and an endpoint by which the program maps pages onward to itself.
struct Pool {
    local: Slot,
    // Its thread lives as long as this.
    _world: World,
}

/// Pages of the pool: the root's, what may only be read, what is made of that.
const FROM: u32 = (edge::PIECES + 32) << 22;
const ONLY: u32 = FROM + FRAME;
const FURTHER: u32 = FROM + 2 * FRAME;

impl Pool {
    fn new(kit: &Kit) -> Option<Pool> {
        let (mut world, local) = (World::new(kit).ok()?, Slot::take()?);
        world.obtain(FROM).ok()?;
        calls::make_endpoint(local.reference()).ok()?;
        let options = Options { stack_pages: 2, ..Options::new(probe::priority()) };
        thread::spawn(take, local.name().0, options).ok()?;
        Some(Pool { local, _world: world })
    }

    /// Maps a page onward.
    fn item(&self, from: u32, to: u32, rights: Rights) -> Result<(), Error> {
        let mut message = Message::with_tag(Tag::new(0, 0).with_items(1));
        let fpage = Fpage::new(from, 0, rights.bits());
        let words = MapItem { fpage, hot_spot: to / FRAME, grant: false }.encode();
        (1..).zip(words).for_each(|(register, word)| message.set_register(register, word));
        calls::call(self.local.name(), &message).map(drop)
    }

    /// Whether a page that was mapped to be read only can be written, behind items that say Write.
    fn raised(&self, kit: &mut Kit) -> Option<String> {
        let given = self.item(FROM, ONLY, Rights::NONE);
        let found = [ONLY, FURTHER].into_iter().find(|&to| {
            let result = self.item(ONLY, to, Rights::WRITE);
            let _ = kit.try_(result);
            given.is_ok() && (probe::write(to, MARK) || probe::write(ONLY, MARK))
        });
        let _ = calls::fpage_unmap(Fpage::new(FROM, 0, 0), false);
        found.map(|to| format!("a page that may only be read was written, behind an item to {to:#x}"))
    }
}

/// Takes map items, wherever they are for.
fn take(endpoint: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    freehold_attacks::rt::serve::serve(CapName(endpoint), |_| Some(Message::new(0)));
}
