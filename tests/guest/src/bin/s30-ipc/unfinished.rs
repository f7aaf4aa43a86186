//! Waits, by threads that a short path would serve, while work of another thread is unfinished: a transfer that was
//! interrupted, an object whose deletion was.

use freehold_abi::Tag;
use freehold_abi::info::Kind;
use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq, midway};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, calls, time};

/// Bytes of a copy that takes a good part of a tick, where they are, and how many of them follow each other: more than
/// the two ticks that a sleep of one can take.
const LONG: u32 = 2 << 20;
const COPIES: u32 = 5;
const FROM: u32 = pages::address(0);
const TO: u32 = pages::address(512);
const ROUNDS: u32 = 8;

/// Milliseconds in which all of them are over, or never will be.
const PATIENCE: u32 = 1000;
/// Bits that are notified: all has been sent; all has been received; there is nothing to wait for any more.
const ALL_SENT: u32 = 1;
const ALL_RECEIVED: u32 = 2;
const LATE: u32 = 4;

/// Words of the board: a notification's name; how many sends and receives succeeded; what came of a wait.
const TOLD: usize = 0;
const SENT: usize = 1;
const RECEIVED: usize = 2;
const GOT: usize = 3;
/// What stands there before.
const NOTHING: u32 = 1000;

fn sends(name: u32) {
    Utcb::current().set_strings(&[Part { address: FROM, bytes: LONG }]);
    for _ in 0..COPIES {
        let sent = calls::send_strings(CapName(name), &Message::new(1).with_strings());
        board::add(SENT, sent.is_ok().into());
    }
    let _ = calls::notify(CapName(board::get(TOLD)), ALL_SENT);
}

fn receives(name: u32) {
    // SAFETY: the tests' own pages, of which nobody holds references.
    unsafe { Utcb::current().set_buffers(&[Part { address: TO, bytes: LONG }]) };
    for _ in 0..COPIES {
        let got = calls::receive_strings(CapName(name));
        board::add(RECEIVED, got.is_ok_and(|(_, bytes)| bytes == LONG).into());
    }
    let _ = calls::notify(CapName(board::get(TOLD)), ALL_RECEIVED);
}

/// Ends the first thread's wait, which has no limit, if nobody else does.
fn alarm(_: u32) {
    time::sleep(PATIENCE);
    let _ = calls::notify(CapName(board::get(TOLD)), LATE);
}

/// A thread that was interrupted in a transfer is the next to run when another waits: it goes on with the transfer,
/// and behind its call only when that is done. Whichever side drives.
pub fn transfers() {
    board::clear();
    let (meeting, told) = (endpoint(), notification());
    board::set(TOLD, told.name().0);
    let (source, buffer) = (Frames::take(LONG / FRAME, 1), Frames::take(LONG / FRAME, 1));
    check_eq!(pages::map(&source, FROM, Rights::WRITE, 0), Ok(()));
    check_eq!(pages::map(&buffer, TO, Rights::WRITE, 0), Ok(()));
    let [sender, receiver] = [(); 2].map(|()| Worker::new(&Home::own(), BELOW));
    let _alarm = Worker::spawn(&Home::own(), ABOVE, alarm, 0);
    let mut caught = 0;
    for round in 0..ROUNDS {
        board::set(SENT, 0);
        board::set(RECEIVED, 0);
        poke(FROM + LONG - 4, round);
        if round % 2 == 0 {
            receiver.start(receives, meeting.name().0);
            check!(receiver.reaches(State::Receiving));
            sender.start(sends, meeting.name().0);
        } else {
            sender.start(sends, meeting.name().0);
            check!(sender.reaches(State::Sending));
            receiver.start(receives, meeting.name().0);
        }
        time::sleep(1);
        let states = [sender.state(), receiver.state()];
        caught += u32::from(states.contains(&State::Transferring) && states.contains(&State::Ready));
        let mut bits = 0;
        Utcb::current().within((FOREVER, FOREVER), || {
            while bits != ALL_SENT | ALL_RECEIVED && bits & LATE == 0 {
                bits |= calls::wait(told.name()).unwrap_or(LATE);
            }
        });
        check_eq!(bits, ALL_SENT | ALL_RECEIVED);
        check_eq!((board::get(SENT), board::get(RECEIVED), peek(TO + LONG - 4)), (COPIES, COPIES, round));
        check!(sender.ends() && receiver.ends(), "{:?} {:?}", sender.info(), receiver.info());
        // What has lost its way does not find it again.
        if bits & LATE != 0 {
            break;
        }
    }
    check!(2 * caught >= ROUNDS, "only {caught} times in the middle of a copy");
    check_eq!(calls::unmap(CapName::NONE, FROM / FRAME, 2 * LONG / FRAME), Ok(()));
}

