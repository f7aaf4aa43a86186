//! Capabilities in messages: all of them arrive, or none.

use freehold_abi::info::{Kind, State};
use freehold_abi::message::Item;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, info, notification};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::{self, Slot};
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, calls};

/// The endpoint's name in the other space.
const THERE: CapName = CapName(9);
/// First of the slots in the other space that items arrive in.
const ARRIVE: u32 = 16;

fn copy(source: &Slot, rights: Rights, total: u32) -> Item {
    Item { source: source.name(), moved: false, rights, total }
}

fn shift(source: &Slot) -> Item {
    Item { source: source.name(), moved: true, rights: Rights::ALL, total: 0 }
}

fn with(items: &[Item]) -> Message {
    let mut message = Message::of(3, &[0x11, 0x22, 0x33]);
    items.iter().for_each(|item| message.push_item(*item));
    message
}

/// Receives once, with as many slots as the argument says; leaves how many items came.
fn receiver(slots: u32) {
    Utcb::current().set_slots(CapName(ARRIVE), slots);
    let got = calls::receive(THERE);
    let right = got.is_ok_and(|got| got.message.words() == [0x11, 0x22, 0x33]);
    board::set(0, if right { 100 + got.map_or(0, |got| got.message.items()) } else { 1 });
}

struct Scene {
    endpoint: Slot,
    home: Home,
}

impl Scene {
    fn new() -> Scene {
        board::clear();
        let scene = Scene { endpoint: endpoint(), home: Home::new() };
        scene.home.give(THERE, scene.endpoint.name(), Rights::RECEIVE, 0);
        scene
    }

    fn receiver(&self, slots: u32) -> Worker {
        let worker = Worker::spawn(&self.home, ABOVE, receiver, slots);
        check_eq!(worker.state(), State::Receiving);
        worker
    }

    fn arrived(&self, index: u32) -> calls::CapInfo {
        calls::cap_info(self.home.slot(CapName(ARRIVE + index))).expect("a slot")
    }

    fn send(&self, items: &[Item]) -> Result<(), Error> {
        calls::send(self.endpoint.name(), &with(items))
    }
}

pub fn copied() {
    let scene = Scene::new();
    let bits = notification();
    let source = derived(bits.name(), Rights::ALL, 0x77, 20);
    let worker = scene.receiver(8);
    check_eq!(scene.send(&[copy(&source, Rights::SEND, 4)]), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 101);
    let (there, here) = (scene.arrived(0), info(source.name()));
    check_eq!((there.kind, there.rights, there.badge), (Kind::Notification, Rights::SEND, 0x77));
    check_eq!((there.depth, there.total, there.credits), (here.depth + 1, 4, 4));
    check_eq!((here.total, here.credits), (20, 15));
    check_eq!(scene.arrived(1).kind, Kind::Empty);
    check_eq!(calls::revoke(source.reference()), Ok(()));
    check_eq!(scene.arrived(0).kind, Kind::Empty, "revoked from afar");
    // Eight at once, of several kinds; a copy of an object's own slot is as good as any.
    let worker = scene.receiver(8);
    let eight = [&bits, &source, &scene.endpoint, &bits, &source, &scene.endpoint, &bits, &source];
    check_eq!(scene.send(&eight.map(|slot| copy(slot, Rights::ALL, 0))), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 108);
    let kinds: [Kind; 8] = core::array::from_fn(|index| scene.arrived(index as u32).kind);
    check_eq!(kinds, eight.map(|slot| info(slot.name()).kind));
    check_eq!((scene.arrived(0).badge, scene.arrived(1).badge), (0, 0x77));
    check_eq!(info(source.name()).credits, 17);
}

pub fn moved() {
    let scene = Scene::new();
    let bits = notification();
    let source = derived(bits.name(), Rights::SEND, 9, 20);
    let child = derived(source.name(), Rights::SEND, 0, 3);
    let worker = scene.receiver(1);
    check_eq!(scene.send(&[shift(&source)]), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 101);
    let there = scene.arrived(0);
    check_eq!((there.kind, there.badge, there.total, there.credits), (Kind::Notification, 9, 20, 16));
    check_eq!(info(source.name()).kind, Kind::Empty);
    check_eq!(calls::notify(child.name(), 0), Ok(()), "children stay");
    check_eq!(calls::delete(scene.home.slot(CapName(ARRIVE))), Ok(()));
    check_eq!(info(child.name()).kind, Kind::Empty, "and still hang on it");
}

pub fn without_slots() {
    let scene = Scene::new();
    let bits = notification();
    let items = [copy(&bits, Rights::SEND, 0); 2];
    let worker = scene.receiver(1);
    check_eq!(scene.send(&items), Err(Error::NoSlots));
    check_eq!(worker.state(), State::Receiving, "the receiver waits on");
    check_eq!(scene.send(&items[..1]), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 101);
    // Enough slots, but the first is taken by now.
    let worker = scene.receiver(2);
    check_eq!(scene.send(&items), Err(Error::NoSlots));
    check_eq!(scene.send(&[]), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 100);
    check_eq!(scene.arrived(1).kind, Kind::Empty);
    // Slots that do not exist: beyond the node, beyond all names.
    for first in [127, 4095, u32::MAX] {
        let count = 2;
        let worker = Worker::spawn(
            &scene.home,
            ABOVE,
            |first| {
                Utcb::current().set_slots(CapName(first), 2);
                let got = calls::receive(THERE).map(|got| got.message.items());
                board::set(0, 100 + got.unwrap_or(50));
            },
            first,
        );
        check_eq!(scene.send(&items), Err(Error::NoSlots), "{count} slots from {first:#x}");
        check_eq!(scene.send(&[]), Ok(()));
        check!(worker.ends());
        check_eq!(board::get(0), 100);
    }
    // A sender that comes before its receiver learns it when that comes.
    let sender = Worker::spawn(
        &Home::own(),
        ABOVE,
        |argument| {
            let bits = CapName(argument & 0xFFF);
            let item = Item { source: bits, moved: false, rights: Rights::SEND, total: 0 };
            let sent = calls::send(CapName(argument >> 12), &with(&[item]));
            board::set(1, sent.err().map_or(0, |error| error as u32));
        },
        bits.name().0 | scene.endpoint.name().0 << 12,
    );
    check_eq!(sender.state(), State::Sending);
    let worker = Worker::spawn(&scene.home, ABOVE, receiver, 0);
    check!(sender.ends());
    check_eq!(board::get(1), Error::NoSlots as u32);
    check_eq!(worker.state(), State::Receiving);
    check_eq!(scene.send(&[]), Ok(()));
    check!(worker.ends());
}

