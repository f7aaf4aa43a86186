//! Threads of one priority that are ready together, wait, and are ready again, alone or in another order.
//!
//! What must hold: each wakes once for each notification, in the order of the notifications, whoever stood beside it
//! in a queue before. In a round all calls can take short paths, which then put threads into the ready queue and take
//! them out.

use freehold_abi::info::State;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::notification;
use freehold_guest_tests::worker::{BELOW, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Utcb, calls};

use crate::short::{ordinary_calls, possible};

/// Milliseconds in which a round is over, or never will be.
const PATIENCE: u32 = 1000;

/// Words of the board: who has been woken, in order; how many of a round have not; its calls that went the ordinary
/// way; the notifications' names: the conductor's, the members', the first thread's.
const EVENTS: usize = 0;
const LEFT: usize = 1;
const ORDINARY: usize = 2;
const NAMES: usize = 3;
const MEMBERS: u32 = 3;
const FIRST_THREAD: u32 = MEMBERS + 1;
/// What stands among the events for a wait that ended without a bit.
const NO_BIT: u32 = 0xF;

fn name(index: u32) -> CapName {
    CapName(board::get(NAMES + index as usize))
}

/// Waits for ever, and says so whenever that is over. The last one of a round wakes the conductor.
fn member(index: u32) {
    loop {
        let woken = if calls::wait(name(index)) == Ok(1) { index } else { NO_BIT };
        board::set(EVENTS, board::get(EVENTS) << 4 | woken);
        if board::add(LEFT, u32::MAX) == 1 {
            let _ = calls::notify(name(0), 1);
        }
    }
}

/// The members that a round names by its digits.
fn named(round: u32) -> impl Iterator<Item = u32> {
    (0..8).rev().map(move |digit| round >> (4 * digit) & 0xF).filter(|&index| index != 0)
}

/// Notifies those that a round names, and waits.
fn conduct(round: u32) {
    let before = ordinary_calls();
    named(round).for_each(|index| {
        let _ = calls::notify(name(index), 1);
    });
    let _ = calls::wait(name(0));
    // The question is a call, too.
    board::set(ORDINARY, ordinary_calls().wrapping_sub(before) - 1);
    let _ = calls::notify(name(FIRST_THREAD), 1);
}

/// Rounds of three, of two and of one, by threads that stay, and by those that are left where one has ended.
pub fn rounds() {
    board::clear();
    let notifications = [(); FIRST_THREAD as usize + 1].map(|()| notification());
    notifications.iter().enumerate().for_each(|(index, slot)| board::set(NAMES + index, slot.name().0));
    let conductor = Worker::new(&Home::own(), BELOW);
    let holds = |rounds: &[u32]| {
        for &round in rounds {
            board::set(EVENTS, 0);
            board::set(LEFT, named(round).count() as u32);
            conductor.start(conduct, round);
            let over = Utcb::current().within((0, PATIENCE), || calls::wait(name(FIRST_THREAD)));
            check_eq!((over, board::get(EVENTS)), (Ok(1), round), "{round:x}");
            let ordinary = board::get(ORDINARY);
            check_eq!(ordinary == 0, possible(), "{round:x}: {ordinary} went the ordinary way");
            // What has lost its way does not find it again.
            if over.is_err() || !conductor.ends() {
                return false;
            }
        }
        true
    };
    let [first, second, third] = [1, 2, 3].map(|index| {
        let worker = Worker::spawn(&Home::own(), BELOW, member, index);
        check!(worker.reaches(State::Waiting));
        worker
    });
    let all = holds(&[0x123, 0x1, 0x2, 0x3, 0x321, 0x2, 0x132, 0x31, 0x12, 0x3, 0x213, 0x23, 0x1]);
    drop(second);
    let two = all && holds(&[0x31, 0x1, 0x3, 0x13, 0x3]);
    drop(first);
    let one = two && holds(&[0x3, 0x3]);
    check!(one && third.state() == State::Waiting);
}
