//! Pages beside capabilities and strings in one message, and in pagers' answers.

use freehold_abi::designs::Fpage;
use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_abi::message::Item;
use freehold_abi::{CapName, Tag, fault};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;
use freehold_rt::{Error, Message, Rights, Utcb, calls};

use crate::gift::{AT, Gift, own};
use crate::party::{THERE, at, page};
use crate::speed::page_in;

/// Names in the other space, and where a capability arrives.
const DOOR: CapName = CapName(9);
const PAGER: CapName = CapName(11);
const ARRIVE: CapName = CapName(16);

struct Scene {
    home: Home,
    door: Slot,
}

impl Scene {
    fn new() -> Scene {
        board::clear();
        let scene = Scene { home: Home::new(), door: endpoint() };
        scene.home.give(DOOR, scene.door.name(), Rights::RECEIVE, 0);
        scene
    }

    fn mappings(&self) -> u32 {
        calls::account(self.home.space()).map_or(u32::MAX, |account| account.mappings)
    }

    fn arrived(&self) -> Kind {
        calls::cap_info(self.home.slot(ARRIVE)).expect("a slot").kind
    }

    fn send(&self, items: &[Item], pages: &[(u32, u32)]) -> Result<(), Error> {
        let mut message = Message::of(1, &[1, 2, 3]);
        items.iter().for_each(|&item| message.push_item(item));
        for &(from, to) in pages {
            message.push_map(at(page(from, Rights::WRITE), to));
        }
        calls::send(self.door.name(), &message)
    }
}

/// Takes a message, with one slot for a capability and a window for everything.
fn receiver(_: u32) {
    Utcb::current().set_slots(ARRIVE, 1);
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let got = calls::receive(DOOR);
    board::set(0, got.map_or(0, |got| got.message.word(2) + 100 * got.message.items()));
}

/// All of a message arrives, or nothing.
pub fn capabilities() {
    let _gift = Gift::new(2);
    let scene = Scene::new();
    let bits = notification();
    let poor = derived(bits.name(), Rights::ALL, 0, 1);
    let copy =
        |source: &Slot, total| Item { source: source.name(), moved: false, rights: Rights::ALL, total };
    let worker = Worker::spawn(&scene.home, ABOVE, receiver, 0);
    let pages = [(own(0), THERE), (own(1), THERE + FRAME)];
    check_eq!(scene.send(&[copy(&poor, 9)], &pages), Err(Error::NoCredits));
    check_eq!((scene.arrived(), scene.mappings()), (Kind::Empty, 0));
    check_eq!(scene.send(&[copy(&bits, 0), copy(&bits, 0)], &pages), Err(Error::NoSlots));
    check_eq!((scene.arrived(), scene.mappings()), (Kind::Empty, 0));
    check_eq!(scene.send(&[copy(&bits, 0)], &[pages[0], (own(1), 0x4000_0000)]), Err(Error::NoWindow));
    check_eq!((scene.arrived(), scene.mappings()), (Kind::Empty, 0));
    check_eq!(worker.state(), State::Receiving, "the receiver learns nothing of all that");
    check_eq!(scene.send(&[copy(&bits, 0)], &pages), Ok(()), "one slot does for one capability");
    check!(worker.ends());
    check_eq!((board::get(0), scene.arrived(), scene.mappings()), (303, Kind::Notification, 2));
    // A sender that waits for a receiver: found when that comes.
    let below = Worker::spawn(&Home::own(), ABOVE, sender, scene.door.name().0);
    check_eq!(below.state(), State::Sending);
    check_eq!(calls::delete(scene.home.slot(ARRIVE)), Ok(()));
    worker.start(receiver, 0);
    check!(below.ends() && worker.ends());
    check_eq!((board::get(1), scene.mappings()), (1, 3));
}

fn sender(door: u32) {
    let mut message = Message::of(1, &[1, 2, 3]);
    message.push_map(at(page(own(0), Rights::NONE), THERE + 9 * FRAME));
    board::set(1, u32::from(calls::send(CapName(door), &message).is_ok()));
}

