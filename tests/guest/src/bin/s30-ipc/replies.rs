//! Reply capabilities: linear, used once, dead with their caller (docs/invariants.md, 19).

use freehold_abi::info::{Kind, State};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{self, endpoint, info};
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq, pages};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

/// Calls once; leaves the answer's first word, or 1000 + the error.
fn caller(endpoint: u32) {
    let answer = calls::call(CapName(endpoint), &Message::of(1, &[5]));
    board::set(0, answer.map_or_else(|error| 1000 + error as u32, |answer| answer.word(0)));
}

const PEER_GONE: u32 = 1000 + Error::PeerGone as u32;

/// A caller that waits for the answer of this thread.
fn called(endpoint: &Slot) -> Worker {
    board::set(0, 0);
    let worker = Worker::spawn(&Home::own(), ABOVE, caller, endpoint.name().0);
    check_eq!(calls::receive(endpoint.name()).map(|got| got.message.word(0)), Ok(5));
    check_eq!(worker.state(), State::AwaitingReply);
    worker
}

fn answer(word: u32) -> Message {
    Message::of(2, &[word])
}

pub fn once() {
    let endpoint = endpoint();
    check_eq!(calls::reply(None, &answer(1)), Err(Error::NoReply));
    let worker = called(&endpoint);
    check_eq!(calls::reply(None, &answer(10)), Ok(()));
    check_eq!(board::get(0), 10);
    check_eq!(calls::reply(None, &answer(11)), Err(Error::NoReply));
    check!(worker.ends());
    check_eq!(board::get(0), 10);
}

pub fn saved() {
    let endpoint = endpoint();
    let (slot, other) = (Slot::take().expect("a slot"), Slot::take().expect("a slot"));
    check_eq!(calls::save_reply(slot.name()), Err(Error::NoReply));
    let first = called(&endpoint);
    check_eq!(calls::save_reply(endpoint.name()), Err(Error::Occupied));
    check_eq!(calls::save_reply(slot.name()), Ok(()));
    check_eq!(info(slot.name()).kind, Kind::Reply);
    check_eq!(calls::save_reply(other.name()), Err(Error::NoReply));
    check_eq!(calls::reply(None, &answer(1)), Err(Error::NoReply));
    // With the first saved, a second caller can be served before.
    let second = Worker::spawn(&Home::own(), ABOVE, caller, endpoint.name().0);
    check!(calls::receive(endpoint.name()).is_ok());
    check_eq!(calls::reply(None, &answer(22)), Ok(()));
    check_eq!(board::get(0), 22);
    check_eq!(calls::derive(slot.name(), other.reference(), Rights::ALL, 0, 0), Err(Error::WrongKind));
    check_eq!(calls::revoke(slot.reference()), Err(Error::WrongKind));
    check_eq!(calls::reply(Some(endpoint.name()), &answer(1)), Err(Error::WrongKind));
    check_eq!(calls::reply(Some(slot.name()), &answer(33)), Ok(()));
    check_eq!(board::get(0), 33);
    check_eq!(info(slot.name()).kind, Kind::Empty, "used up");
    check_eq!(calls::reply(Some(slot.name()), &answer(34)), Err(Error::NoCapability));
    check!(first.ends() && second.ends());
}

/// To another slot, then to another space, whose thread answers.
pub fn moves() {
    let endpoint = endpoint();
    let worker = called(&endpoint);
    let (slot, other) = (Slot::take().expect("a slot"), Slot::take().expect("a slot"));
    check_eq!(calls::save_reply(slot.name()), Ok(()));
    check_eq!(calls::relocate(slot.reference(), other.reference()), Ok(()));
    check_eq!((info(slot.name()).kind, info(other.name()).kind), (Kind::Empty, Kind::Reply));
    check_eq!(calls::reply(Some(slot.name()), &answer(1)), Err(Error::NoCapability));
    let home = Home::new();
    check_eq!(calls::relocate(other.reference(), home.slot(CapName(9))), Ok(()));
    let there = Worker::spawn(
        &home,
        ABOVE,
        |name| {
            board::set(1, calls::reply(Some(CapName(name)), &Message::of(2, &[44])).is_ok().into());
        },
        9,
    );
    check!(there.ends() && worker.ends());
    check_eq!((board::get(0), board::get(1)), (44, 1));
}

