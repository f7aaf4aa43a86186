//! Capabilities behind strings: they arrive last, all of them or none.

use freehold_abi::info::Kind;
use freehold_abi::layout::FRAME;
use freehold_abi::message::Item;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::{check, check_eq, pages};
use freehold_rt::calls::{self, CapInfo};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights};

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES};
use crate::memory::{GUARD, arrived, byte};
use crate::order::Order;
use crate::scene::{Place, SENDER, Scene, whole};
use crate::torn::{self, PAGES, list};

/// First of the receiver's slots that items arrive in.
const ARRIVE: u32 = 16;
/// First of the sender's slots that they come from.
const SOURCE: u32 = 32;

fn slot(scene: &Scene, side: usize, name: u32) -> CapInfo {
    calls::cap_info(scene.homes[side].slot(CapName(name))).expect("a slot")
}

fn copy(index: u32, total: u32) -> Item {
    Item { source: CapName(SOURCE + index), moved: false, rights: Rights::ALL, total }
}

fn shift(index: u32) -> Item {
    Item { source: CapName(SOURCE + index), moved: true, rights: Rights::ALL, total: 0 }
}

/// What the sender has: a notification (badge 7, total 20), an endpoint's (badge 9), a container with Share, one
/// without.
struct Sources {
    bits: Slot,
    door: Slot,
    shared: Slot,
}

impl Sources {
    fn new() -> Sources {
        let shared = derived(pages::table(), Rights::WRITE.or(Rights::SHARE), calls::range(0, 1024), 2000);
        Sources { bits: notification(), door: endpoint(), shared }
    }

    /// Gives the sender what it has.
    fn lay_out(&self, scene: &Scene) {
        let home = &scene.homes[0];
        let give = |index: u32, source: &Slot, rights, argument, total| {
            let to = home.slot(CapName(SOURCE + index));
            check_eq!(calls::delete(to), Ok(()));
            check_eq!(calls::derive(source.name(), to, rights, argument, total), Ok(()));
        };
        give(0, &self.bits, Rights::ALL, 7, 20);
        give(1, &self.door, Rights::ALL, 9, 20);
        give(2, &self.shared, Rights::ALL, calls::range(0, 1024), 4);
        give(3, &self.shared, Rights::WRITE, calls::range(0, 1024), 0);
        check_eq!(calls::delete(home.slot(CapName(SOURCE + 4))), Ok(()), "stays empty");
    }
}

fn clear_arrived(scene: &Scene) {
    for index in 0..9 {
        check_eq!(calls::delete(scene.homes[1].slot(CapName(ARRIVE + index))), Ok(()));
    }
}

fn count_arrived(scene: &Scene) -> usize {
    (0..9).filter(|&index| slot(scene, 1, ARRIVE + index).kind != Kind::Empty).count()
}

fn with_items<'a>(letter: Letter<'a>, items: &'a [Item], slots: u32) -> Letter<'a> {
    Letter { items, slots: (CapName(ARRIVE), slots), ..letter }
}

/// One to eight, copied and moved, of all kinds, by every route; also through a fault.
pub fn carried() {
    let scene = Scene::new(Place::Apart, PAGES);
    let sources = Sources::new();
    let words: [u32; 47] = core::array::from_fn(|index| 0x1000 + index as u32);
    for route in ROUTES {
        for (items, faults) in [
            (&[copy(0, 3)][..], false),
            (&[shift(0), copy(1, 0), copy(2, 1)], true),
            (
                &[copy(0, 1), copy(0, 1), copy(1, 2), copy(1, 0), copy(2, 0), shift(3), shift(1), shift(2)],
                false,
            ),
            (&[copy(0, 0); 8], true),
        ] {
            let what = format_args!("{route:?} {} items", items.len());
            sources.lay_out(&scene);
            torn::with_letter(&scene, |letter| {
                let letter = with_items(Letter { words: &words, ..letter.patient() }, items, 8);
                if faults {
                    torn::begin(&scene, route, SENDER, &letter, what);
                    check_eq!(count_arrived(&scene), 0, "not before the last byte: {what}");
                    torn::mend(&scene, route, SENDER, &letter, what);
                } else {
                    scene.carry(route, &letter);
                    scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
                }
            });
            let kinds = [Kind::Notification, Kind::Endpoint, Kind::Container, Kind::Container];
            for (index, item) in items.iter().enumerate() {
                let (from, got) = (item.source.0 - SOURCE, slot(&scene, 1, ARRIVE + index as u32));
                check_eq!(got.kind, kinds[from as usize], "{what}");
                let badge = if from < 2 { 7 + 2 * from } else { got.badge };
                check_eq!((got.badge, item.moved || got.total == item.total), (badge, true), "{what}");
                let left = slot(&scene, 0, item.source.0).kind;
                let moved_away = items.iter().any(|other| other.moved && other.source == item.source);
                check_eq!(left == Kind::Empty, moved_away, "{what}");
            }
            check_eq!(count_arrived(&scene), items.len(), "{what}");
            clear_arrived(&scene);
        }
    }
}

