//! Two mappings of a frame with different cache types.
//!
//! It asks for PWT, PCD, the page attribute bit and the global bit in every word from which an entry is made: each of the low
//! twelve bits, and several, in words of Validate, in the last word of an Update, as rights of a hook, a container and an
//! fpage; and looks at the entries that came of it.
//!
//! Success would mean: one frame is cached in two ways at once, so that what was cleared shows what it held before (XSA-402);
//! a global entry outlives a load of CR3. Evidence: the page-table area shows an entry with such a bit.
//!
//! What stops it: invariant 14. An entry is a frame's address and three bits, and a child takes over the address and the
//! right to write alone.

#![no_std]
#![no_main]

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::rt::abi::Call;
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::abi::layout::utcb::MESSAGE;
use freehold_attacks::rt::abi::update::UPDATES_AT;
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::{CapName, Rights, Utcb, call, calls, memory};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("cache-type", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// Pages: data, words, what is made of them.
const OWN: u32 = 0;
const WORDS: u32 = 1;
const MADE: u32 = 2;
/// Present, writable, user, accessed, dirty: what an entry may have.
const PLAIN: u32 = 0b110_0111;

fn work(kit: &mut Kit) -> Evidence {
    let scene = (Ground::new(0), memory::take(1, 1), memory::take(1, 1));
    let (Some(ground), Some(frame), Some(words)) = scene else {
        return kit.untried("no memory to try it with");
    };
    let mapped =
        ground.map(frame, OWN, Rights::WRITE, 8).and_then(|()| ground.map(words, WORDS, Rights::WRITE, 0));
    if mapped.is_err() {
        return kit.untried("no page of its own");
    }
    loop {
        let single = (0..12).map(|bit| 1 << bit);
        for low in single.clone().chain(single.map(|bit| bit | 1)).chain([0b11000, 0x98, 0x19A, 0xFFF]) {
            for (name, way) in WAYS {
                kit.tries += 1;
                way(&ground, frame, low);
                let entry = ground.entry(MADE);
                let odd = entry & (FRAME - 1) & !PLAIN;
                let _ = ground.unmap(MADE, 1);
                if odd != 0 {
                    kit.successes += 1;
                    let own = ground.entry(OWN);
                    return kit
                        .broken(format!("{name} with {low:#x} made an entry {entry:#x} beside {own:#x}"));
                }
            }
        }
        if kit.stopped() {
            return kit.held(format!("{} words with further bits", kit.tries));
        }
    }
}

/// Tries to make the page [`MADE`] with these low bits in its words.
type Way = fn(&Ground, Extent, u32);

const WAYS: [(&str, Way); 4] = [
    ("a word of Validate", |ground, _, low| {
        let words = ground.address(WORDS);
        probe::write(words, ground.address(OWN) | low);
        let _ = calls::validate(ground.table(), MADE, 1, words);
    }),
    ("an update", |ground, frame, low| raw_update(ground, frame, low)),
    ("an update of the mapping", |ground, _, low| {
        raw_update(ground, Extent { container: ground.table(), first: OWN, count: 1 }, low)
    }),
    ("a hook", |ground, frame, low| {
        // The hook's own entry is in no view; what is mapped behind it is.
        let again = ground.index() + 1;
        let _ = call::call(Call::Hook, low, [ground.table().0, 0, again, 0]);
        let _ = ground.map(frame, MADE, Rights::WRITE, 0);
        probe::read(ground.address(MADE));
        let _ = calls::unhook(CapName::NONE, again);
    }),
];

/// An update whose last word has these low bits.
fn raw_update(ground: &Ground, from: Extent, low: u32) {
    let mut words = update(from, CapName::NONE, page(ground.address(MADE)), Rights::NONE, 0).encode();
    words[3] |= low;
    let own = Utcb::current();
    words.into_iter().enumerate().for_each(|(word, value)| own.set(MESSAGE + UPDATES_AT + word, value));
    let _ = call::call(Call::Update, 0, [1, 0, 0, 0]);
}
