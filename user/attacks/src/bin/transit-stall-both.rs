//! Faults in transit on both sides: threads that lack a page of what they send to the server and threads that lack one of
//! what they receive take turns, so that a server that only guards one side is held on the other. Attacker and accomplice
//! besides stall each other, in a transfer of which both sides' pages are missing and that both would wait for, for ever: as
//! many transfers hang in the kernel as there are attackers.
//!
//! Success would mean that the server waits with one of them, or because of the pair: a pager is asked about a transfer with
//! the server, or the server leaves a question unanswered. What stops it: as in transit-stall-sender and
//! transit-stall-receiver; and a transfer that waits holds nothing but its two threads (invariants 9, 17).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::abyss::{self, Side};
use freehold_attacks::messages::siege;
use freehold_attacks::rt::abi::info::State;
use freehold_attacks::rt::abi::layout::FOREVER;
use freehold_attacks::rt::memory;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Message, Utcb, calls};
use freehold_attacks::{Evidence, Kit, Role, attack, format};

/// Threads of each program that stall the server.
const STALLERS: usize = 4;
/// The place that the thread uses which stalls the partner.
const PLACE: usize = abyss::STALLERS - 1;

/// What that thread sends to, or receives from, and whether it sends.
static WAY: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

attack!("transit-stall-both", run, run);

fn run(kit: &mut Kit) -> Evidence {
    let sends = kit.role == Role::Attacker;
    let way = if sends { kit.peer } else { kit.own };
    WAY[0].store(way.0, Ordering::Relaxed);
    WAY[1].store(sends.into(), Ordering::Relaxed);
    // A pager of its own, of which nobody hears: the questions that count are about the server.
    let pair = pair();
    let mut evidence = siege::lay(kit, Side::Both, STALLERS);
    let state = pair.map(|thread| calls::thread_info(thread).map_or(State::Stopped, |info| info.state));
    evidence.detail = format!("{}; with the partner: {state:?}", evidence.detail);
    evidence
}

/// Starts the thread that stalls the partner.
fn pair() -> Option<CapName> {
    let endpoint = freehold_attacks::rt::slots::take()?;
    calls::make_endpoint(freehold_attacks::rt::SlotRef::own(endpoint)).ok()?;
    memory::map_new(abyss::edge(PLACE).address & !0xFFF, 1).ok()?;
    let options = Options { pager: endpoint, ..Options::new(abyss::priority()) };
    Some(thread::spawn(stall, 0, options).ok()?.name())
}

fn stall(_: u32) {
    let utcb = Utcb::current();
    let way = CapName(WAY[0].load(Ordering::Relaxed));
    utcb.set_send_faults(FOREVER, FOREVER);
    utcb.set_receive_faults(FOREVER, FOREVER);
    loop {
        if WAY[1].load(Ordering::Relaxed) != 0 {
            utcb.set_strings(&[abyss::edge(PLACE)]);
            let _ = calls::send_strings(way, &Message::new(1).with_strings());
        } else {
            // SAFETY: nobody relies on what lies there.
            unsafe { utcb.set_buffers(&[abyss::edge(PLACE)]) };
            let _ = calls::receive_strings(way);
        }
    }
}
