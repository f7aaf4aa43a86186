//! What goes through the redirector, and arrives as if there were none.

use freehold_abi::info::{Kernel, Kind, State};
use freehold_abi::message::Item;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, info, notification};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::utcb::{Part, Range};
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

use crate::scene::{FROM, SENT_BY, Scene, TO, caller, sender, tell, told};

const LENGTHS: u32 = 63;
const BESIDE: Options = Options { priority: MAIN_PRIORITY - 1, ..ABOVE };

fn pattern(count: u32) -> Message {
    let mut message = Message::new(count as u16);
    for index in 0..count {
        message.push(0x1000 * count + index);
    }
    message
}

/// Whether calls of the first thread take short paths.
fn has_short_paths() -> bool {
    let ordinary = || calls::kernel_info(Kernel::OrdinaryCalls).unwrap_or(0);
    let before = ordinary();
    let _ = calls::null();
    ordinary().wrapping_sub(before) == 1
}

fn client(endpoint: u32) {
    for count in 0..LENGTHS {
        let sent = pattern(count);
        let right = calls::call(CapName(endpoint), &sent)
            .is_ok_and(|answer| answer.label() == sent.label() + 1 && answer.words() == sent.words());
        board::add(0, right.into());
    }
}

fn server(endpoint: u32) {
    let mut got = calls::receive(CapName(endpoint));
    for _ in 0..LENGTHS {
        let Ok(received) = got else { break };
        let words = received.message.words();
        let right = received.badge == SENT_BY && words == pattern(words.len() as u32).words();
        board::add(1, right.into());
        let answer = Message::of(received.message.label() + 1, words);
        got = calls::reply_receive(None, &answer, CapName(endpoint));
    }
}

/// An untrusted client of a trusted server, a trusted client of an untrusted server, and both untrusted; all of one
/// priority, and of three.
pub fn words() {
    for untrusted in [[true, false], [false, true], [true, true]] {
        for equal in [true, false] {
            let scene = Scene::new();
            let other = Home::new();
            other.give(TO, scene.endpoint.name(), Rights::SEND, SENT_BY);
            other.give(FROM, scene.endpoint.name(), Rights::RECEIVE, 0);
            if untrusted == [true, true] {
                check_eq!(calls::distrust(other.space(), Some(scene.badged.name())), Ok(()));
            }
            let (from, to) = if untrusted[0] { (&scene.home, &other) } else { (&other, &scene.home) };
            let (_space, redirector) = scene.redirector(if equal { BESIDE } else { ABOVE });
            check_eq!(redirector.reaches(State::Receiving), true);
            let high = Options { priority: MAIN_PRIORITY + 2, ..ABOVE };
            let server = Worker::spawn(to, if equal { BESIDE } else { high }, server, FROM.0);
            check_eq!(server.reaches(State::Receiving), true);
            let ordinary = || calls::kernel_info(Kernel::OrdinaryCalls).unwrap_or(0);
            let before = ordinary();
            let client = Worker::spawn(from, if equal { BESIDE } else { BELOW }, client, TO.0);
            check!(client.ends());
            let taken = ordinary().wrapping_sub(before);
            check_eq!((board::get(0), board::get(1)), (LENGTHS, LENGTHS), "{untrusted:?}, equal {equal}");
            // Four messages a round trip, if both are untrusted.
            let short = equal && untrusted != [true, true] && has_short_paths();
            check!(!short || taken < LENGTHS, "{taken} ordinary calls of {}", 4 * LENGTHS);
            drop((client, server));
        }
    }
}

/// One way, and queued at the destination: in order, with the badge.
pub fn one_way() {
    let scene = Scene::new();
    let (_space, _redirector) = scene.redirector(Options { priority: MAIN_PRIORITY + 2, ..ABOVE });
    let senders: [Worker; 3] = core::array::from_fn(|index| scene.thread(sender, index as u32));
    check!(senders.iter().all(|worker| worker.state() == State::Sending));
    for word in 0..3 {
        let got = calls::receive(scene.endpoint.name());
        check_eq!(got.map(|got| (got.badge, got.message.word(0))), Ok((SENT_BY, word)));
    }
    check!(senders.iter().all(Worker::ends));
    check_eq!(told(0), Some(Ok(())));
}

