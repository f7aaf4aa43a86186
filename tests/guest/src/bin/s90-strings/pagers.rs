//! What pagers do to a transfer: they are slow, fault, drop what they owe, or are not there.

use freehold_abi::fault::{RESUME, UPCALL};
use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::{self, Frames};
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

use crate::actor::{FAULTS, Outcome};
use crate::cells::claim;
use crate::letter::{Letter, ROUTES, Route};
use crate::scene::{Place, RECEIVER, SENDER, Scene, no_fault, whole};
use crate::torn::{self, PAGES, SIDES};

const TIME: u32 = 20;

/// W3, W4: there is one clock. A second fault does not get new time, and when the clock has passed what holds
/// for a side, that side's fault is not waited for at all.
pub fn clock() {
    torn::each(Place::Apart, TIME, |scene, route, side, letter| {
        // Two pages of one side: the time that the first one took is gone.
        let what = format_args!("{route:?} {side:#x}");
        torn::remove(scene, side, 2);
        torn::begin(scene, route, side, letter, what);
        time::sleep(TIME - 6);
        torn::restore(scene, side, 1);
        scene.resume();
        check_eq!(scene.fault(), Some(torn::fault_of(scene, side, 2)), "{what}");
        time::sleep(3);
        torn::pair(scene, side).0.waits(State::AwaitingReply, what);
        time::sleep(6);
        check_eq!(scene.answer(RESUME, &[]), Err(Error::NoReply), "{what}");
        check!(!matches!(torn::pair(scene, side).0.outcome(), Outcome::Pending), "{what}");
        torn::restore(scene, side, 2);
        settle(scene, route, what);
    });
    claim("W4");
    let scene = Scene::new(Place::Apart, PAGES);
    for route in ROUTES {
        torn::with_letter(&scene, |letter| {
            let what = format_args!("{route:?}");
            // The sender's fault may take any time, the receiver's a finite one, which is over then.
            let letter =
                Letter { send_faults: (FOREVER, TIME), receive_faults: (FOREVER, FOREVER), ..letter };
            torn::remove(&scene, RECEIVER, 1);
            torn::begin(&scene, route, SENDER, &letter, what);
            time::sleep(TIME + 2);
            torn::restore(&scene, SENDER, 1);
            scene.resume();
            no_fault(&scene, what);
            torn::stopped(&scene, route, RECEIVER, what);
        });
    }
}

/// Lets a scene come to rest after a transfer was stopped, whatever stopped it.
fn settle(scene: &Scene, route: Route, what: core::fmt::Arguments<'_>) {
    if scene.receiver.outcome() == Outcome::Pending {
        scene.serve_receiver(what);
    }
    if route.is_reply() {
        torn::no_reply(scene, what);
    }
    crate::memory::guard(whole(&scene.to, PAGES));
}

/// W5: a pager whose own memory is missing is its own pager's business, and the clock runs on.
pub fn pager_faults() {
    claim("W5");
    const TOUCHED: u32 = pages::AT;
    /// Receives a fault, touches memory, answers; leaves what the answer came to.
    fn serve(faults: u32) {
        let got = calls::receive(CapName(faults));
        board::set(1, pages::peek(TOUCHED));
        let answer = calls::reply(None, &Message::new(RESUME));
        board::set(0, 1000 + answer.err().map_or(0, |error| error as u32));
        board::set(2, got.map_or(0, |got| got.badge - FAULTS));
    }
    for in_time in [true, false] {
        torn::each(Place::Apart, TIME, |scene, route, side, letter| {
            let what = format_args!("{route:?} {side:#x} {in_time}");
            let (above, frames) = (endpoint(), Frames::take(1, 1));
            let options = Options { pager: above.name(), ..ABOVE };
            let pager = Worker::spawn(&Home::own(), options, serve, scene.faults.name().0);
            board::set(0, 0);
            torn::remove(scene, side, 1);
            scene.carry(route, letter);
            let got = Utcb::current().within((0, 0), || calls::receive(above.name()));
            check!(got.is_ok_and(|got| got.message.word(0) == TOUCHED), "{what}");
            time::sleep(if in_time { TIME - 5 } else { TIME + 2 });
            torn::restore(scene, side, 1);
            check_eq!(pages::map(&frames, TOUCHED, Rights::WRITE, 0), Ok(()));
            check_eq!(calls::reply(None, &Message::new(RESUME)), Ok(()));
            check!(pager.ends(), "{what}");
            check_eq!(board::get(2), side, "{what}");
            if in_time {
                check_eq!(board::get(0), 1000, "{what}");
                scene.delivered(route, letter, &[whole(&scene.to, PAGES)], what);
            } else {
                check_eq!(board::get(0), 1000 + Error::NoReply as u32, "{what}");
                torn::remove(scene, side, 1);
                torn::stopped(scene, route, side, what);
            }
        });
    }
}