/// Takes a message with strings, into memory that is the pool's: it is mapped by a pager as it is needed.
fn strings_receiver(_: u32) {
    let utcb = Utcb::current();
    utcb.set(utcb::WINDOW, Fpage::WHOLE.0);
    utcb.set_receive_faults(FOREVER, FOREVER);
    // SAFETY: nothing else is there.
    unsafe { utcb.set_buffers(&[Part { address: THERE, bytes: 2 * FRAME }]) };
    let got = calls::receive_strings(DOOR);
    board::set(2, got.map_or(0, |(_, bytes)| bytes));
    board::set(3, peek(THERE + 8));
    board::set(4, peek(THERE + 0x10_0000));
}

/// Strings from the pool's memory to the pool's memory, through a fault that a page answers; and a page comes behind
/// them.
pub fn strings() {
    let _gift = Gift::new(4);
    let (scene, pager) = (Scene::new(), endpoint());
    scene.home.give(PAGER, pager.name(), Rights::SEND, 0);
    board::set(0, own(1));
    board::set(1, pager.name().0);
    poke(own(0) + 8, 0x5678);
    poke(own(2), 0x9ABC);
    let server = Worker::spawn(&Home::own(), ABOVE, page_in, 0);
    let options = Options { pager: PAGER, ..ABOVE };
    let worker = Worker::spawn(&scene.home, options, strings_receiver, 0);
    check_eq!(worker.state(), State::Receiving);
    let utcb = Utcb::current();
    utcb.set_send_faults(FOREVER, FOREVER);
    utcb.set_strings(&[Part { address: AT, bytes: 64 }]);
    let mut message = Message::new(1).with_strings();
    message.push_map(at(page(own(2), Rights::NONE), THERE + 0x10_0000));
    check_eq!(calls::send_strings(scene.door.name(), &message), Ok(()));
    check!(worker.ends());
    check_eq!((board::get(2), board::get(3), board::get(4)), (64, 0x5678, 0x9ABC));
    check_eq!((scene.mappings(), peek(own(1) + 8)), (2, 0x5678));
    // An item that cannot be carried: known before the copy.
    worker.start_with_pager(strings_receiver, 0, PAGER);
    check_eq!(worker.state(), State::Receiving);
    utcb.set_strings(&[Part { address: AT, bytes: 64 }]);
    let mut message = Message::new(1).with_strings();
    message.push_map(at(page(own(2), Rights::NONE), 0x4000_0000));
    let stopped = calls::send_strings(scene.door.name(), &message).map_err(|broken| broken.error);
    check_eq!(stopped, Err(Error::NoWindow));
    check_eq!(worker.state(), State::Receiving);
    drop((worker, server));
}

fn touch(_: u32) {
    board::set(5, peek(THERE + 4));
}

/// What a pager's answer brings cannot be mapped: it hears of it, and the thread waits on.
pub fn answers() {
    let gift = Gift::new(1);
    let (scene, pager) = (Scene::new(), endpoint());
    scene.home.give(PAGER, pager.name(), Rights::SEND, 0);
    poke(own(0) + 4, 0x77);
    let worker = Worker::spawn(&scene.home, Options { pager: PAGER, ..ABOVE }, touch, 0);
    check_eq!(calls::receive(pager.name()).map(|got| got.message.word(0)), Ok(THERE + 4));
    let answer = |pages: &[u32]| {
        let mut message = Message::with_tag(Tag::new(fault::RESUME, 0));
        pages.iter().for_each(|&to| message.push_map(at(page(own(0), Rights::WRITE), to)));
        calls::reply(None, &message)
    };
    check_eq!(answer(&[THERE, 0x4000_0000]), Err(Error::NoWindow));
    check_eq!((worker.state(), scene.mappings()), (State::AwaitingReply, 0));
    check_eq!(answer(&[THERE, THERE + FRAME]), Ok(()));
    check!(worker.ends());
    check_eq!((board::get(5), scene.mappings()), (0x77, 2));
    drop(gift);
}
