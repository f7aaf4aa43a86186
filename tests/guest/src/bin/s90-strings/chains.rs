//! Strings beside all else that a message can have or a call can go on to.

use freehold_abi::fault::RESUME;
use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{Error, Message, Tag, Utcb, calls};

use crate::actor::{Actor, Outcome};
use crate::letter::{ROUTES, Route, Way};
use crate::memory::{GUARD, arrived, byte, fill, guard};
use crate::order::{Order, part};
use crate::scene::{Place, RECEIVER, SENDER, Scene, whole};
use crate::torn::{self, PAGES, SIDES};

/// A server answers with strings and receives with strings, in one call; the next client has come before, or comes
/// in the middle, or later. What it receives is read before it answers.
pub fn reply_receive() {
    let mut scene = Scene::new(Place::Apart, PAGES);
    scene.from.back(PAGES, 1);
    scene.to.back(PAGES, 1);
    // The other client lives with the first; its string lies behind the first's buffers.
    let names = [scene.door.name(), scene.faults.name()];
    let other = Actor::at(scene.receiver.priority(), &scene.homes[1], 2, names, RECEIVER);
    let (string, buffer) = (part(scene.to.page(PAGES) + 3, 999), part(scene.from.page(PAGES) + 1, 1000));
    fill(string);
    guard(buffer);
    let route = Route { way: Way::ReplyReceive, sender_first: false };
    for come in ["before", "in the middle", "later"] {
        for fault in [None, Some(SENDER), Some(RECEIVER)] {
            if come == "in the middle" && fault.is_none() {
                continue;
            }
            let what = format_args!("{come} {fault:x?}");
            torn::with_letter(&scene, |letter| {
                let letter = letter.patient();
                let next = Order::call(other.door, 0x4444).words(&[9]).strings(&[string], (0, 0));
                scene.have_called(&scene.inward(route, &letter));
                if come == "before" {
                    other.go(&next);
                }
                if let Some(side) = fault {
                    torn::remove(&scene, side, 1);
                }
                scene.sender.go(&scene.outward(route, &letter).accept(&[buffer], (0, 0)));
                if come == "in the middle" {
                    other.go(&next);
                    other.waits(State::Calling, what);
                }
                if let Some(side) = fault {
                    torn::at_pager(&scene, side, what);
                    check_eq!(byte(buffer.address), GUARD, "first the reply: {what}");
                    torn::restore(&scene, side, 1);
                    scene.resume();
                }
                if come == "later" {
                    scene.sender.waits(State::Receiving, what);
                    other.go(&next);
                }
                scene.receiver.check(Outcome::Done, what);
                check_eq!(scene.receiver.after(utcb::ARRIVED), letter.bytes(), "{what}");
                scene.sender.check(Outcome::Done, what);
                check_eq!(Tag(scene.sender.message(0)).label(), 0x4444, "{what}");
                check_eq!((scene.sender.message(1), scene.sender.after(utcb::ARRIVED)), (9, 999), "{what}");
                check!((0..999).all(|at| byte(buffer.address + at) == byte(string.address + at)), "{what}");
                check_eq!(byte(buffer.address + 999), GUARD, "{what}");
                other.waits(State::AwaitingReply, what);
                scene.sender.go(&Order::reply(0));
                other.check(Outcome::Done, what);
                check!(arrived(letter.strings, letter.buffers, letter.bytes(), &[]), "{what}");
            });
            guard(buffer);
        }
    }
}