/// Capabilities: the redirector sees the words that name them and nothing moves until it says so.
pub fn capabilities() {
    fn gives(_: u32) {
        let mut message = Message::of(3, &[0x11]);
        for (source, moved) in [(30, false), (31, true)] {
            message.push_item(Item { source: CapName(source), moved, rights: Rights::ALL, total: 0 });
        }
        tell(0, calls::call(TO, &message));
    }
    let scene = Scene::new();
    let (bits, arrive) = (notification(), 100);
    scene.home.give(CapName(30), bits.name(), Rights::SEND, 0x30);
    scene.home.give(CapName(31), bits.name(), Rights::SEND, 0x31);
    // The child of what it has needs a credit.
    calls::delete(scene.home.slot(CapName(30))).expect("there");
    calls::derive(bits.name(), scene.home.slot(CapName(30)), Rights::SEND, 0x30, 4).expect("a capability");
    let home = Home::new();
    home.give(FROM, scene.endpoint.name(), Rights::RECEIVE, 0);
    let receiver = Worker::spawn(
        &home,
        ABOVE,
        |first| {
            Utcb::current().set_slots(CapName(first), 2);
            let got = calls::receive(FROM);
            board::set(1, got.as_ref().map_or(0, |got| got.message.items()));
            board::set(2, got.as_ref().map_or(0, |got| got.message.words().len() as u32));
            tell(3, calls::reply(None, &Message::new(0)));
        },
        arrive,
    );
    let giver = scene.thread(gives, 0);
    let shown = scene.shown();
    check_eq!(shown.as_ref().map(|message| (message.items(), message.word(0))), Ok((2, 0x11)));
    check_eq!(receiver.state(), State::Receiving, "nothing has come to it");
    check_eq!(giver.state(), State::AwaitingReply);
    let kind = |name| calls::cap_info(scene.home.slot(CapName(name))).map(|info| info.kind);
    check_eq!((kind(30), kind(31)), (Ok(Kind::Notification), Ok(Kind::Notification)));
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(receiver.ends() && giver.ends());
    check_eq!((board::get(1), board::get(2)), (2, 1));
    check_eq!((told(0), told(3)), (Some(Ok(())), Some(Ok(()))));
    check_eq!((kind(30), kind(31)), (Ok(Kind::Notification), Ok(Kind::Empty)), "copied and moved");
    let arrived = |name| calls::cap_info(home.slot(CapName(name))).map(|info| (info.kind, info.badge));
    check_eq!(arrived(arrive), Ok((Kind::Notification, 0x30)));
    check_eq!(arrived(arrive + 1), Ok((Kind::Notification, 0x31)));
    check_eq!(info(bits.name()).kind, Kind::Notification);
}

/// A string each way, short and long, and a receiver without room for it.
pub fn strings() {
    const PAGES: u32 = 20;
    fn sends(bytes: u32) {
        let utcb = Utcb::current();
        let part = Part { address: HERE, bytes };
        utcb.set_strings(&[part]);
        // SAFETY: nothing else uses these pages.
        unsafe { utcb.set_buffers(&[part]) };
        utcb.set_send_faults(0, 0);
        utcb.set_receive_faults(0, 0);
        let answer = calls::call_strings(TO, &Message::of(4, &[7, 8, 9]).with_strings(), true);
        board::set(1, answer.as_ref().map_or(0, |(_, arrived)| *arrived));
        tell(0, answer.map_err(|broken| broken.error));
    }
    const HERE: u32 = freehold_guest_tests::home::BLOCKS + 0x30_0000;
    for bytes in [1, 64, 4096, PAGES * 4096] {
        let scene = Scene::new();
        let (theirs, ours) = (Frames::take(PAGES, 1), Frames::take(PAGES, 1));
        let source = (theirs.container(), theirs.at(0));
        let update = pages::update(source, PAGES, scene.home.space(), HERE / 4096, Rights::WRITE, 0);
        check_eq!(calls::update(&[update]), Ok(()));
        check_eq!(pages::map(&theirs, pages::address(100), Rights::WRITE, 0), Ok(()));
        check_eq!(pages::map(&ours, pages::address(0), Rights::WRITE, 0), Ok(()));
        poke(pages::address(100), 0x0BAD_CAFE);
        let (_space, _redirector) = scene.redirector(Options { priority: MAIN_PRIORITY + 2, ..ABOVE });
        let worker = scene.thread(sends, bytes);
        let utcb = Utcb::current();
        let part = Part { address: pages::address(0), bytes };
        // SAFETY: nothing else uses these pages.
        unsafe { utcb.set_buffers(&[part]) };
        utcb.set_strings(&[part]);
        let got = calls::receive_strings(scene.endpoint.name());
        check_eq!(
            got.map(|(got, arrived)| (got.badge, got.message.word(2), arrived)),
            Ok((SENT_BY, 9, bytes))
        );
        check_eq!(peek(pages::address(0)) as u8, 0xFE);
        poke(pages::address(0), 0x1234_5678);
        check_eq!(calls::reply_strings(None, &Message::new(0).with_strings()), Ok(()));
        check!(worker.ends());
        check_eq!((told(0), board::get(1)), (Some(Ok(())), bytes));
        check_eq!(peek(pages::address(100)) as u8, 0x78);
        drop(worker);
        // And the untrusted side answers with one.
        let worker = scene.thread(answers, bytes);
        let answer = calls::call_strings(scene.endpoint.name(), &Message::new(1), true);
        check_eq!(answer.map(|(answer, arrived)| (answer.word(0), arrived)), Ok((3, bytes)));
        let answer = calls::call(scene.endpoint.name(), &Message::new(2));
        check_eq!(answer.map(|answer| answer.word(0)), Ok(4));
        check!(worker.ends());
        check_eq!(told(2), Some(Err(Error::NoRoom)), "a caller that accepts none");
    }
    fn answers(bytes: u32) {
        let utcb = Utcb::current();
        utcb.set_strings(&[Part { address: HERE, bytes }]);
        let _ = calls::receive(FROM);
        let again = calls::reply_strings(None, &Message::of(0, &[3]).with_strings());
        tell(1, again.map_err(|broken| broken.error));
        let _ = calls::receive(FROM);
        tell(
            2,
            calls::reply_strings(None, &Message::of(0, &[3]).with_strings()).map_err(|broken| broken.error),
        );
        tell(3, calls::reply(None, &Message::of(0, &[4])));
    }
}

