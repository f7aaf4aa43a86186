//! What pagers do to a transfer: all the rows of "what happens" but for the policies themselves.

use core::arch::global_asm;

use freehold_abi::fault::{EXCEPTION, RESUME, RESUME_AT, STOP, UPCALL};
use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::{self, Frames};
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

use crate::actor::{FAULTS, Outcome};
use crate::cells::claim;
use crate::letter::{Letter, ROUTES, Route};
use crate::scene::{Place, RECEIVER, SENDER, Scene, no_fault, whole};
use crate::torn::{self, PAGES, SIDES};

const TIME: u32 = 20;

/// Does `work` for every route and either side, with a message whose faults are waited for by `limit`.
fn each(place: Place, limit: u32, work: impl Fn(&Scene, Route, u32, &Letter<'_>)) {
    let scene = Scene::new(place, PAGES);
    for route in ROUTES {
        for side in SIDES {
            torn::with_letter(&scene, |letter| {
                let faults = (limit, limit);
                work(&scene, route, side, &Letter { send_faults: faults, receive_faults: faults, ..letter });
            });
        }
    }
}

/// W3, W4: there is one clock. A second fault does not get new time, and when the clock has passed what holds
/// for a side, that side's fault is not waited for at all.
pub fn clock() {
    each(Place::Apart, TIME, |scene, route, side, letter| {
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
        each(Place::Apart, TIME, |scene, route, side, letter| {
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
    claim("W6 drops");
    for deletes in [false, true] {
        each(Place::Apart, FOREVER, |scene, route, side, letter| {
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
    claim("W6 destroyed");
    fn hold(faults: u32) {
        let got = calls::receive(CapName(faults));
        board::set(2, got.map_or(0, |got| got.badge - FAULTS));
        time::sleep(FOREVER);
    }
    each(Place::Apart, FOREVER, |scene, route, side, letter| {
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
        ("W6 none", CapName::NONE),
        ("W6 none", empty.name()),
        ("W6 none", unsendable.name()),
        ("W6 none", wrong.name()),
        ("W6 none", CapName(0xFFF)),
        ("W6 upcall", CapName(UPCALL)),
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

/// W7: the transfer stops, then the thread does; started again, it learns what became of its call.
pub fn stop() {
    claim("W7");
    each(Place::Apart, FOREVER, |scene, route, side, letter| {
        let what = format_args!("{route:?} {side:#x}");
        torn::begin(scene, route, side, letter, what);
        check_eq!(scene.answer(STOP, &[]), Ok(()), "{what}");
        let (faulted, partner) = torn::pair(scene, side);
        faulted.waits(State::Stopped, what);
        faulted.continue_();
        faulted.check(torn::mine(scene, side), what);
        torn::partner_of_stopped(scene, route, side, partner, what);
    });
}

global_asm!(
    ".pushsection .text.s90_landing, \"ax\"",
    ".globl s90_landing",
    "s90_landing:",
    "push ebp",
    "push edi",
    "push eax",
    "ud2",
    ".popsection",
);

unsafe extern "C" {
    fn s90_landing();
}

/// W8: the transfer stops; the thread goes on where the pager says, its call's outcome in its registers.
pub fn resume_at() {
    claim("W8");
    each(Place::Same, FOREVER, |scene, route, side, letter| {
        let what = format_args!("{route:?} {side:#x}");
        torn::begin(scene, route, side, letter, what);
        let (faulted, partner) = torn::pair(scene, side);
        let (eip, esp) = (s90_landing as *const () as u32, faulted.worker().stack_end());
        check_eq!(scene.answer(RESUME_AT, &[eip, esp]), Ok(()), "{what}");
        // It has put its registers on its stack, and raised an exception there.
        let got =
            Utcb::current().within((0, 0), || calls::receive(scene.faults.name())).expect("an exception");
        check_eq!((got.badge, got.message.label()), (FAULTS + side, EXCEPTION), "{what}");
        check_eq!((got.message.word(2), got.message.word(3)), (eip + 3, esp - 12), "{what}");
        let [status, done, address] = [12, 8, 4].map(|below| pages::peek(esp - below));
        let Outcome::Mine { address: expected, .. } = torn::mine(scene, side) else { unreachable!() };
        check_eq!((status, done, address), (Error::FaultMine as u32, torn::DONE, expected), "{what}");
        check_eq!(scene.answer(STOP, &[]), Ok(()), "{what}");
        torn::partner_of_stopped(scene, route, side, partner, what);
    });
}

/// W9: an answer that brought no page is followed by the next fault, on the same clock.
pub fn not_mapped() {
    claim("W9");
    each(Place::Apart, TIME, |scene, route, side, letter| {
        let what = format_args!("{route:?} {side:#x}");
        torn::begin(scene, route, side, letter, what);
        for _ in 0..3 {
            time::sleep(TIME / 5);
            scene.resume();
            torn::at_pager(scene, side, what);
        }
        time::sleep(TIME - 3 * (TIME / 5) + 2);
        check_eq!(scene.answer(RESUME, &[]), Err(Error::NoReply), "{what}");
        torn::stopped(scene, route, side, what);
    });
    each(Place::Apart, FOREVER, |scene, route, side, letter| {
        let what = format_args!("{route:?} {side:#x}");
        torn::begin(scene, route, side, letter, what);
        for _ in 0..20 {
            scene.resume();
            torn::at_pager(scene, side, what);
        }
        torn::mend(scene, route, side, letter, what);
    });
    // A page that is there, but read-only, is as missing to a receiver.
    let scene = Scene::new(Place::Apart, PAGES);
    torn::with_letter(&scene, |letter| {
        let letter = letter.patient();
        torn::remove(&scene, RECEIVER, 1);
        scene.to.restore_as(1, Rights::NONE);
        scene.carry(ROUTES[0], &letter);
        let fault = scene.fault().expect("a fault");
        check_eq!((fault.who, fault.address, fault.access), (RECEIVER, scene.to.page(1), 3));
        torn::remove(&scene, RECEIVER, 1);
        torn::mend(&scene, ROUTES[0], RECEIVER, &letter, format_args!("read-only"));
    });
}

/// What a transfer's own message is does not change by the calls that its faults are: badge, words, tag.
pub fn badges() {
    for place in [Place::Apart, Place::Same] {
        // The fault waits in the queue; or a pager waits for it.
        for waiting in [false, true] {
            fn answer(faults: u32) {
                let _ = calls::receive(CapName(faults));
                time::sleep(2);
                let _ = calls::reply(None, &Message::new(RESUME));
            }
            each(place, FOREVER, |scene, route, side, letter| {
                let what = format_args!("{place:?} {route:?} {side:#x} {waiting}");
                let options = Options { priority: MAIN_PRIORITY + 2, ..ABOVE };
                let pager =
                    waiting.then(|| Worker::spawn(&Home::own(), options, answer, scene.faults.name().0));
                torn::remove(scene, side, 1);
                scene.carry(route, letter);
                torn::restore(scene, side, 1);
                match pager {
                    Some(pager) => drop(check!(pager.ends(), "{what}")),
                    None => {
                        check!(scene.fault().is_some(), "{what}");
                        scene.resume();
                    }
                }
                scene.delivered(route, letter, &[whole(&scene.to, PAGES)], what);
            });
        }
    }
}
