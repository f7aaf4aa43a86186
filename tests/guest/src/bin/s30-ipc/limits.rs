//! Time limits: none passes early, and none passes noticeably late.

use freehold_abi::Call;
use freehold_abi::info::{Kernel, State};
use freehold_abi::layout::UNITS;
use freehold_abi::layout::utcb::RECEIVE_LIMIT;
use freehold_guest_tests::crowd::{Crowd, Member};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Worker, eventually};
use freehold_guest_tests::{board, check, check_eq, scenario};
use freehold_rt::{CapName, Error, Message, Utcb, calls, time};

/// Ticks that a wait may take beyond its limit: the rest of the tick that it began in, and the one in
/// which it ends.
const SLACK: u32 = 2;

/// Does `work` under limits; returns its result and checks that it took `expected` ticks.
fn timed<R>(limits: (u32, u32), expected: u32, work: impl FnOnce() -> R) -> R {
    let begin = time::ticks();
    let result = Utcb::current().within(limits, work);
    let took = time::ticks().wrapping_sub(begin);
    check!((expected..=expected + SLACK).contains(&took), "{took} ticks for {expected}");
    result
}

pub fn sends() {
    let endpoint = endpoint();
    let message = Message::of(1, &[1, 2, 3]);
    for limit in [0, 1, 2, 7, 100] {
        let sent = timed((limit, 1000), limit, || calls::send(endpoint.name(), &message));
        check_eq!(sent, Err(Error::Timeout));
        let called = timed((limit, 1000), limit, || {
            calls::call(endpoint.name(), &message).map(|answer| answer.label())
        });
        check_eq!(called, Err(Error::Timeout));
    }
    let received = timed((1000, 0), 0, || calls::receive(endpoint.name()).map(|got| got.badge));
    check_eq!(received, Err(Error::Timeout), "what timed out is not received later");
}

pub fn receives() {
    let (endpoint, bits) = (endpoint(), notification());
    for limit in [0, 1, 3, 64, 65, 130] {
        let received = timed((1000, limit), limit, || calls::receive(endpoint.name()).map(|got| got.badge));
        check_eq!(received, Err(Error::Timeout));
        let waited = timed((1000, limit), limit, || calls::wait(bits.name()));
        check_eq!(waited, Err(Error::Timeout));
    }
    check_eq!(calls::notify(bits.name(), 3), Ok(()));
    check_eq!(timed((0, 50), 0, || calls::wait(bits.name())), Ok(3));
    // A limit that was not needed does not strike later.
    time::sleep(60);
    check_eq!(timed((0, 20), 20, || calls::wait(bits.name())), Err(Error::Timeout));
}

/// A call whose answer does not come: the caller goes on, and the server's capability is gone.
pub fn replies() {
    fn caller(endpoint: u32) {
        let result = Utcb::current().within((1000, 20), || calls::call(CapName(endpoint), &Message::new(4)));
        board::set(0, result.err().map_or(0, |error| error as u32));
    }
    board::clear();
    let endpoint = endpoint();
    for saved in [false, true] {
        let caller = Worker::spawn(&Home::own(), ABOVE, caller, endpoint.name().0);
        check_eq!(caller.state(), State::Calling);
        check_eq!(calls::receive(endpoint.name()).map(|got| got.message.label()), Ok(4));
        check_eq!(caller.state(), State::AwaitingReply);
        let slot = freehold_rt::slots::Slot::take().expect("a slot");
        if saved {
            check_eq!(calls::save_reply(slot.name()), Ok(()));
        }
        time::sleep(15);
        check_eq!(board::get(0), 0, "too early");
        time::sleep(10);
        check_eq!(board::get(0), Error::Timeout as u32);
        let to = saved.then(|| slot.name());
        let error = if saved { Error::NoCapability } else { Error::NoReply };
        check_eq!(calls::reply(to, &Message::new(0)), Err(error));
        check!(caller.ends());
        board::clear();
    }
}

/// Limits that hang in each level of the wheel, and at the edges between them.
const LIMITS: [u32; 16] =
    [1, 2, 62, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191, 8192, 262_143, 262_144, 262_209];
/// How many of them end in seconds.
const SHORT: usize = 13;

fn wait_for_limit(member: Member) {
    let limit = LIMITS[member.index as usize];
    member.set(RECEIVE_LIMIT, limit);
    let begin = time::ticks();
    let (status, _) = member.call(Call::Receive, [board::get(0), 0, 0, 0]);
    let took = time::ticks().wrapping_sub(begin);
    board::set(32 + member.index as usize, took);
    board::set(64 + member.index as usize, status);
}

pub fn wheel() {
    board::clear();
    let bits = notification();
    board::set(0, bits.name().0);
    let limits = if scenario::is_long() { &LIMITS[..] } else { &LIMITS[..SHORT] };
    let crowd = Crowd::start(limits.len() as u32, MAIN_PRIORITY + 1, wait_for_limit);
    time::sleep(limits[limits.len() - 1] + 10);
    for (index, &limit) in limits.iter().enumerate() {
        let took = board::get(32 + index);
        check!((limit..=limit + SLACK).contains(&took), "{took} ticks for {limit}");
        check_eq!(board::get(64 + index), Error::Timeout as u32);
    }
    drop(crowd);
}

const CROWD: u32 = 500;
const CROWD_LIMIT: u32 = 200;

/// The notification, and the tick at which all shall wake.
fn wait_for_tick(member: Member) {
    let left = board::get(1).wrapping_sub(time::ticks());
    member.set(RECEIVE_LIMIT, left);
    let (status, _) = member.call(Call::Receive, [board::get(0), 0, 0, 0]);
    let late = time::ticks().wrapping_sub(board::get(1));
    if status == Error::Timeout as u32 {
        board::add(2, 1);
    }
    board::set(3, board::get(3).max(late));
    if member.index + 1 == CROWD {
        board::set(4, 1);
    }
}

pub fn crowd() {
    board::clear();
    let bits = notification();
    board::set(0, bits.name().0);
    board::set(1, time::ticks() + CROWD_LIMIT);
    let crowd = Crowd::start(CROWD, MAIN_PRIORITY - 2, wait_for_tick);
    check_eq!(crowd.count(), CROWD);
    // They all begin to wait while this thread does.
    time::sleep(20);
    check!(time::ticks() < board::get(1), "making them took too long for the test to mean anything");
    check_eq!(board::get(2), 0);
    check!(eventually(|| board::get(2) == CROWD), "{} woke", board::get(2));
    // At each entry as many expire as 64 units allow (a waiter that wakes costs several); the threads themselves come and
    // go in between.
    check!(board::get(3) <= 12, "{} ticks late", board::get(3));
    check!(calls::kernel_info(Kernel::MaxUnits).is_ok_and(|most| most <= UNITS));
    let idle = Worker::spawn(&Home::own(), BELOW, |_| {}, 0);
    check!(idle.ends());
}