/// Strings that go out by a Call and come back by its reply; ranges that are declared by the same Call.
pub fn there_and_back() {
    for place in [Place::Apart, Place::Same] {
        let scene = Scene::new(place, PAGES);
        let route = Route { way: Way::Call, sender_first: false };
        torn::with_letter(&scene, |letter| {
            let letter = letter.patient();
            // What comes back goes to page 3 of the caller; the range is its page 0.
            let back = part(scene.from.page(3) + 7, 500);
            guard(part(scene.from.page(3), FRAME));
            scene.receiver.go(&scene.inward(route, &letter));
            let mut call = scene.outward(route, &letter).accept(&[back], (FOREVER, FOREVER));
            call.registers[1] = Tag(call.registers[1]).with_ranges().0;
            call.utcb[utcb::RANGES_COUNT] = 1;
            (call.utcb[utcb::RANGES], call.utcb[utcb::RANGES + 1]) = (scene.from.base(), FRAME);
            torn::remove(&scene, SENDER, 1);
            scene.sender.go(&call);
            torn::at_pager(&scene, SENDER, format_args!("{place:?}"));
            // The ranges are for the receiver of the message, not for the pager.
            // SAFETY: nothing is copied; the page is the test's.
            let pulled = unsafe { calls::copy_in(None, 0, 0, scene.to.base(), 4) };
            check_eq!(pulled.stop.map(|stop| stop.0), Some(Error::BadRange), "{place:?}");
            torn::restore(&scene, SENDER, 1);
            scene.resume();
            scene.receiver.check(Outcome::Done, format_args!("{place:?}"));
            check_eq!(Tag(scene.receiver.message(0)).has_ranges(), false);
            check!(arrived(letter.strings, letter.buffers, letter.bytes(), &[whole(&scene.to, PAGES)]));
            // The receiver pulls from the range: by EAX, with the implicit capability.
            let mut pull = Order::reply(0);
            pull.eax = freehold_abi::Call::Copy as u32;
            pull.registers = [16, scene.to.base(), 64, 0];
            scene.receiver.go(&pull);
            scene.receiver.check(Outcome::Done, format_args!("{place:?} pull"));
            let same = |at| byte(scene.to.base() + at) == byte(scene.from.base() + 16 + at);
            check!((0..64).all(same), "{place:?} pull");
            // It sends back what it got so, from a page that is missing; so is the caller's.
            fill(part(scene.to.base(), 500));
            torn::remove(&scene, RECEIVER, 0);
            torn::remove(&scene, SENDER, 3);
            let strings = [part(scene.to.base(), 500)];
            scene.receiver.go(&Order::reply(8).strings(&strings, (FOREVER, FOREVER)));
            for (side, page) in [(RECEIVER, 0), (SENDER, 3)] {
                let fault = scene.fault().expect("a fault");
                check_eq!((fault.who, fault.access), (side, if side == SENDER { 2 } else { 0 }));
                torn::restore(&scene, side, page);
                scene.resume();
            }
            scene.receiver.check(Outcome::Done, format_args!("{place:?} back"));
            scene.sender.check(Outcome::Done, format_args!("{place:?} back"));
            check_eq!(scene.sender.after(utcb::ARRIVED), 500);
            check!((0..500).all(|at| byte(back.address + at) == byte(strings[0].address + at)), "{place:?}");
            check_eq!(byte(back.address + 500), GUARD);
        });
    }
}

/// A reply by a name; the name is used up when the copy begins, and dies with the caller.
pub fn named_reply() {
    let scene = Scene::new(Place::Same, PAGES);
    let route = Route { way: Way::Reply, sender_first: false };
    for side in SIDES {
        let what = format_args!("{side:#x}");
        torn::with_letter(&scene, |letter| {
            let letter = letter.patient();
            let slot = Slot::take().expect("a slot");
            scene.have_called(&scene.inward(route, &letter));
            let mut save = Order::reply(0);
            save.eax = freehold_abi::Call::SaveReply as u32;
            save.registers = [slot.name().0, 0, 0, 0];
            scene.sender.go(&save);
            scene.sender.check(Outcome::Done, what);
            torn::remove(&scene, side, 1);
            let mut reply = scene.outward(route, &letter);
            reply.eax |= slot.name().0 << 8;
            scene.sender.go(&reply);
            torn::at_pager(&scene, side, what);
            // A fault that waits is nobody's call but the pager's, and the reply is nobody's twice.
            let info = calls::cap_info(slot.reference()).expect("a slot");
            check_eq!(info.kind, freehold_abi::info::Kind::Empty, "used up: {what}");
            torn::mend(&scene, route, side, &letter, what);
        });
    }
}

/// Strings of a pager's answer to a fault are as little looked at as its items.
pub fn pagers_answer() {
    let scene = Scene::new(Place::Apart, PAGES);
    for route in ROUTES {
        for side in SIDES {
            let what = format_args!("{route:?} {side:#x}");
            torn::with_letter(&scene, |letter| {
                let letter = letter.patient();
                torn::begin(&scene, route, side, &letter, what);
                torn::restore(&scene, side, 1);
                Utcb::current().set(utcb::STRINGS_COUNT, 77);
                let answer = Message::new(RESUME).with_strings();
                let answered = calls::reply_strings(None, &answer).map_err(|broken| broken.error);
                check_eq!(answered, Ok::<(), Error>(()), "{what}");
                scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
            });
        }
    }
}