/// What is wrong before the copy begins is the sender's error, and not a byte moves.
pub fn refused() {
    let scene = Scene::new(Place::Apart, PAGES);
    let sources = Sources::new();
    sources.lay_out(&scene);
    check_eq!(
        calls::derive(sources.bits.name(), scene.homes[1].slot(CapName(ARRIVE + 8)), Rights::ALL, 0, 0),
        Ok(())
    );
    for route in ROUTES {
        for (items, first, slots, error) in [
            (&[copy(0, 0), copy(1, 0)][..], ARRIVE, 1, Error::NoSlots),
            (&[copy(0, 0)], ARRIVE, 0, Error::NoSlots),
            (&[copy(0, 0), shift(1), copy(2, 0)], ARRIVE + 6, 3, Error::NoSlots),
            (&[copy(0, 0), copy(1, 0)], 127, 2, Error::NoSlots),
            (&[copy(0, 0), copy(1, 0)], 4095, 2, Error::NoSlots),
            (&[shift(0), copy(4, 0)], ARRIVE, 8, Error::BadItem),
            (&[shift(0), copy(3, 0)], ARRIVE, 8, Error::BadItem),
            (&[shift(0), copy(1, 0), Item { source: CapName(0), ..copy(0, 0) }], ARRIVE, 8, Error::BadItem),
            (&[shift(0), Item { source: CapName(0xFFF), ..shift(0) }], ARRIVE, 8, Error::BadItem),
        ] {
            let what = format_args!("{route:?} {} items to {slots} at {first}", items.len());
            let before = [0, 1, 2, 3].map(|index| slot(&scene, 0, SOURCE + index));
            torn::with_letter(&scene, |letter| {
                let letter = Letter { items, slots: (CapName(first), slots), ..letter.patient() };
                scene.carry(route, &letter);
            });
            scene.sender.check(Outcome::Failed(error), what);
            if route.is_reply() {
                scene.receiver.waits(freehold_abi::info::State::AwaitingReply, what);
                scene.sender.go(&Order::reply(3));
                scene.receiver.check(Outcome::Done, what);
            } else {
                scene.serve_receiver(what);
            }
            check_eq!([0, 1, 2, 3].map(|index| slot(&scene, 0, SOURCE + index)), before, "{what}");
            check_eq!(count_arrived(&scene), 1, "{what}");
        }
    }
    check!((0..PAGES * FRAME).all(|at| byte(scene.to.base() + at) == GUARD), "no byte has moved");
    clear_arrived(&scene);
}

/// What becomes wrong while the strings are copied: the bytes have arrived, the message has not.
pub fn spoiled() {
    let scene = Scene::new(Place::Apart, PAGES);
    let sources = Sources::new();
    let there = |index| scene.homes[1].slot(CapName(ARRIVE + index));
    let here = |index| scene.homes[0].slot(CapName(SOURCE + index));
    type Spoil<'a> = (&'a str, &'a dyn Fn(), u32, Error);
    // What happens meanwhile, and with which total the last item is copied.
    let spoils: [Spoil<'_>; 6] = [
        (
            "the last slot is filled",
            &|| {
                check_eq!(calls::derive(sources.bits.name(), there(2), Rights::ALL, 0, 0), Ok(()));
            },
            1,
            Error::NoSlots,
        ),
        (
            "the first slot is filled",
            &|| {
                check_eq!(calls::derive(sources.bits.name(), there(0), Rights::ALL, 0, 0), Ok(()));
            },
            1,
            Error::NoSlots,
        ),
        (
            "the last source is deleted",
            &|| {
                check_eq!(calls::delete(here(2)), Ok(()));
            },
            1,
            Error::BadItem,
        ),
        (
            "a source is revoked",
            &|| {
                check_eq!(calls::revoke(sources.door.reference()), Ok(()));
            },
            1,
            Error::BadItem,
        ),
        (
            "the one that moves is gone",
            &|| {
                check_eq!(calls::delete(here(0)), Ok(()));
            },
            1,
            Error::BadItem,
        ),
        // Nothing happens: that credits do not suffice shows when the others have been carried.
        ("credits lack", &|| {}, 4, Error::NoCredits),
    ];
    for route in ROUTES {
        for (what, spoil, total, error) in spoils {
            let what = format_args!("{route:?}: {what}");
            let items = [shift(0), copy(1, 5), copy(2, total)];
            sources.lay_out(&scene);
            torn::with_letter(&scene, |letter| {
                let letter = with_items(letter.patient(), &items, 8);
                torn::begin(&scene, route, SENDER, &letter, what);
                spoil();
                let before = [0, 1, 2].map(|index| slot(&scene, 0, SOURCE + index));
                let filled = count_arrived(&scene);
                torn::restore(&scene, SENDER, 1);
                scene.resume();
                scene.sender.check(Outcome::Failed(error), what);
                if route.is_reply() {
                    scene.receiver.check(Outcome::Failed(Error::PeerGone), what);
                    torn::no_reply(&scene, what);
                } else {
                    scene.serve_receiver(what);
                }
                check_eq!([0, 1, 2].map(|index| slot(&scene, 0, SOURCE + index)), before, "{what}");
                check_eq!(count_arrived(&scene), filled, "{what}");
                let whole = [whole(&scene.to, PAGES)];
                check!(arrived(&list(&scene, SENDER), letter.buffers, letter.bytes(), &whole), "{what}");
            });
            clear_arrived(&scene);
        }
    }
}
