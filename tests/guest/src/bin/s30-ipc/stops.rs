//! Waits that others end: by stopping the thread, or by deleting what it waits on.

use freehold_abi::Call;
use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_abi::layout::utcb::RECEIVE_LIMIT;
use freehold_guest_tests::crowd::{Crowd, Member};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Worker, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, calls};

/// Ways to wait, as the argument's upper part; the lower is what to wait on. Leaves 1000 + the error.
fn wait(argument: u32) {
    let (name, message) = (CapName(argument & 0xFFF), Message::of(1, &[1, 2, 3, 4]));
    let result = match argument >> 12 {
        0 => calls::send(name, &message),
        1 => calls::call(name, &message).map(|_| ()),
        2 => calls::receive(name).map(|_| ()),
        _ => calls::wait(name).map(|_| ()),
    };
    board::set(0, 1000 + result.err().map_or(0, |error| error as u32));
}

const STATES: [State; 4] = [State::Sending, State::Calling, State::Receiving, State::Waiting];
const CANCELED: u32 = 1000 + Error::Canceled as u32;

pub fn threads() {
    let (endpoint, bits) = (endpoint(), notification());
    for (way, state) in STATES.into_iter().enumerate() {
        board::clear();
        let name = if state == State::Waiting { bits.name() } else { endpoint.name() };
        let worker = Worker::spawn(&Home::own(), ABOVE, wait, name.0 | (way as u32) << 12);
        check_eq!(worker.state(), state);
        check_eq!(calls::stop_thread(worker.name()), Ok(()));
        check_eq!((worker.state(), board::get(0)), (State::Stopped, 0), "{state:?}");
        check_eq!(calls::stop_thread(worker.name()), Ok(()), "twice is no error");
        check_eq!(calls::continue_thread(worker.name(), CapName::NONE, ABOVE.priority), Ok(()));
        check!(worker.ends());
        check_eq!(board::get(0), CANCELED, "{state:?}");
        check_eq!(calls::continue_thread(worker.name(), CapName::NONE, ABOVE.priority), Ok(()));
    }
    // A caller whose call was taken: the capability to answer it dies.
    board::clear();
    let worker = Worker::spawn(&Home::own(), ABOVE, wait, endpoint.name().0 | 1 << 12);
    check!(calls::receive(endpoint.name()).is_ok());
    check_eq!(worker.state(), State::AwaitingReply);
    check_eq!(calls::stop_thread(worker.name()), Ok(()));
    check_eq!(calls::reply(None, &Message::new(0)), Err(Error::NoReply));
    check_eq!(calls::continue_thread(worker.name(), CapName::NONE, ABOVE.priority), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), CANCELED);
    check_eq!(calls::continue_thread(worker.name(), CapName::NONE, 0), Ok(()));
    check_eq!(calls::continue_thread(worker.name(), CapName::NONE, 0), Err(Error::BadState));
    // A ready one.
    board::clear();
    let worker = Worker::spawn(
        &Home::own(),
        ABOVE,
        |_| loop {
            board::add(1, 1);
            freehold_rt::time::sleep(1);
        },
        0,
    );
    check!(eventually(|| board::get(1) > 3));
    check_eq!(calls::stop_thread(worker.name()), Ok(()));
    let count = board::get(1);
    freehold_rt::time::sleep(10);
    check_eq!(board::get(1), count);
    check_eq!(calls::continue_thread(worker.name(), CapName::NONE, ABOVE.priority), Ok(()));
    check!(eventually(|| board::get(1) > count + 3));
}

/// Whoever waits by a capability that is revoked waits in vain: when its turn comes it learns Canceled, and
/// the next one is served.
pub fn revoked() {
    let (endpoint, bits) = (endpoint(), notification());
    for (way, state) in STATES.into_iter().enumerate() {
        board::clear();
        let origin = if state == State::Waiting { bits.name() } else { endpoint.name() };
        let copy = derived(origin, Rights::ALL, 0, 0);
        let worker = Worker::spawn(&Home::own(), ABOVE, wait, copy.name().0 | (way as u32) << 12);
        check_eq!(worker.state(), state);
        check_eq!(calls::revoke(SlotRef::own(origin)), Ok(()));
        check_eq!((worker.state(), board::get(0)), (state, 0), "nobody has looked yet: {state:?}");
        let mine = Utcb::current();
        match state {
            State::Waiting => {
                check_eq!(calls::notify(origin, 6), Ok(()));
                check_eq!(calls::wait(origin), Ok(6), "the bits are still there");
            }
            State::Receiving => {
                let sent = mine.within((0, 0), || calls::send(origin, &Message::new(0)));
                check_eq!(sent, Err(Error::Timeout));
            }
            _ => {
                let received = mine.within((0, 0), || calls::receive(origin));
                check_eq!(received.err(), Some(Error::Timeout));
            }
        }
        check!(worker.ends());
        check_eq!(board::get(0), CANCELED, "{state:?}");
    }
}

pub fn endpoints() {
    for (way, state) in STATES.into_iter().enumerate() {
        for derived_too in [false, true] {
            board::clear();
            let object = if state == State::Waiting { notification() } else { endpoint() };
            let copy = derived(object.name(), Rights::ALL, 0, 0);
            let name = if derived_too { copy.name() } else { object.name() };
            let worker = Worker::spawn(&Home::own(), ABOVE, wait, name.0 | (way as u32) << 12);
            check_eq!(worker.state(), state);
            if derived_too {
                // The capability that it waits through does not matter any more.
                check_eq!(calls::delete(copy.reference()), Ok(()));
                check_eq!(worker.state(), state);
            }
            drop(object);
            check!(worker.ends());
            check_eq!(board::get(0), CANCELED, "{state:?}");
            check_eq!(calls::notify(copy.name(), 1), Err(Error::NoCapability), "copies go with it");
        }
    }
    // A caller that awaits its reply does not depend on the endpoint any more.
    board::clear();
    let object = endpoint();
    let worker = Worker::spawn(&Home::own(), ABOVE, wait, object.name().0 | 1 << 12);
    check!(calls::receive(object.name()).is_ok());
    drop(object);
    check_eq!(worker.state(), State::AwaitingReply);
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(0), 1000);
}

const CROWD: u32 = 500;

fn queue_up(member: Member) {
    member.set(RECEIVE_LIMIT, FOREVER);
    let (status, _) = member.call(Call::Receive, [board::get(0), 0, 0, 0]);
    if status == Error::Canceled as u32 {
        board::add(1, 1);
    }
}

pub fn crowd() {
    board::clear();
    let object = endpoint();
    board::set(0, object.name().0);
    let crowd = Crowd::start(CROWD, MAIN_PRIORITY + 1, queue_up);
    check_eq!(crowd.count(), CROWD);
    check_eq!(board::get(1), 0);
    drop(object);
    check_eq!(board::get(1), CROWD);
}