/// W6: nobody answers.
pub fn nobody() {
    // The reply capability is dropped: the pager receives again, or deletes it.
    claim("W6 the pager drops the reply");
    for deletes in [false, true] {
        torn::each(Place::Apart, FOREVER, |scene, route, side, letter| {
            let what = format_args!("{route:?} {side:#x} {deletes}");
            torn::begin(scene, route, side, letter, what);
            if deletes {
                let slot = Slot::take().expect("a slot");
                check_eq!(calls::save_reply(slot.name()), Ok(()));
                torn::pair(scene, side).0.waits(State::AwaitingReply, what);
                drop(slot);
            } else {
                no_fault(scene, what);
            }
            torn::stopped(scene, route, side, what);
        });
    }
    // The pager ends, holding the reply capability.
    claim("W6 is destroyed");
    fn hold(faults: u32) {
        let got = calls::receive(CapName(faults));
        board::set(2, got.map_or(0, |got| got.badge - FAULTS));
        time::sleep(FOREVER);
    }
    torn::each(Place::Apart, FOREVER, |scene, route, side, letter| {
        let what = format_args!("{route:?} {side:#x}");
        let pager = Worker::spawn(&Home::own(), ABOVE, hold, scene.faults.name().0);
        torn::remove(scene, side, 1);
        scene.carry(route, letter);
        check_eq!(board::get(2), side, "{what}");
        torn::pair(scene, side).0.waits(State::AwaitingReply, what);
        check_eq!(pager.destroy(), Ok(()));
        torn::stopped(scene, route, side, what);
    });
    endpoint_ends();
    no_pager();
}

/// The pager's endpoint ends, or the right to call there does, while the fault is queued.
fn endpoint_ends() {
    for revoked in [false, true] {
        let scene = Scene::new(Place::Same, PAGES);
        for route in ROUTES {
            for side in SIDES {
                torn::with_letter(&scene, |letter| {
                    let what = format_args!("{route:?} {side:#x} {revoked}");
                    let letter = letter.patient();
                    let faults = endpoint();
                    let right = derived(faults.name(), Rights::SEND, side, 0);
                    let pagers = if side == SENDER {
                        [right.name(), CapName::NONE]
                    } else {
                        [CapName::NONE, right.name()]
                    };
                    torn::remove(&scene, side, 1);
                    scene.carry_with_pagers(route, &letter, pagers);
                    torn::pair(&scene, side).0.waits(State::Calling, what);
                    if revoked {
                        check_eq!(calls::revoke(faults.reference()), Ok(()));
                        torn::pair(&scene, side).0.waits(State::Calling, what);
                        let got = Utcb::current().within((0, 0), || calls::receive(faults.name()));
                        check_eq!(got.map(|got| got.badge), Err(Error::Timeout));
                    }
                    drop(faults);
                    torn::stopped(&scene, route, side, what);
                });
            }
        }
    }
}

/// There is no pager, or none that can be called: as with abort, whatever the policies.
fn no_pager() {
    let scene = Scene::new(Place::Same, PAGES);
    let (unsendable, empty) =
        (derived(scene.faults.name(), Rights::RECEIVE, 0, 0), Slot::take().expect("a slot"));
    let wrong = freehold_guest_tests::objects::notification();
    let pagers = [
        ("W6 no pager", CapName::NONE),
        ("W6 no pager", empty.name()),
        ("W6 no pager", unsendable.name()),
        ("W6 no pager", wrong.name()),
        ("W6 no pager", CapName(0xFFF)),
        ("W6 UPCALL", CapName(UPCALL)),
    ];
    for (cell, pager) in pagers {
        claim(cell);
        for route in ROUTES {
            for side in SIDES {
                torn::with_letter(&scene, |letter| {
                    torn::remove(&scene, side, 1);
                    scene.carry_with_pagers(route, &letter.patient(), [pager; 2]);
                    torn::stopped(&scene, route, side, format_args!("{cell} {pager:?} {route:?} {side:#x}"));
                });
            }
        }
    }
}