/// Ranges are for whom the call is for, not for the redirector.
pub fn ranges() {
    fn declares(_: u32) {
        let secret = [0x5EC2_E700_u32; 4];
        Utcb::current().set_ranges(&[Range { address: secret.as_ptr() as u32, bytes: 16, writable: false }]);
        tell(0, calls::call(TO, &Message::new(1).with_ranges()));
        tell(1, calls::send(TO, &Message::new(2)));
    }
    let scene = Scene::new();
    let frames = Frames::take(1, 1);
    check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, 0), Ok(()));
    let worker = scene.thread(declares, 0);
    // SAFETY: the page was just mapped for this.
    let copy = || unsafe { calls::copy_in(None, 0, 0, pages::AT, 16) };
    check!(scene.shown().is_ok());
    check_eq!(copy().stop.map(|stop| stop.0), Some(Error::BadRange), "the redirector");
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(calls::receive(scene.endpoint.name()).is_ok());
    check_eq!((copy().done, peek(pages::AT)), (16, 0x5EC2_E700), "the server");
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check!(scene.shown().is_ok());
    check_eq!(copy().stop.map(|stop| stop.0), Some(Error::BadRange), "a later message");
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(calls::receive(scene.endpoint.name()).is_ok() && worker.ends());
    check_eq!((told(0), told(1)), (Some(Ok(())), Some(Ok(()))));
}

/// What is no message between spaces does not come to the door: notifications, faults, and what stays in the space.
pub fn beside() {
    fn works(notification: u32) {
        tell(0, calls::notify(CapName(notification), 4));
        tell(1, calls::call(TO, &Message::of(1, &[3])));
        // SAFETY: an exception; the pager lets it go on behind it.
        unsafe { core::arch::asm!("int3") };
        board::set(2, 1);
    }
    fn serves(_: u32) {
        let got = calls::receive(FROM);
        board::set(3, got.map_or(0, |got| got.message.word(0)));
        tell(4, calls::reply(None, &Message::new(0)));
    }
    let scene = Scene::new();
    let (bits, pager) = (notification(), freehold_guest_tests::objects::endpoint());
    scene.home.give(CapName(30), bits.name(), Rights::SEND, 0);
    scene.home.give(CapName(31), pager.name(), Rights::SEND, 0);
    let server = scene.thread(serves, 0);
    check_eq!(server.state(), State::Receiving);
    let options = Options { pager: CapName(31), ..ABOVE };
    let worker = Worker::spawn(&scene.home, options, works, 30);
    check_eq!(calls::wait(bits.name()), Ok(4));
    check_eq!((told(0), told(1), told(4)), (Some(Ok(())), Some(Ok(())), Some(Ok(()))));
    check_eq!(board::get(3), 3);
    check_eq!(
        calls::receive(pager.name()).map(|got| got.message.label()),
        Ok(freehold_abi::fault::EXCEPTION)
    );
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check!(worker.ends() && server.ends());
    check_eq!(board::get(2), 1);
    scene.nothing_shown();
}

