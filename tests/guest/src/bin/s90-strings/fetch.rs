//! Double fetch: what a call has read is not read again, whoever writes to it meanwhile (docs/invariants.md, 18).

use freehold_abi::info::Kind;
use freehold_abi::layout::FOREVER;
use freehold_abi::layout::utcb::{self, UPCALL, UPCALL_WORDS};
use freehold_abi::message::Item;
use freehold_guest_tests::objects::{derived, info, notification};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::slots;
use freehold_rt::{CapName, Rights, calls};

use crate::actor::{Actor, Outcome};
use crate::letter::{Letter, ROUTES};
use crate::memory::{byte, guard, set_byte};
use crate::order::UTCB_WORDS;
use crate::scene::{Place, RECEIVER, SENDER, Scene, whole};
use crate::torn::{self, PAGES, SIDES, list};

/// A word of an actor's UTCB, which lies in this space.
fn set(actor: &Actor, index: usize, word: u32) {
    freehold_guest_tests::pages::poke(actor.worker().utcb() + 4 * index as u32, word);
}

/// Overwrites all that the call has read from both UTCBs: lists, counts, policies, slots.
fn scribble(scene: &Scene, word: u32) {
    for actor in [&scene.sender, &scene.receiver] {
        // The limit to receive is read when that begins, in a Call and a ReplyReceive.
        for index in (utcb::SEND_LIMIT..UTCB_WORDS).filter(|&index| index != utcb::RECEIVE_LIMIT) {
            if !(UPCALL..UPCALL + UPCALL_WORDS).contains(&index) {
                set(actor, index, word);
            }
        }
    }
}

/// Lists, counts and policies, at a fault of either side, and once more at the next.
pub fn lists() {
    let scene = Scene::new(Place::Same, PAGES);
    for route in ROUTES {
        for side in SIDES {
            for word in [0, 1, 0x0040_0000, scene.to.base(), FOREVER] {
                let what = format_args!("{route:?} {side:#x} {word:#x}");
                torn::with_letter(&scene, |letter| {
                    let letter = letter.patient();
                    torn::remove(&scene, RECEIVER, 2);
                    torn::begin(&scene, route, side, &letter, what);
                    scribble(&scene, word);
                    torn::restore(&scene, side, 1);
                    scene.resume();
                    check_eq!(scene.fault(), Some(torn::fault_of(&scene, RECEIVER, 2)), "{what}");
                    scribble(&scene, !word);
                    torn::restore(&scene, RECEIVER, 2);
                    scene.resume();
                    scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
                });
            }
        }
    }
}

/// Lists of those that wait for a partner: read when they began to.
pub fn before() {
    let scene = Scene::new(Place::Same, PAGES);
    for route in ROUTES {
        torn::with_letter(&scene, |letter| {
            let what = format_args!("{route:?}");
            scene.meet(route, &letter);
            let waiting = if route.sender_first { &scene.sender } else { &scene.receiver };
            let (count, first) = match route.sender_first {
                true => (utcb::STRINGS_COUNT, utcb::STRINGS),
                false => (utcb::BUFFERS_COUNT, utcb::BUFFERS),
            };
            for (index, word) in [(count, 33), (first, 0), (first + 1, 1)] {
                set(waiting, index, word);
            }
            match route.sender_first {
                true => scene.receiver.go(&scene.inward(route, &letter)),
                false => scene.sender.go(&scene.outward(route, &letter)),
            }
            scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
        });
    }
}

/// Capability items and slots: others than those that were checked are not carried, nor elsewhere.
pub fn items() {
    let scene = Scene::new(Place::Same, PAGES);
    let (bits, secret) = (notification(), notification());
    let first = slots::take_row(4).expect("four slots");
    for route in ROUTES {
        let what = format_args!("{route:?}");
        let named = [derived(bits.name(), Rights::ALL, 5, 3), derived(bits.name(), Rights::ALL, 6, 3)];
        let other = derived(secret.name(), Rights::ALL, 7, 3);
        let copied = Item { source: named[0].name(), moved: false, rights: Rights::SEND, total: 1 };
        let moved = Item { source: named[1].name(), moved: true, ..copied };
        torn::with_letter(&scene, |letter| {
            let letter = Letter { items: &[copied, moved], slots: (first, 2), ..letter.patient() };
            torn::begin(&scene, route, RECEIVER, &letter, what);
            // Three words, then the items.
            for (at, item) in [(4, copied), (6, moved)] {
                let [source, total] = Item { source: other.name(), rights: Rights::ALL, ..item }.encode();
                set(&scene.sender, at, source);
                set(&scene.sender, at + 1, total + 1);
            }
            set(&scene.receiver, utcb::SLOTS_FIRST, first.0 + 2);
            set(&scene.receiver, utcb::SLOTS_COUNT, 1);
            torn::mend(&scene, route, RECEIVER, &letter, what);
        });
        let got: [calls::CapInfo; 4] = core::array::from_fn(|index| info(CapName(first.0 + index as u32)));
        check_eq!((got[0].badge, got[0].rights, got[0].total), (5, Rights::SEND, 1), "{what}");
        check_eq!((got[1].badge, got[1].rights, got[1].total), (6, Rights::ALL, 3), "{what}");
        check!(got[2].kind == Kind::Empty && got[3].kind == Kind::Empty, "{what}");
        check_eq!((info(other.name()).kind, info(other.name()).credits), (Kind::Notification, 3), "{what}");
        for index in 0..2 {
            check_eq!(calls::delete(freehold_rt::SlotRef::own(CapName(first.0 + index))), Ok(()));
        }
    }
    (0..4).for_each(|index| slots::give_back(CapName(first.0 + index)));
}

/// The limit of a receiver that waits without one is not read again when it goes on.
pub fn limits() {
    let scene = Scene::new(Place::Same, PAGES);
    torn::with_letter(&scene, |letter| {
        for limit in [0, 1] {
            let what = format_args!("{limit}");
            torn::begin(&scene, ROUTES[0], SENDER, &letter.patient(), what);
            set(&scene.receiver, utcb::RECEIVE_LIMIT, limit);
            check!(scene.fault().is_none(), "dropped");
            scene.sender.check(torn::mine(&scene, SENDER), what);
            freehold_rt::time::sleep(5);
            scene.serve_receiver(what);
            torn::restore(&scene, SENDER, 1);
            torn::begun(&scene, what);
        }
    });
}

/// The memory of the message itself, and its words: each byte and each word is read once, when it is carried.
pub fn memory() {
    let scene = Scene::new(Place::Same, PAGES);
    for route in ROUTES {
        torn::with_letter(&scene, |letter| {
            let what = format_args!("{route:?}");
            let letter = letter.patient();
            torn::begin(&scene, route, SENDER, &letter, what);
            let [strings] = list(&scene, SENDER);
            let [buffers] = list(&scene, RECEIVER);
            let last = strings.bytes - 1;
            let kept = [0, last].map(|at| byte(strings.address + at));
            [strings.address, strings.address + last].into_iter().for_each(|at| set_byte(at, !byte(at)));
            set(&scene.sender, 3, 33);
            torn::restore(&scene, SENDER, 1);
            scene.resume();
            scene.receiver.check(Outcome::Done, what);
            let got = [0, last].map(|at| byte(buffers.address + at));
            check_eq!(got, [kept[0], !kept[1]], "{what}");
            check_eq!((scene.receiver.message(1), scene.receiver.message(3)), (1, 33), "{what}");
            [0, last].into_iter().zip(kept).for_each(|(at, value)| set_byte(strings.address + at, value));
            scene.part(route, what);
            guard(whole(&scene.to, PAGES));
        });
    }
}
