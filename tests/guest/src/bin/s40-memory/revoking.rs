//! Taking back: complete, at once, in bounded time, whatever the timer does in between.

use freehold_abi::info::Kernel;
use freehold_abi::layout::{FRAME, UNITS};
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::pages::{self, Frames, address, map, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Rights, calls, time};

use crate::mappings::{absent, absent_write};

const NONE: CapName = CapName::NONE;

/// One frame in three spaces, by all sorts of ways; taken back at its root, no TLB knows it any more.
pub fn everywhere() {
    let homes = [Home::new(), Home::new()];
    let probes = [Probe::new(&Home::own(), 0), Probe::new(&homes[0], 1), Probe::new(&homes[1], 2)];
    let frame = Frames::take(1, 1);
    let source = (frame.container(), frame.at(0));
    let at = [address(3), BLOCKS, BLOCKS + FRAME];
    for round in 0..3 {
        check_eq!(map(&frame, at[0], Rights::WRITE, 46), Ok(()));
        check_eq!(
            calls::update(&[update(
                (pages::table(), 3),
                1,
                homes[0].space(),
                at[1] / FRAME,
                Rights::WRITE,
                3
            )]),
            Ok(())
        );
        check_eq!(
            calls::update(&[update(
                (homes[0].table(), 0),
                1,
                homes[1].space(),
                at[2] / FRAME,
                Rights::WRITE,
                0
            )]),
            Ok(())
        );
        for (probe, at) in probes.iter().zip(at) {
            check_eq!(probe.write(at, at + round), Ok(()));
        }
        check!(probes.iter().zip(at).all(|(probe, place)| probe.read(place) == Ok(at[2] + round)));
        let gone = match round {
            0 => {
                check_eq!(calls::revoke_range(source.0, source.1, 1), Ok(()));
                0
            }
            1 => {
                check_eq!(calls::revoke_range(pages::table(), 3, 1), Ok(()));
                1
            }
            _ => {
                check_eq!(calls::reclaim(source.0, source.1, 1), Ok(()));
                0
            }
        };
        for (index, (probe, at)) in probes.iter().zip(at).enumerate() {
            if index >= gone {
                check_eq!(probe.read(at), Err(absent(at)), "round {round}, space {index}");
                check_eq!(probe.write(at, 1), Err(absent_write(at)));
            }
        }
        check_eq!(calls::unmap(NONE, at[0] / FRAME, 1), Ok(()));
    }
}

/// A frame with as many mappings as a Table holds; revoking it with a thread above that wakes each tick.
pub fn under_the_timer() {
    const CHILDREN: u32 = 1023;
    const ROUNDS: u32 = 60;
    fn metronome(_: u32) {
        let mut last = time::ticks();
        while board::get(0) == 0 {
            time::sleep(1);
            let now = time::ticks();
            board::set(1, board::get(1).max(now - last));
            board::add(2, 1);
            last = now;
        }
    }
    board::clear();
    let frame = Frames::take(1, 1);
    let metronome = Worker::spawn(&Home::own(), ABOVE, metronome, 0);
    let begin = time::ticks();
    for _ in 0..ROUNDS {
        check_eq!(map(&frame, address(0), Rights::WRITE, 63), Ok(()));
        let mut page = 1;
        while page <= CHILDREN {
            let batch: [_; 15] = core::array::from_fn(|index| {
                update((pages::table(), 0), 1, NONE, address(page + index as u32) / FRAME, Rights::NONE, 0)
            });
            let count = (CHILDREN + 1 - page).min(15);
            check_eq!(calls::update(&batch[..count as usize]), Ok(()));
            page += count;
        }
        check_eq!(calls::revoke_range(pages::table(), 0, 1), Ok(()));
        // The revoke is complete, however often it was interrupted: all can be made again.
        check_eq!(calls::unmap(NONE, address(0) / FRAME, 1), Ok(()));
    }
    board::set(0, 1);
    check!(metronome.ends());
    let took = time::ticks() - begin;
    check!(took > 20, "{took} ticks are too few to mean anything");
    check!(board::get(1) <= 3, "a thread above waited {} ticks", board::get(1));
    check!(board::get(2) >= took / 3, "{} of {took} ticks", board::get(2));
    check!(calls::kernel_info(Kernel::MaxUnits).is_ok_and(|most| most <= UNITS && most > 0));
}

pub fn thousand() {
    let frame = Frames::take(1, 1);
    let probe = Probe::new(&Home::own(), 0);
    let one = |page: u32| {
        update((frame.container(), frame.at(0)), 1, NONE, address(page) / FRAME, Rights::WRITE, 0)
    };
    for page in 0..1024 {
        check_eq!(calls::update(&[one(page)]), Ok(()));
    }
    check_eq!(probe.write(address(0), 4711), Ok(()));
    check!((0..1024).all(|page| probe.read(address(page)) == Ok(4711)));
    // Every second one goes; from the middle of the list, in no particular order.
    let mut page = 1;
    for _ in 0..512 {
        check_eq!(calls::unmap(NONE, address(page) / FRAME, 1), Ok(()));
        page = (page + 2 * 177) % 1024;
    }
    check!((0..1024).all(|page| probe.read(address(page)).is_ok() == (page % 2 == 0)));
    check_eq!(calls::reclaim(frame.container(), frame.at(0), 1), Ok(()));
    check!((0..1024).all(|page| probe.read(address(page)).is_err()));
}
