//! A capability to answer, used more than it allows: twice, saved and used twice, moved and used from both slots, copied, handed
//! to another thread and used by both, used when its caller has given up and waits for somebody else's answer, used when its
//! caller has died and another thread stands on its frames.
//!
//! The accomplice's thread calls the attacker, and then its own server, which takes its time; it tells whether each answer is
//! the one that belongs to the call. Success would mean that a second answer is delivered: the kernel lets a used capability
//! answer once more, or the accomplice's thread gets from the attacker the answer to a call that it made to somebody else.
//! What stops it: a reply capability is in one place, which its caller knows; use, or the caller's end, takes it away (19).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::abyss::priority;
use freehold_attacks::rt::abi::message::Item;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Error, Message, Rights, Utcb, calls, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// Answers: by the one who was asked, or not.
const GENUINE: u32 = 0x6E75_6E67;
const FORGED: u32 = 0x6465_6766;
/// What the attacker does with a capability, in turn.
const TWICE: u32 = 0;
const SAVED: u32 = 1;
const MOVED: u32 = 2;
const COPIED: u32 = 3;
const HANDED: u32 = 4;
const LATE: u32 = 5;
const LATE_HELD: u32 = 6;
const DEAD: u32 = 7;
const USES: u32 = 8;
/// Milliseconds: the caller's patience with the attacker, how long its own server takes, when the attacker is late.
const PATIENCE: u32 = 3;
const SLOW: u32 = 6;
const LATER: u32 = 6;

/// Endpoint, the caller's own server; calls; forged answers; the words of the last.
static CALLER: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];
/// Of the attacker's second thread: what it receives from; what it got to do.
static OTHER: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

attack!("reply-reuse", thief, caller);

/// Where the attacker keeps capabilities.
struct Thief {
    slots: [Slot; 2],
    way: Slot,
    /// Uses that must not have worked and did, a bit each.
    worked: u32,
    uses: [u32; USES as usize],
}

