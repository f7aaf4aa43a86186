//! Map items, under each policy: what they may do, and that what was looked at is what arrives.

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{FRAME, utcb};
use freehold_abi::message::Item;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

use crate::scene::{FROM, SENT_BY, Scene, TO, tell, told};

/// Where the untrusted space, or any other, has pages that are the pool's to map.
const HERE: u32 = 0x5000_0000;
/// Where they arrive.
const THERE: u32 = 0x6000_0000;

/// Pages that are the pool's to map, at [`HERE`] of a space, with their numbers in them.
pub struct Gift {
    _frames: Frames,
}

impl Gift {
    pub fn to(home: &Home) -> Gift {
        Gift::at(home, HERE)
    }

    fn at(home: &Home, address: u32) -> Gift {
        let frames = Frames::take(2, 1);
        let range = calls::range(frames.at(0), 2);
        check_eq!(calls::give(frames.container(), range, home.space(), address, Rights::WRITE), Ok(()));
        Gift { _frames: frames }
    }
}

/// Lets the first program's space have what it keeps of the pool: its tables.
pub fn warm_up() {
    for address in [HERE, THERE] {
        drop(Gift::at(&Home::own(), address));
    }
}

/// A message that maps page `page` of [`HERE`] to [`THERE`].
fn mapping(page: u32) -> Message {
    let mut message = Message::of(9, &[1, 2]);
    message.push_map(item(page));
    message
}

const fn item(page: u32) -> MapItem {
    let fpage = Fpage::new(HERE + page * FRAME, 0, Rights::WRITE.0 as u32);
    MapItem { fpage, hot_spot: THERE / FRAME, grant: false }
}

/// Calls with a map item of page 0.
fn maps(to: u32) {
    tell(0, calls::call(CapName(to), &mapping(0)));
}

/// Receives with a window of everything, and answers.
fn takes(from: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let got = calls::receive(CapName(from));
    board::set(3, got.map_or(0, |got| got.message.items()));
    tell(4, calls::reply(None, &Message::new(0)));
}

/// The first thread is such a receiver, for as long as a wait that fails may take.
fn take(from: CapName) -> Result<u32, Error> {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let got = Utcb::current().within((0, 10), || calls::receive(from));
    Utcb::current().set(utcb::WINDOW, Fpage::NONE.0);
    let items = got?.message.items();
    calls::reply(None, &Message::new(0))?;
    Ok(items)
}

/// What a message of `home`'s with a map item comes to, to a thread of `other`'s.
fn between(home: &Home, other: &Home) -> Result<(), Error> {
    board::clear();
    let door = endpoint();
    home.give(CapName(60), door.name(), Rights::SEND, SENT_BY);
    other.give(CapName(61), door.name(), Rights::RECEIVE, 0);
    let receiver = Worker::spawn(other, ABOVE, takes, 61);
    check_eq!(receiver.state(), State::Receiving);
    let sender = Worker::spawn(home, ABOVE, maps, 60);
    check!(sender.ends());
    let came = told(0).expect("told");
    check_eq!(receiver.state() == State::Receiving, came.is_err(), "who receives waits on");
    drop((sender, receiver));
    for (home, name) in [(home, 60), (other, 61)] {
        calls::delete(home.slot(CapName(name))).expect("a capability");
    }
    came
}

/// A capability still passes from `home` to the first program.
fn capability_passes(home: &Home, endpoint: CapName) {
    fn gives(_: u32) {
        let mut message = Message::new(9);
        message.push_item(Item { source: TO, moved: false, rights: Rights::SEND, total: 0 });
        tell(0, calls::send(TO, &message));
    }
    board::clear();
    let slot = freehold_rt::slots::Slot::take().expect("a slot");
    calls::delete(home.slot(TO)).expect("a capability");
    calls::derive(endpoint, home.slot(TO), Rights::SEND, SENT_BY, 4).expect("a capability");
    let sender = Worker::spawn(home, ABOVE, gives, 0);
    Utcb::current().set_slots(slot.name(), 1);
    check_eq!(calls::receive(endpoint).map(|got| got.message.items()), Ok(1));
    Utcb::current().set_slots(CapName::NONE, 0);
    check!(sender.ends());
    check_eq!(freehold_guest_tests::objects::info(slot.name()).kind, Kind::Endpoint);
}