pub fn rollback() {
    let scene = Scene::new();
    let bits = notification();
    let source = derived(bits.name(), Rights::ALL, 5, 20);
    let poor = derived(bits.name(), Rights::ALL, 6, 2);
    let empty = Slot::take().expect("a slot");
    let worker = scene.receiver(8);
    let bad: [(&str, [Item; 3], Error); 8] = [
        (
            "an empty slot",
            [copy(&source, Rights::ALL, 1), copy(&source, Rights::ALL, 1), copy(&empty, Rights::ALL, 0)],
            Error::BadItem,
        ),
        (
            "no slot",
            [shift(&source), copy(&poor, Rights::ALL, 0), Item { source: CapName(0xFFF), ..shift(&empty) }],
            Error::BadItem,
        ),
        (
            "name 0",
            [shift(&source), copy(&poor, Rights::ALL, 0), Item { source: CapName(0), ..shift(&empty) }],
            Error::BadItem,
        ),
        (
            "an object's own slot",
            [copy(&source, Rights::ALL, 1), copy(&poor, Rights::ALL, 0), shift(&bits)],
            Error::BadItem,
        ),
        (
            "no credits",
            [copy(&source, Rights::ALL, 3), shift(&source), copy(&poor, Rights::ALL, 2)],
            Error::NoCredits,
        ),
        (
            "no credits the second time",
            [copy(&poor, Rights::ALL, 0), copy(&poor, Rights::ALL, 0), copy(&poor, Rights::ALL, 0)],
            Error::NoCredits,
        ),
        ("moved twice", [shift(&source), copy(&poor, Rights::ALL, 0), shift(&source)], Error::BadItem),
        (
            "copied after it moved",
            [shift(&source), copy(&poor, Rights::ALL, 1), copy(&source, Rights::ALL, 0)],
            Error::BadItem,
        ),
    ];
    for (what, items, error) in bad {
        let before = [&source, &poor, &bits].map(|slot| info(slot.name()));
        check_eq!(scene.send(&items), Err(error), "{what}");
        check_eq!([&source, &poor, &bits].map(|slot| info(slot.name())), before, "{what}");
        let arrived = (0..8).filter(|&index| scene.arrived(index).kind != Kind::Empty).count();
        check_eq!(arrived, 0, "{what}");
        check_eq!(worker.state(), State::Receiving, "{what}");
    }
    check_eq!(scene.send(&[shift(&source), copy(&poor, Rights::ALL, 1)]), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 102);
}

/// Items in a reply go into the caller's slots; a reply that fails can be made again.
pub fn in_replies() {
    fn caller(endpoint: u32) {
        Utcb::current().set_slots(CapName(board::get(8)), 1);
        let got = calls::call(CapName(endpoint), &Message::new(1)).map(|answer| answer.items());
        board::set(0, 100 + got.unwrap_or(50));
    }
    board::clear();
    let (endpoint, bits) = (endpoint(), notification());
    let first = slots::take_row(2).expect("two slots");
    board::set(8, first.0);
    let worker = Worker::spawn(&Home::own(), ABOVE, caller, endpoint.name().0);
    check!(calls::receive(endpoint.name()).is_ok());
    let item = copy(&bits, Rights::SEND, 0);
    check_eq!(calls::reply(None, &with(&[item, item])), Err(Error::NoSlots));
    check_eq!(worker.state(), State::AwaitingReply);
    check_eq!(calls::reply(None, &with(&[item])), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 101);
    check_eq!(info(first).kind, Kind::Notification);
    // A capability to answer can itself be an item, moved but never copied.
    check_eq!(calls::delete(SlotRef::own(first)), Ok(()));
    let worker = Worker::spawn(&Home::own(), ABOVE, caller, endpoint.name().0);
    check!(calls::receive(endpoint.name()).is_ok());
    let saved = Slot::take().expect("a slot");
    check_eq!(calls::save_reply(saved.name()), Ok(()));
    let scene = Scene::new();
    let helper = Worker::spawn(
        &scene.home,
        ABOVE,
        |_| {
            Utcb::current().set_slots(CapName(ARRIVE), 1);
            let _ = calls::receive(THERE);
            let _ = calls::reply(Some(CapName(ARRIVE)), &Message::new(9));
        },
        0,
    );
    check_eq!(scene.send(&[copy(&saved, Rights::ALL, 0)]), Err(Error::BadItem));
    check_eq!(scene.send(&[shift(&saved)]), Ok(()));
    check!(helper.ends() && worker.ends());
    check_eq!(board::get(0), 100);
    check_eq!(info(saved.name()).kind, Kind::Empty);
    slots::give_back(first);
    slots::give_back(CapName(first.0 + 1));
}