/// Nodes of the space that holds capabilities to what is deleted.
const NODES: u32 = 10;
const SLOTS: u32 = NODES * 127;

/// An object whose deletion was interrupted, while the capability that was derived first is still there: who waits on
/// it, or answers and then would wait on it, learns that it is Gone.
pub fn deletions() {
    fn delete(name: u32) {
        let _ = calls::delete(SlotRef::own(CapName(name)));
    }
    fn waits(name: u32) {
        board::set(GOT, calls::wait(CapName(name)).map_or_else(|error| error as u32, |_| 0));
    }
    fn serves(names: u32) {
        let first = calls::receive(CapName(names >> 12)).map(|got| got.message.tag());
        check_eq!(first, Ok(Tag::new(3, 0)));
        let next = calls::reply_receive(None, &Message::new(4), CapName(names & 0xFFF));
        board::set(GOT, next.map_or_else(|error| error as u32, |_| 0));
    }
    let beside = Options { priority: MAIN_PRIORITY, ..BELOW };
    let (home, nodes) = (Home::new(), Frames::take(NODES, 1));
    for node in 0..NODES {
        check_eq!(calls::make_cap_node(nodes.container(), nodes.at(node), home.space(), 1 + node), Ok(()));
    }
    for pending in [None, Some(false), Some(true)] {
        let (object, copy) = (Slot::take().expect("a slot"), Slot::take().expect("a slot"));
        let prepare = || {
            calls::delete(object.reference()).expect("an end");
            match pending {
                None => calls::make_endpoint(object.reference()),
                Some(_) => calls::make_notification(object.reference()),
            }
            .expect("an object");
            if pending == Some(true) {
                calls::notify(object.name(), 8).expect("a notification");
            }
            let derive = |slot| {
                calls::derive(object.name(), slot, Rights::ALL, 0, 0).expect("a capability");
            };
            derive(copy.reference());
            for index in 0..SLOTS {
                derive(home.slot(CapName::new(1 + index / 127, 1 + index % 127)));
            }
        };
        let caught = || {
            calls::notify(object.name(), 0) == Err(Error::Gone)
                && calls::cap_info(copy.reference()).is_ok_and(|info| info.kind != Kind::Empty)
        };
        check!(midway::stop(delete, object.name().0, prepare, caught), "never half-way");
        board::clear();
        board::set(GOT, NOTHING);
        if pending.is_some() {
            let worker = Worker::spawn(&Home::own(), ABOVE, waits, copy.name().0);
            check!(worker.ends(), "{:?}", worker.info());
        } else {
            let asked = endpoint();
            let names = copy.name().0 | asked.name().0 << 12;
            let worker = Worker::spawn(&Home::own(), beside, serves, names);
            check!(worker.reaches(State::Receiving));
            let answer = Utcb::current()
                .within((FOREVER, FOREVER), || calls::call_short(asked.name(), Tag::new(3, 0), [0; 2]));
            check_eq!(answer.map(|(tag, _)| tag), Ok(Tag::new(4, 0)));
            check!(worker.ends(), "{:?}", worker.info());
        }
        check_eq!(board::get(GOT), Error::Gone as u32, "{pending:?}");
        check_eq!(calls::delete(object.reference()), Ok(()));
    }
}
