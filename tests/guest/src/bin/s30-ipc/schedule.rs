//! Who runs: the highest priority, and equals in turn.

use freehold_abi::info::State;
use freehold_abi::layout::{MAX_PRIORITY, SLICE_TICKS};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::notification;
use freehold_guest_tests::worker::{ABOVE, BELOW, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Error, calls, time};

fn spin(_: u32) {
    loop {
        board::add(0, 1);
    }
}

pub fn preemption() {
    board::clear();
    let home = Home::new();
    let spinners = [Worker::spawn(&Home::own(), BELOW, spin, 0), Worker::spawn(&home, BELOW, spin, 0)];
    for limit in [1, 5, 50] {
        let (begin, count) = (time::ticks(), board::get(0));
        time::sleep(limit);
        let took = time::ticks() - begin;
        check!((limit..=limit + 2).contains(&took), "{took} ticks instead of {limit}");
        check!(board::get(0) > count, "they run meanwhile");
    }
    check!(spinners.iter().all(|spinner| spinner.state() == State::Ready));
}

pub fn above() {
    fn waiter(argument: u32) {
        for _ in 0..3 {
            let _ = calls::wait(CapName(argument));
            board::add(0, 1);
        }
    }
    board::clear();
    let bits = notification();
    let high = Worker::spawn(&Home::own(), ABOVE, waiter, bits.name().0);
    check_eq!(high.state(), State::Waiting);
    for count in 1..=3 {
        check_eq!(calls::notify(bits.name(), 1), Ok(()));
        check_eq!(board::get(0), count, "it ran before the call returned");
    }
    check!(high.ends());
    board::clear();
    let low = Worker::spawn(&Home::own(), BELOW, waiter, bits.name().0);
    check_eq!(low.state(), State::Ready);
    check!(low.reaches(State::Waiting));
    check_eq!(calls::notify(bits.name(), 1), Ok(()));
    check_eq!((low.state(), board::get(0)), (State::Ready, 0), "it waits for its turn");
    time::sleep(1);
    check_eq!((low.state(), board::get(0)), (State::Waiting, 1));
    // Priorities end at the highest that the maker may give.
    let stopped = Worker::new(&Home::own(), BELOW);
    let start = |priority| calls::start_thread(stopped.name(), 0, 0, CapName::NONE, priority);
    check_eq!(start(MAX_PRIORITY as u8 + 1), Err(Error::OutOfRange));
    check_eq!(start(255), Err(Error::OutOfRange));
    check_eq!(stopped.state(), State::Stopped);
}

/// Counts its turns and its work.
fn turns(index: u32) {
    let index = index as usize;
    while board::get(1) == 0 {
        board::add(16 + index, 1);
        if board::get(0) != index as u32 {
            board::set(0, index as u32);
            board::add(32 + index, 1);
        }
    }
}

pub fn round_robin() {
    const SPINNERS: u32 = 4;
    const TURNS: u32 = 8;
    board::clear();
    board::set(0, SPINNERS);
    let spinners: [Worker; SPINNERS as usize] =
        core::array::from_fn(|index| Worker::spawn(&Home::own(), BELOW, turns, index as u32));
    time::sleep(TURNS * SPINNERS * SLICE_TICKS);
    board::set(1, 1);
    let work: [u32; SPINNERS as usize] = core::array::from_fn(|index| board::get(16 + index));
    let turns: [u32; SPINNERS as usize] = core::array::from_fn(|index| board::get(32 + index));
    let mean = work.iter().sum::<u32>() / SPINNERS;
    check!(work.iter().all(|&work| work.abs_diff(mean) < mean / 5), "work {work:?}");
    check!(turns.iter().all(|turns| (TURNS - 1..=TURNS + 1).contains(turns)), "turns {turns:?}");
    check!(spinners.iter().all(Worker::ends));
}
