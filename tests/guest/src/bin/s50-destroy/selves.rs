//! Those who take away what they themselves stand on.

use freehold_abi::info::State;
use freehold_guest_tests::home::{FRAMES, Home};
use freehold_guest_tests::worker::{ABOVE, BELOW, Options, Worker};
use freehold_guest_tests::{board, check_eq};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, memory};

use crate::scene::Bystander;

/// Reclaims what the board says: container, first, count. Leaves 1 + the error, if it comes back.
fn reclaim(_: u32) {
    let result = calls::reclaim(CapName(board::get(20)), board::get(21), board::get(22));
    board::set(25, result.err().map_or(board::get(22), |stop| stop.done));
    board::set(23, 1 + result.err().map_or(0, |stop| stop.error as u32));
    loop {
        board::add(24, 1);
    }
}

fn order(container: CapName, first: u32, count: u32) {
    for (index, word) in [(20, container.0), (21, first), (22, count), (23, 0), (24, 0), (25, 0)] {
        board::set(index, word);
    }
}

pub fn threads() {
    let bystander = Bystander::new();
    for options in [ABOVE, BELOW] {
        // Its thread; its UTCB; stack, UTCB and thread from behind; everything from the front.
        for (first, count) in [(0, 1), (1, 1), (0, 4), (2, 2)] {
            let worker = Worker::new(&Home::own(), Options { fpu: first == 0, ..options });
            let frames = worker.frames();
            order(frames.container, frames.first + first, count);
            worker.start(reclaim, 0);
            freehold_rt::time::sleep(3);
            check_eq!(board::get(23), 0, "it did not come back");
            if first != 0 {
                // Without UTCB it cannot run; without stack it faults, and nobody hears of it.
                check_eq!(worker.state(), State::Stopped);
            } else {
                check_eq!(calls::thread_info(worker.name()), Err(Error::NoCapability));
            }
            check_eq!(worker.destroy(), Ok(()));
            bystander.check();
        }
    }
}

/// A space of lent memory that holds the container capability itself.
struct Owner {
    home: Home,
    name: CapName,
}

impl Owner {
    fn new() -> Owner {
        let extent = memory::take(FRAMES, 4).expect("memory");
        let lent = Slot::take().expect("a slot");
        let range = calls::range(extent.first, FRAMES);
        check_eq!(
            calls::lend(extent.container, lent.reference(), Rights::ALL, range, Lend::LARGEST, 100),
            Ok(())
        );
        let home = Home::of_lent(extent, lent.name());
        let name = CapName(20);
        check_eq!(calls::relocate(lent.reference(), home.slot(name)), Ok(()));
        Owner { home, name }
    }
}

pub fn spaces() {
    let bystander = Bystander::new();
    for options in [ABOVE, BELOW] {
        let owner = Owner::new();
        let worker = Worker::new(&owner.home, options);
        order(owner.name, 0, FRAMES);
        worker.start(reclaim, 0);
        freehold_rt::time::sleep(3);
        check_eq!((board::get(23), board::get(24)), (0, 0), "it did not come back");
        check_eq!(worker.state(), State::Stopped);
        check_eq!(worker.start_at(0, 0), Err(Error::NoSpace));
        bystander.check();
        // What it left half done, anyone entitled finishes: `owner` does, when it is dropped.
    }
}

/// Its node, in which the capability lies that it does this by; the Table that it stands in.
pub fn parts() {
    let bystander = Bystander::new();
    // With its node the capability itself is gone, which matters only if there is more to take back.
    let gone = 1 + Error::NoCapability as u32;
    let cases = [(12, 1, 1, 1), (12, 2, gone, 1), (8, 4, 0, 0), (4, 4, 1, 4)];
    for (first, count, expected, done) in cases {
        let owner = Owner::new();
        let worker = Worker::new(&owner.home, BELOW);
        order(owner.name, first, count);
        worker.start(reclaim, 0);
        freehold_rt::time::sleep(3);
        check_eq!((board::get(23), board::get(25)), (expected, done), "{first}");
        let state = if first == 8 { State::Stopped } else { State::Ready };
        check_eq!(worker.state(), state, "{first} {count}");
        bystander.check();
    }
}