/// The redirector that is delivered refuses every message with a map item, and lets past what has none; within the space
/// they are allowed.
pub fn refused() {
    let scene = Scene::new();
    let (_space, _redirector) = scene.redirector(Options { priority: MAIN_PRIORITY + 2, ..ABOVE });
    let gift = Gift::to(&scene.home);
    let other = Home::new();
    check_eq!(between(&scene.home, &other), Err(Error::MapRefused));
    check_eq!(between(&scene.home, &scene.home), Ok(()));
    capability_passes(&scene.home, scene.endpoint.name());
    let own = Gift::to(&other);
    check_eq!(between(&other, &scene.home), Ok(()), "to the untrusted space");
    drop((gift, own));
}

/// A redirector that lets map items past, and sees them as they are.
pub fn let_past() {
    let scene = Scene::new();
    let gift = Gift::to(&scene.home);
    let sender = scene.thread(maps, TO.0);
    let shown = scene.shown().expect("a message");
    check_eq!((shown.items(), shown.words()), (1, &[1, 2][..]));
    let words = [Utcb::current().get(utcb::MESSAGE + 3), Utcb::current().get(utcb::MESSAGE + 4)];
    check_eq!(MapItem::decode(words), Some(item(0)));
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check_eq!(take(scene.endpoint.name()), Ok(1));
    poke(THERE, 5);
    check_eq!(peek(THERE), 5);
    check!(sender.ends());
    check_eq!(told(0), Some(Ok(())));
    drop(gift);
}

/// Another thread of the space changes the items behind the redirector's back, at each place where they wait: what it was
/// shown is what arrives.
pub fn changed() {
    fn sends(with_map: u32) {
        let mut message = Message::of(9, &[1, 2]);
        if with_map != 0 {
            message.push_map(item(0));
        } else {
            message.push_item(Item { source: CapName(30), moved: true, rights: Rights::ALL, total: 0 });
        }
        tell(0, calls::send(TO, &message));
    }
    fn changes(at: u32) {
        let [first, second] = item(1).encode();
        poke(at + 12, first);
        poke(at + 16, second);
    }
    for with_map in [true, false] {
        for queued in [false, true] {
            let scene = Scene::new();
            let (gift, bits) = (Gift::to(&scene.home), notification());
            scene.home.give(CapName(30), bits.name(), Rights::SEND, 0);
            let sender = scene.thread(sends, with_map.into());
            let change = || check!(scene.thread(changes, sender.utcb()).ends());
            check!(scene.shown().is_ok());
            change();
            let home = Home::new();
            home.give(FROM, scene.endpoint.name(), Rights::RECEIVE, 0);
            let receives = |_| {
                Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
                Utcb::current().set_slots(CapName(70), 1);
                tell(3, calls::receive(FROM));
            };
            let receiver = Worker::new(&home, ABOVE);
            if !queued {
                receiver.start(receives, 0);
            }
            check_eq!(calls::propagate(Ok(())), Ok(()));
            if queued {
                check_eq!(sender.state(), State::Sending);
                change();
                receiver.start(receives, 0);
            }
            check!(receiver.ends() && sender.ends());
            check_eq!((told(0), told(3)), (Some(Ok(())), Some(Ok(()))), "map {with_map}, queued {queued}");
            let mappings = calls::account(home.space()).map(|account| account.mappings);
            check_eq!(mappings, Ok(with_map.into()));
            let kind = calls::cap_info(home.slot(CapName(70))).map(|info| info.kind);
            check_eq!(kind, Ok(if with_map { Kind::Empty } else { Kind::Notification }));
            if with_map {
                // Which page it is, is seen by taking that back.
                let revoke = |page: u32| {
                    board::set(9, page);
                    let unmaps = |_: u32| {
                        let fpage = Fpage::new(HERE + board::get(9) * FRAME, 0, 0);
                        tell(8, calls::fpage_unmap(fpage, false));
                    };
                    check!(scene.thread(unmaps, 0).ends());
                    calls::account(home.space()).map(|account| account.mappings)
                };
                check_eq!(revoke(1), Ok(1));
                check_eq!(revoke(0), Ok(0));
            }
            drop(gift);
        }
    }
}

