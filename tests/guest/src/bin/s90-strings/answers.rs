//! What pagers answer: stop, go on elsewhere, go on without a page; and what their calls leave of the message.

use core::arch::global_asm;

use freehold_abi::fault::{EXCEPTION, RESUME, RESUME_AT, STOP};
use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{check, check_eq, pages};
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

use crate::actor::{FAULTS, Outcome};
use crate::cells::claim;
use crate::letter::ROUTES;
use crate::scene::{Place, RECEIVER, Scene, whole};
use crate::torn::{self, PAGES};

const TIME: u32 = 20;

/// W7: the transfer stops, then the thread does; started again, it learns what became of its call.
pub fn stop() {
    claim("W7");
    torn::each(Place::Apart, FOREVER, |scene, route, side, letter| {
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
    torn::each(Place::Same, FOREVER, |scene, route, side, letter| {
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
    torn::each(Place::Apart, TIME, |scene, route, side, letter| {
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
    torn::each(Place::Apart, FOREVER, |scene, route, side, letter| {
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
            torn::each(place, FOREVER, |scene, route, side, letter| {
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
