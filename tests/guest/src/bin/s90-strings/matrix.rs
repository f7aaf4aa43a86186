//! Fault policies: each side's own against what the other says for it, on every route, at either side and both.

use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_abi::{Error, fault};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::time;

use crate::actor::Outcome;
use crate::cells::claim;
use crate::letter::{Letter, ROUTES, Route};
use crate::memory::arrived;
use crate::order::{Order, part};
use crate::scene::{Fault, Place, RECEIVER, SENDER, Scene, no_fault, whole};

const SHORT: u32 = 20;
const LONG: u32 = 50;
/// Abort, a finite time, a longer one, wait: the order in which the first that is stated decides.
const POLICIES: [u32; 4] = [0, SHORT, LONG, FOREVER];

/// Where pages are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    AtSender,
    AtReceiver,
    AtBoth,
}

/// What the pager does about the last fault that it hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pager {
    /// It answers when half of the time is over.
    InTime,
    /// It has received the fault, and answers when the time is over.
    TooLate,
    /// It never received it.
    Never,
}

const PAGES: u32 = 4;
/// Where the strings begin in their first page, and how many bytes there are. Page 1 is the one that is missing.
const OFFSET: u32 = 100;
const BYTES: u32 = 2 * FRAME + 37;
/// Bytes before page 1.
const DONE: u32 = FRAME - OFFSET;

pub fn policies() {
    for place in [Place::Apart, Place::Same] {
        let scene = Scene::new(place, PAGES);
        for route in ROUTES {
            for missing in [Missing::AtSender, Missing::AtReceiver, Missing::AtBoth] {
                for mine in POLICIES {
                    for other in POLICIES {
                        for pager in [Pager::InTime, Pager::TooLate, Pager::Never] {
                            let finite = (1..FOREVER).contains(&mine.min(other));
                            if finite || pager == Pager::InTime {
                                cell(&scene, route, missing, (mine, other), pager);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One cell: `mine` and `other` are what holds for the side where the page is missing; for the side where none
/// is, the two say the opposite of what must come out.
fn cell(scene: &Scene, route: Route, missing: Missing, (mine, other): (u32, u32), pager: Pager) {
    let what = format_args!("{route:?} {missing:?} mine {mine:#x} other {other:#x} {pager:?}");
    let rule = mine.min(other);
    let opposite = if rule == 0 { FOREVER } else { 0 };
    let (strings, buffers) =
        ([part(scene.from.base() + OFFSET, BYTES)], [part(scene.to.base() + OFFSET, BYTES)]);
    let (send_faults, receive_faults) = match missing {
        Missing::AtSender => ((mine, opposite), (opposite, other)),
        Missing::AtReceiver => ((opposite, other), (mine, opposite)),
        Missing::AtBoth => ((mine, other), (mine, other)),
    };
    let letter = Letter { send_faults, receive_faults, words: &[1, 2, 3], ..Letter::new(&strings, &buffers) };
    let (at_sender, at_receiver) = (missing != Missing::AtReceiver, missing != Missing::AtSender);
    if at_sender {
        scene.from.remove(1, 1);
    }
    if at_receiver {
        scene.to.remove(1, 1);
    }
    if mine != other {
        claim("W2");
    }
    if missing == Missing::AtBoth {
        claim("W1");
    }
    scene.carry(route, &letter);
    // The faults, in the order in which they must come; the time that the answers take adds up.
    let sides = [(at_sender, SENDER), (at_receiver, RECEIVER)];
    let mut faults = sides.into_iter().filter(|side| side.0).map(|side| side.1).peekable();
    let mut stopped = None;
    let (mut sender_lacks, mut receiver_lacks) = (at_sender, at_receiver);
    while let Some(who) = faults.next() {
        if rule == 0 {
            no_fault(scene, what);
            stopped = Some(who);
            break;
        }
        let is_last = faults.peek().is_none();
        if is_last && pager == Pager::Never {
            time::sleep(rule + 2);
            no_fault(scene, what);
            stopped = Some(who);
            break;
        }
        let (address, access) = match who {
            SENDER => (scene.from.page(1), 0),
            _ => (scene.to.page(1), fault::ACCESS_WRITE),
        };
        check_eq!(scene.fault(), Some(Fault { who, address, access }), "{what}");
        let faulted = if who == SENDER { &scene.sender } else { &scene.receiver };
        let partner = if who == SENDER { &scene.receiver } else { &scene.sender };
        faulted.waits(State::AwaitingReply, what);
        partner.waits(State::Transferring, what);
        if is_last && pager == Pager::TooLate {
            claim("W3");
            time::sleep(rule + 2);
            check_eq!(scene.answer(fault::RESUME, &[]), Err(Error::NoReply), "{what}");
            stopped = Some(who);
            break;
        }
        // If both are to be waited for, that is on one clock. Who waits for ever is waited for longer.
        time::sleep(if rule == FOREVER { LONG + 5 } else { rule / 2 - 4 });
        if who == SENDER {
            scene.from.restore(1, 1);
            sender_lacks = false;
        } else {
            scene.to.restore(1, 1);
            receiver_lacks = false;
        }
        scene.resume();
    }
    match stopped {
        None => {
            scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
            return no_fault(scene, what);
        }
        Some(who) => outcome(scene, route, who, what),
    }
    no_fault(scene, what);
    if sender_lacks {
        scene.from.restore(1, 1);
    }
    if receiver_lacks {
        scene.to.restore(1, 1);
    }
    check!(arrived(&strings, &buffers, DONE, &[whole(&scene.to, PAGES)]), "{what}");
}

/// Checks what both learn of a transfer that was stopped by a page of `who`'s: the table "a stopped transfer".
fn outcome(scene: &Scene, route: Route, who: u32, what: core::fmt::Arguments<'_>) {
    let address = if who == SENDER { scene.from.page(1) } else { scene.to.page(1) };
    let (mine, theirs) = (Outcome::Mine { address, done: DONE }, Outcome::Theirs { address, done: DONE });
    claim(match (route.is_reply(), who) {
        (false, SENDER) => "S1a",
        (false, _) => "S1b",
        (true, SENDER) => "S2a",
        (true, _) => "S2b",
    });
    match (route.is_reply(), who) {
        (false, SENDER) => {
            scene.sender.check(mine, what);
            scene.serve_receiver(what);
        }
        (true, SENDER) => {
            scene.sender.check(mine, what);
            scene.receiver.check(theirs, what);
        }
        (_, _) => {
            scene.sender.check(theirs, what);
            scene.receiver.check(mine, what);
        }
    }
    if route.is_reply() {
        scene.sender.go(&Order::reply(0));
        scene.sender.check(Outcome::Failed(Error::NoReply), what);
    }
}