/// A pager of an untrusted space that answers with a page.
pub fn answered() {
    fn pages(_: u32) {
        let _ = calls::receive(FROM);
        tell(0, calls::reply(None, &mapping(0)));
        // An item that is no page is ignored, and so nobody's to refuse.
        let mut stop = Message::new(freehold_abi::fault::STOP);
        stop.push_item(Item { source: FROM, moved: false, rights: Rights::ALL, total: 0 });
        tell(1, calls::reply(None, &stop));
    }
    fn touches(_: u32) {
        poke(THERE, 1);
    }
    let redirects = calls::design() == freehold_abi::designs::Design::Redirector;
    board::clear();
    let scene = if redirects { Scene::new() } else { Scene::without_door() };
    let _redirector = redirects.then(|| scene.redirector(Options { priority: MAIN_PRIORITY + 2, ..ABOVE }));
    let gift = Gift::to(&scene.home);
    let pager = scene.thread(pages, 0);
    let other = Home::new();
    other.give(TO, scene.endpoint.name(), Rights::SEND, 0);
    let options = Options { pager: TO, ..ABOVE };
    let faulter = Worker::spawn(&other, options, touches, 0);
    check!(pager.ends() && faulter.reaches(State::Stopped));
    check_eq!((told(0), told(1)), (Some(Err(Error::MapRefused)), Some(Ok(()))));
    check_eq!(calls::account(other.space()).map(|account| account.mappings), Ok(0));
    drop((pager, faulter));
    drop(gift);
}

/// local-only: the kernel refuses what leaves an untrusted space; nothing else is forbidden.
pub fn local_only() {
    let scene = Scene::without_door();
    let other = Home::new();
    let (gift, own) = (Gift::to(&scene.home), Gift::to(&other));
    check_eq!(between(&scene.home, &other), Err(Error::MapRefused));
    check_eq!(between(&scene.home, &scene.home), Ok(()));
    check_eq!(between(&other, &scene.home), Ok(()));
    check_eq!(calls::propagate(Ok(())), Err(Error::UnknownCall));
    capability_passes(&scene.home, scene.endpoint.name());
    // A thread that it starts in another space.
    fn starts(_: u32) {
        tell(
            5,
            calls::start_thread(CapName(62), board::get(9), board::get(10), CapName::NONE, ABOVE.priority),
        );
    }
    board::clear();
    let worker = Worker::new(&other, ABOVE);
    scene.home.give(CapName(62), worker.name(), Rights::CONTROL, 0);
    board::set(9, ends_at_once as *const () as u32);
    board::set(10, worker.stack_end());
    check!(scene.thread(starts, 0).ends());
    check_eq!(told(5), Some(Ok(())));
    let third = Home::new();
    check_eq!(between(&other, &third), Err(Error::MapRefused), "a space in which it started a thread");
    check_eq!(calls::trust(other.space()), Ok(()));
    check_eq!(between(&other, &third), Ok(()), "trusted again");
    drop((gift, own));
}

extern "C" fn ends_at_once() -> ! {
    // SAFETY: an exception, which ends the thread.
    unsafe { core::arch::asm!("ud2", options(noreturn)) }
}

/// root-only: map items are the first program's alone to send.
pub fn root_only() {
    board::clear();
    let (home, other) = (Home::new(), Home::new());
    let endpoint = endpoint();
    home.give(TO, endpoint.name(), Rights::SEND, SENT_BY);
    let (gift, own) = (Gift::to(&home), Gift::to(&Home::own()));
    check_eq!(between(&home, &other), Err(Error::MapRefused));
    check_eq!(between(&home, &home), Err(Error::MapRefused), "within its space as well");
    capability_passes(&home, endpoint.name());
    let door = freehold_guest_tests::objects::endpoint();
    other.give(FROM, door.name(), Rights::RECEIVE, 0);
    let receiver = Worker::spawn(&other, ABOVE, takes, FROM.0);
    check_eq!(calls::call(door.name(), &mapping(1)).map(|_| ()), Ok(()));
    check!(receiver.ends());
    check_eq!(calls::account(other.space()).map(|account| account.mappings), Ok(1));
    check_eq!(calls::distrust(home.space(), None), Err(Error::UnknownCall));
    drop((gift, own));
}