/// Every way to lose a caller: receiving again, deleting its capability, ending it.
pub fn dropped() {
    let endpoint = endpoint();
    let slot = Slot::take().expect("a slot");
    let worker = called(&endpoint);
    let again = Utcb::current().within((0, 5), || calls::receive(endpoint.name()).map(|got| got.badge));
    check_eq!(again, Err(Error::Timeout));
    check!(worker.ends());
    check_eq!(board::get(0), PEER_GONE, "received again");

    let worker = called(&endpoint);
    check_eq!(calls::save_reply(slot.name()), Ok(()));
    check_eq!(calls::delete(slot.reference()), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), PEER_GONE, "deleted");

    for saved in [false, true] {
        let worker = called(&endpoint);
        if saved {
            check_eq!(calls::save_reply(slot.name()), Ok(()));
        }
        check_eq!(worker.destroy(), Ok(()));
        check_eq!(info(slot.name()).kind, Kind::Empty);
        let to = saved.then(|| slot.name());
        let error = if saved { Error::NoCapability } else { Error::NoReply };
        check_eq!(calls::reply(to, &answer(1)), Err(error), "the caller was destroyed");
    }

    // A server that ends with a caller in hand, and one whose space ends with a saved one.
    let unheard = objects::endpoint();
    for saved in [0, 1] {
        board::clear();
        let home = Home::new();
        home.give(CapName(9), endpoint.name(), Rights::RECEIVE, 0);
        home.give(CapName(11), unheard.name(), Rights::SEND, 0);
        let server = Worker::spawn(
            &home,
            ABOVE,
            |saved| {
                let _ = calls::receive(CapName(9));
                if saved != 0 {
                    let _ = calls::save_reply(CapName(10));
                }
                // Nobody hears this, so here it waits.
                let _ = calls::send(CapName(11), &Message::new(0));
            },
            saved,
        );
        let options = Options { priority: ABOVE.priority + 1, ..ABOVE };
        let worker = Worker::spawn(&Home::own(), options, caller, endpoint.name().0);
        check_eq!(worker.state(), State::AwaitingReply);
        if saved == 0 {
            check_eq!(server.destroy(), Ok(()));
        } else {
            drop(home);
        }
        check!(worker.ends());
        check_eq!(board::get(0), PEER_GONE, "saved {saved}");
    }
}

/// A reply that fails leaves the caller waiting.
pub fn refused() {
    let endpoint = endpoint();
    let worker = called(&endpoint);
    let bad = freehold_abi::Call::Reply;
    for tag in [63, 9 << 8, 62 | 1 << 8, 1 << 6, 1 << 7, 1 << 12, 1 << 14] {
        let (result, _) = freehold_rt::call::call(bad, 0, [0, tag, 0, 0]);
        check_eq!(result, Err(Error::BadMessage), "tag {tag:#x}");
    }
    check_eq!(worker.state(), State::AwaitingReply);
    check_eq!(calls::reply(None, &answer(3)), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 3);
}

/// What a call declared cannot be read through the reply capability of a later fault.
pub fn ranges() {
    fn declare(endpoint: u32) {
        let secret = [0x5EC2_E700_u32; 4];
        Utcb::current().set_ranges(&[Range { address: secret.as_ptr() as u32, bytes: 16, writable: true }]);
        let _ = calls::call(CapName(endpoint), &Message::new(1).with_ranges());
        // SAFETY: an exception; the pager lets it go on behind it.
        unsafe { core::arch::asm!("int3") }
    }
    let endpoint = endpoint();
    let options = Options { pager: endpoint.name(), ..ABOVE };
    let worker = Worker::spawn(&Home::own(), options, declare, endpoint.name().0);
    check!(calls::receive(endpoint.name()).is_ok());
    let frames = pages::Frames::take(1, 1);
    check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, 0), Ok(()));
    let copy = |bytes| {
        // SAFETY: the page was just mapped for this.
        unsafe { calls::copy_in(None, 0, 0, pages::AT, bytes) }
    };
    check_eq!(copy(16).done, 16);
    check_eq!(pages::peek(pages::AT), 0x5EC2_E700);
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check_eq!(
        calls::receive(endpoint.name()).map(|got| got.message.label()),
        Ok(freehold_abi::fault::EXCEPTION)
    );
    check_eq!(copy(16).stop.map(|stop| stop.0), Some(Error::BadRange));
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check!(worker.reaches(State::Stopped));
}