/// A pager of an untrusted space: its answers do.
pub fn pager() {
    fn pages(_: u32) {
        let got = calls::receive(FROM);
        board::set(0, got.map_or(0, |got| got.message.label().into()));
        tell(1, calls::reply(None, &Message::new(0)));
    }
    fn faults(_: u32) {
        // SAFETY: an exception; the pager lets it go on behind it.
        unsafe { core::arch::asm!("int3") };
        board::set(2, 1);
    }
    let scene = Scene::new();
    let pager = scene.thread(pages, 0);
    let options = Options { pager: scene.endpoint.name(), ..ABOVE };
    let worker = Worker::spawn(&Home::own(), options, faults, 0);
    check_eq!(board::get(0), u32::from(freehold_abi::fault::EXCEPTION));
    check!(scene.shown().is_ok());
    check_eq!(worker.state(), State::AwaitingReply);
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(worker.ends() && pager.ends());
    check_eq!((board::get(2), told(1)), (1, Some(Ok(()))));
}

/// The next message in the same call; a verdict that is none; nothing to judge; a message for the redirector itself.
pub fn verdicts() {
    let scene = Scene::new();
    check_eq!(calls::propagate(Ok(())), Err(Error::NoReply));
    let first = scene.thread(sender, 1);
    let second = scene.thread(sender, 2);
    check!(scene.shown().is_ok());
    let number = freehold_abi::Call::Design;
    let operation = freehold_abi::designs::Operation::Propagate as u32;
    check_eq!(freehold_rt::call::call(number, operation, [0, 999, 0, 0]).0, Err(Error::OutOfRange));
    check_eq!(
        freehold_rt::call::call(number, operation, [scene.badged.name().0, 0, 0, 0]).0,
        Err(Error::NoRight)
    );
    check_eq!(first.state(), State::AwaitingReply, "nothing has happened yet");
    let next = calls::propagate_and_receive(Err(Error::MapRefused), scene.door.name());
    check_eq!(next.map(|[badge, _, word, _]| (badge, word)), Ok((crate::scene::BADGE, 2)));
    check!(first.ends());
    check_eq!(told(0), Some(Err(Error::MapRefused)));
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check_eq!(second.state(), State::Sending);
    check!(calls::receive(scene.endpoint.name()).is_ok() && second.ends());
    check_eq!(told(0), Some(Ok(())));
    // A call to the door itself is nobody else's message.
    let own = Worker::spawn(
        &Home::own(),
        ABOVE,
        |door| tell(0, calls::call(CapName(door), &Message::new(0))),
        scene.door.name().0,
    );
    check!(calls::receive(scene.door.name()).is_ok());
    check_eq!(calls::propagate(Ok(())), Err(Error::NoReply));
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check!(own.ends());
    check_eq!(told(0), Some(Ok(())));
    // Whom it does not let through it can answer itself.
    let third = scene.thread(caller, 3);
    check!(scene.shown().is_ok());
    check_eq!(calls::reply(None, &Message::of(0, &[33])), Ok(()));
    check!(third.ends());
    check_eq!((told(0), board::get(1)), (Some(Ok(())), 33));
}

/// A reply by a capability that was saved.
pub fn saved_reply() {
    fn serves(_: u32) {
        let _ = calls::receive(FROM);
        let _ = calls::save_reply(CapName(40));
        let _ = calls::receive(FROM);
        tell(0, calls::reply(Some(CapName(40)), &Message::of(0, &[40])));
        tell(1, calls::reply(None, &Message::of(0, &[41])));
    }
    fn calls_it(word: u32) {
        let answer = calls::call(CapName(word >> 8), &Message::new(0));
        board::set((word & 0xFF) as usize, answer.map_or(0, |answer| answer.word(0)));
    }
    let scene = Scene::new();
    let sending = derived(scene.endpoint.name(), Rights::SEND, 1, 0);
    let server = scene.thread(serves, 0);
    let callers: [Worker; 2] = core::array::from_fn(|index| {
        Worker::spawn(&Home::own(), ABOVE, calls_it, sending.name().0 << 8 | (10 + index as u32))
    });
    for index in 0..2 {
        check!(scene.shown().is_ok());
        check_eq!(board::get(10 + index), 0);
        check_eq!(calls::propagate(Ok(())), Ok(()));
        check_eq!(board::get(10 + index), 40 + index as u32);
    }
    check!(server.ends() && callers.iter().all(Worker::ends));
    check_eq!((told(0), told(1)), (Some(Ok(())), Some(Ok(()))));
}