fn thief(kit: &mut Kit) -> Evidence {
    let (Some(first), Some(second), Some(way)) = (Slot::take(), Slot::take(), Slot::take()) else {
        return kit.untried("no slots");
    };
    if calls::make_endpoint(way.reference()).is_err() {
        return kit.untried("no endpoint");
    }
    OTHER[0].store(way.name().0, Ordering::Relaxed);
    if thread::spawn(other, 0, Options::new(priority())).is_err() {
        return kit.untried("no memory for a thread");
    }
    let mut thief = Thief { slots: [first, second], way, worked: 0, uses: [0; USES as usize] };
    while !kit.stopped() {
        let Ok(asked) = kit.within(20, || calls::receive(kit.own)) else { continue };
        let turn = asked.message.word(0);
        let Some(too_many) = thief.answer(turn) else { continue };
        kit.tries += 1;
        thief.uses[(turn % USES) as usize] += 1;
        let too_many = too_many + OTHER[2].swap(0, Ordering::Relaxed);
        kit.successes += too_many;
        if too_many != 0 {
            thief.worked |= 1 << (turn % USES);
        }
    }
    let detail = format!("uses by kind {:?}, worked once too often by kind {:#x}", thief.uses, thief.worked);
    match kit.successes {
        0 if kit.tries < USES => kit.untried(format!("nobody called: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

impl Thief {
    /// Answers a call, and tries to do so once more. Returns how often that worked too often; `None`: it did not come so far.
    fn answer(&self, turn: u32) -> Option<u32> {
        let honest = Message::of(0, &[turn, FORGED]);
        let forged = Message::of(0, &[!turn, FORGED]);
        let [first, second] = &self.slots;
        let by = |slot: &Slot| u32::from(calls::reply(Some(slot.name()), &forged).is_ok());
        let held = || u32::from(calls::reply(None, &forged).is_ok());
        let save = || calls::save_reply(first.name()).is_ok();
        Some(match turn % USES {
            TWICE => {
                let _ = calls::reply(None, &honest);
                held()
            }
            SAVED if save() => {
                let _ = calls::reply(Some(first.name()), &honest);
                by(first) + held()
            }
            MOVED if save() => {
                let moved = calls::relocate(first.reference(), second.reference());
                let _ = calls::reply(Some(second.name()), &honest);
                by(first) + by(second) + u32::from(moved.is_err())
            }
            COPIED if save() => {
                let copied = calls::derive(first.name(), second.reference(), Rights::ALL, 0, 0).is_ok();
                let _ = calls::reply(Some(first.name()), &honest);
                by(second) + by(first) + u32::from(copied)
            }
            HANDED if save() => {
                let item = |moved| Item { source: first.name(), moved, rights: Rights::ALL, total: 0 };
                let hand = |moved| {
                    let mut message = Message::of(0, &[turn]);
                    message.push_item(item(moved));
                    Utcb::current().within((20, 20), || calls::call(self.way.name(), &message)).is_ok()
                };
                // A copy of it must not be carried; moved, it leaves.
                let copied = hand(false);
                hand(true);
                by(first) + u32::from(copied)
            }
            LATE | DEAD if save() => {
                // Its caller has given up, and waits for somebody else, or for nobody any more.
                time::sleep(LATER);
                by(first) + by(first)
            }
            LATE_HELD => {
                time::sleep(LATER);
                held()
            }
            _ => return None,
        })
    }
}

/// The attacker's second thread: answers with what it is handed, twice.
fn other(_: u32) {
    let way = CapName(OTHER[0].load(Ordering::Relaxed));
    let (Some(slot), Some(back)) = (Slot::take(), Slot::take()) else { return };
    loop {
        Utcb::current().set_slots(slot.name(), 1);
        let Ok(handed) = calls::receive(way) else { return };
        // The way back is put away, so that what was handed over is all that answers.
        if calls::save_reply(back.name()).is_ok() {
            let message = Message::of(0, &[handed.message.word(0), FORGED]);
            let once = calls::reply(Some(slot.name()), &message).is_ok();
            let twice = calls::reply(Some(slot.name()), &message).is_ok();
            OTHER[1].fetch_add(once.into(), Ordering::Relaxed);
            OTHER[2].fetch_add(twice.into(), Ordering::Relaxed);
            let _ = calls::reply(Some(back.name()), &Message::new(0));
        }
    }
}

/// The accomplice: a thread that calls, and the server that it also calls.
fn caller(kit: &mut Kit) -> Evidence {
    let Some(server) = Slot::take() else { return kit.untried("no slot") };
    if calls::make_endpoint(server.reference()).is_err() {
        return kit.untried("no endpoint");
    }
    CALLER[0].store(kit.peer.0, Ordering::Relaxed);
    CALLER[1].store(server.name().0, Ordering::Relaxed);
    let options = Options::new(priority());
    let Ok(mut thread) = thread::spawn(ask, 0, options) else {
        return kit.untried("no memory for a thread");
    };
    let (mut deaths, mut failed) = (0, 0);
    while !kit.stopped() {
        let asked = kit.within(50, || calls::receive(server.name()));
        let Ok(asked) = asked else { continue };
        let turn = asked.message.word(0);
        match turn % USES {
            LATE | LATE_HELD => time::sleep(SLOW),
            DEAD => {
                // The caller dies here; another takes its frames, and waits here before the attacker comes to it.
                failed += u32::from(thread.destroy().is_err());
                deaths += 1;
                match thread::spawn(ask, turn + 1, options) {
                    Ok(next) => thread = next,
                    Err(_) => return kit.untried("no memory for another thread"),
                }
                continue;
            }
            _ => {}
        }
        // Its caller can have left.
        let _ = calls::reply(None, &Message::of(0, &[turn, GENUINE]));
    }
    // Its own calls are honest: no tries.
    let asked = CALLER[2].load(Ordering::Relaxed);
    kit.successes = CALLER[3].load(Ordering::Relaxed);
    let detail =
        format!("{asked} calls, {deaths} callers died ({failed} not), {} answers forged", kit.successes);
    if kit.successes == 0 { kit.held(detail) } else { kit.broken(detail) }
}

fn ask(first: u32) {
    let (thief, server) =
        (CapName(CALLER[0].load(Ordering::Relaxed)), CapName(CALLER[1].load(Ordering::Relaxed)));
    let utcb = Utcb::current();
    for turn in first.. {
        let message = Message::of(0, &[turn]);
        let stolen = utcb.within((100, PATIENCE), || calls::call(thief, &message));
        // The attacker may answer the call that was made to it, once; not another one.
        let first = !matches!(&stolen, Ok(answer) if answer.word(0) != turn);
        let answer = utcb.within((100, 100), || calls::call(server, &message));
        let second = match &answer {
            Ok(answer) => answer.words() == [turn, GENUINE],
            Err(Error::Timeout | Error::PeerGone) => true,
            Err(_) => false,
        };
        CALLER[2].fetch_add(2, Ordering::Relaxed);
        CALLER[3].fetch_add(u32::from(!first) + u32::from(!second), Ordering::Relaxed);
    }
}
