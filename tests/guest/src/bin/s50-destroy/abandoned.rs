//! Long work that its worker does not finish: the object cannot be used, and others finish it.

use freehold_abi::info::State;
use freehold_abi::layout::FRAME;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, notification};
use freehold_guest_tests::pages::{self, Frames, address, update};
use freehold_guest_tests::worker::{BELOW, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, SlotRef, time};

const NONE: CapName = CapName::NONE;
/// Number of the frame type Dying (docs/calls.md).
const DYING: u32 = 9;
/// Places before the end of a tick at which the work begins.
const ROUNDS: u32 = 24;

/// Nanoseconds of a tick; the cycle counter counts them when time is that of the instructions.
const TICK: u32 = 1_000_000;
/// From one place to the next: the shortest work takes several times as long.
const STEP: u32 = 8_000;

fn cycles() -> u32 {
    let low;
    // SAFETY: reads a counter.
    unsafe { core::arch::asm!("rdtsc", out("eax") low, out("edx") _, options(nomem, nostack)) };
    low
}

/// The worker's part: waits for a tick, then for a part of the next that depends on the round.
fn lie_in_wait() {
    let tick = time::ticks();
    while time::ticks() == tick {}
    let begin = cycles();
    board::set(4, 1);
    while cycles().wrapping_sub(begin) < TICK - (ROUNDS - board::get(3)) * STEP {}
}

/// The first thread's part: sleeps until the tick behind the one that the worker saw.
fn strike(worker: &Worker) {
    while board::get(4) == 0 {
        time::sleep(1);
    }
    check_eq!(calls::stop_thread(worker.name()), Ok(()));
}

/// A Table with 1,024 mappings of one frame, each with a child, destroyed by a thread that is stopped in
/// the middle.
pub fn tables() {
    fn reclaim(_: u32) {
        lie_in_wait();
        let _ = calls::reclaim(CapName(board::get(0)), board::get(1), 4);
        board::set(2, 1);
    }
    let mut halves = 0;
    for round in 0..ROUNDS {
        board::clear();
        let (memory, frame) = (Frames::take(4, 4), Frames::take(1, 1));
        let table = Slot::take().expect("a slot");
        check_eq!(calls::make_table(memory.container(), memory.at(0), table.reference(), NONE), Ok(()));
        fill(table.name(), &frame);
        let spare = derived(table.name(), Rights::ALL, calls::range(0, 1024), 0);
        board::set(0, memory.container().0);
        board::set(1, memory.at(0));
        board::set(3, round);
        let worker = Worker::spawn(&Home::own(), BELOW, reclaim, 0);
        strike(&worker);
        let dying = calls::frames_of_type(DYING);
        if board::get(2) == 0 && dying == Ok(1) {
            halves += 1;
            // Nothing new enters it, and nobody takes it for a Table.
            let slot = Slot::take().expect("a slot");
            let into = calls::update(&[update(
                (frame.container(), frame.at(0)),
                1,
                table.name(),
                0,
                Rights::NONE,
                0,
            )]);
            check!(matches!(into, Err(Stop { error: Error::Gone | Error::NoCapability, .. })), "{into:?}");
            let hook = calls::hook(table.name(), NONE, 300, Rights::NONE);
            check!(matches!(hook, Err(Error::Gone | Error::NoCapability)), "{hook:?}");
            let again = calls::make_table(memory.container(), memory.at(0), slot.reference(), NONE);
            check_eq!(again, Err(Error::NotData));
            let more = calls::derive(spare.name(), slot.reference(), Rights::ALL, calls::range(0, 1), 0);
            check!(matches!(more, Err(Error::Gone | Error::NoCapability)), "{more:?}");
        }
        check_eq!(calls::reclaim(memory.container(), memory.at(0), 4), Ok(()));
        check_eq!(calls::frames_of_type(DYING), Ok(0));
    }
    check!(halves > 0, "no destruction was caught half-way");
}

fn fill(table: CapName, frame: &Frames) {
    let mut index = 0;
    while index < 1024 {
        let batch: [_; 15] = core::array::from_fn(|at| {
            update((frame.container(), frame.at(0)), 1, table, index + at as u32, Rights::NONE, 3)
        });
        let count = (1024 - index).min(15);
        check_eq!(calls::update(&batch[..count as usize]), Ok(()));
        index += count;
    }
    // Children of theirs, in the own Table.
    for first in [0, 512] {
        let children = update((table, first), 512, NONE, address(first) / FRAME, Rights::NONE, 0);
        check_eq!(calls::update(&[children]), Ok(()));
    }
}

/// A node with many descendants: while its revoke is unfinished, nothing is derived from it.
pub fn revokes() {
    fn revoke(name: u32) {
        lie_in_wait();
        let _ = calls::revoke_range(CapName(name), 0, 1);
        board::set(2, 1);
    }
    let mut halves = 0;
    for round in 0..ROUNDS {
        board::clear();
        let frame = Frames::take(1, 1);
        check_eq!(pages::map(&frame, address(0), Rights::WRITE, 62), Ok(()));
        let child = |page: u32| update((pages::table(), 0), 1, NONE, address(page) / FRAME, Rights::NONE, 0);
        for page in 1..1024 {
            check_eq!(calls::update(&[child(page)]), Ok(()));
        }
        board::set(3, round);
        let worker = Worker::spawn(&Home::own(), BELOW, revoke, pages::table().0);
        strike(&worker);
        let left = (1..1024).filter(|&page| is_mapped(page)).count();
        if board::get(2) == 0 && left != 0 && left != 1023 {
            halves += 1;
            let busy = calls::update(&[child(1)]);
            let error = busy.map_err(|stop| stop.error);
            check!(matches!(error, Err(Error::Busy | Error::Occupied)), "{error:?} with {left} left");
        }
        check_eq!(calls::revoke_range(pages::table(), 0, 1), Ok(()));
        check!(!(1..1024).any(is_mapped));
        check_eq!(calls::update(&[child(1)]), Ok(()), "after the revoke it can be derived from");
        check_eq!(calls::unmap(NONE, address(0) / FRAME, 1), Ok(()));
    }
    check!(halves > 0, "no revoke was caught half-way");
    // An endpoint that is being deleted says so: see the waiters in s30-ipc. Its slot is free afterwards.
    let bits = notification();
    check_eq!(calls::delete(bits.reference()), Ok(()));
    check_eq!(calls::make_endpoint(SlotRef::own(bits.name())), Ok(()));
    let idle = Worker::spawn(&Home::own(), BELOW, |_| {}, 0);
    check!(idle.reaches(State::Stopped));
}

/// Whether the entry of a page is there, by the page-table area.
fn is_mapped(page: u32) -> bool {
    let summary = calls::space_summary(NONE).expect("the own space");
    // The Table at `pages::AT` is the last one that the program was given at its start.
    let view = summary.area + pages::view_index() * FRAME;
    pages::peek(view + 4 * page) != 0
}
