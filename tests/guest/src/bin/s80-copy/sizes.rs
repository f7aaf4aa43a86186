//! What arrives is what was sent: every alignment, every edge, every size.

use freehold_abi::info::Kernel;
use freehold_abi::layout::{BLOCK, FRAME, UNITS};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, AT, Frames};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Rights, calls, time};

use crate::client::{Client, DATA, all, fetch, range, store};

fn byte(address: u32) -> u8 {
    // SAFETY: a page that the test has mapped.
    unsafe { (address as *const u8).read_volatile() }
}

fn set_byte(address: u32, value: u8) {
    // SAFETY: as above.
    unsafe { (address as *mut u8).write_volatile(value) }
}

fn pattern(index: u32) -> u8 {
    (index.wrapping_mul(167) >> 3) as u8 | 1
}

/// Three pages that both sides see, at page 0 here; and pages of this side's own at 100.
fn scene(client: &Client) -> (Frames, Frames) {
    let (shared, own) = (Frames::take(3, 1), Frames::take(3, 1));
    check_eq!(pages::map(&shared, AT, Rights::WRITE, 0), Ok(()));
    check_eq!(pages::map(&own, pages::address(100), Rights::WRITE, 0), Ok(()));
    client.map(&shared, 0, Rights::WRITE);
    (shared, own)
}

pub fn alignments() {
    let client = Client::new();
    let _frames = scene(&client);
    let own = pages::address(100);
    client.call(&[range(DATA, 3 * FRAME, true)]);
    (0..3 * FRAME).for_each(|at| set_byte(AT + at, pattern(at)));
    for (offset, to, bytes) in [
        (0, 0, 0),
        (0, 0, 1),
        (1, 0, 3),
        (3, 2, 4),
        (2, 3, 5),
        (5, 7, 17),
        (4093, 1, 9),
        (4095, 4095, 4098),
        (7, 0, 8192),
    ] {
        (0..3 * FRAME).for_each(|at| set_byte(own + at, 0));
        check_eq!(fetch(offset, own + to, bytes), all(bytes), "from {offset} to {to}");
        let right = (0..3 * FRAME).all(|at| {
            let inside = (to..to + bytes).contains(&at);
            byte(own + at) == if inside { pattern(at - to + offset) } else { 0 }
        });
        check!(right, "{bytes} bytes from {offset} to {to}");
    }
    for (offset, from, bytes) in [(0, 1, 1), (1, 3, 6), (4090, 4094, 13), (2, 1, 8190)] {
        (0..3 * FRAME).for_each(|at| set_byte(AT + at, 0));
        (0..3 * FRAME).for_each(|at| set_byte(own + at, pattern(at)));
        check_eq!(store(offset, own + from, bytes), all(bytes), "from {from} to {offset}");
        let right = (0..3 * FRAME).all(|at| {
            let inside = (offset..offset + bytes).contains(&at);
            byte(AT + at) == if inside { pattern(at - offset + from) } else { 0 }
        });
        check!(right, "{bytes} bytes from {from} to {offset}");
    }
    client.finish();
}

/// The last pages of one 4 MiB and the first of the next: the window shows both.
pub fn edges() {
    let client = Client::new();
    let (shared, _own) = scene(&client);
    client.unmap(0, 3);
    client.map(&shared, 1022, Rights::WRITE);
    let own = pages::address(100);
    (0..3 * FRAME).for_each(|at| set_byte(AT + at, pattern(at)));
    client.call(&[range(DATA + BLOCK - 2 * FRAME, 3 * FRAME, true)]);
    for (offset, bytes) in
        [(0, 3 * FRAME), (2 * FRAME - 1, 2), (2 * FRAME - 5, 11), (2 * FRAME, 7), (FRAME, FRAME)]
    {
        (0..3 * FRAME).for_each(|at| set_byte(own + at, 0));
        check_eq!(fetch(offset, own, bytes), all(bytes));
        check!((0..bytes).all(|at| byte(own + at) == pattern(offset + at)), "{offset} {bytes}");
        (0..bytes).for_each(|at| set_byte(own + at, !pattern(offset + at)));
        check_eq!(store(offset, own, bytes), all(bytes));
        check!((0..bytes).all(|at| byte(AT + offset + at) == !pattern(offset + at)), "{offset} {bytes}");
        (0..3 * FRAME).for_each(|at| set_byte(AT + at, pattern(at)));
    }
    client.finish();
}

/// How often two MiB are copied.
const TIMES: u32 = 48;

/// Megabytes, while a thread above wakes at each tick: the copy is preempted, and still whole.
pub fn large() {
    fn metronome(_: u32) {
        let mut last = time::ticks();
        while board::get(30) == 0 {
            time::sleep(1);
            let now = time::ticks();
            board::set(31, board::get(31).max(now - last));
            board::add(32, 1);
            last = now;
        }
    }
    board::clear();
    let client = Client::new();
    // One frame behind 512 pages on this side, 512 frames on the other.
    let theirs = Frames::take(512, 1);
    let one = Frames::take(1, 1);
    client.map(&theirs, 256, Rights::WRITE);
    for page in 0..512 {
        let source = (one.container(), one.at(0));
        check_eq!(
            calls::update(&[pages::update(source, 1, CapName::NONE, AT / FRAME + page, Rights::WRITE, 0)]),
            Ok(())
        );
    }
    for word in 0..FRAME / 4 {
        pages::poke(AT + 4 * word, word.wrapping_mul(0x9E37_79B9) | 1);
    }
    let metronome = Worker::spawn(&Home::own(), ABOVE, metronome, 0);
    let bytes = 512 * FRAME;
    client.call(&[range(DATA + 256 * FRAME, bytes, true)]);
    let begin = time::ticks();
    for _ in 0..TIMES {
        check_eq!(store(0, AT, bytes), all(bytes));
    }
    let took = time::ticks() - begin;
    board::set(30, 1);
    check!(metronome.ends());
    check!(took >= 10, "{took} ticks are too few to mean anything");
    check!(board::get(31) <= 3, "a thread above waited {} ticks", board::get(31));
    check!(board::get(32) >= took / 2, "{} of {took} ticks", board::get(32));
    check!(calls::kernel_info(Kernel::MaxUnits).is_ok_and(|most| most <= UNITS));
    // Back, a page at a time, to where nothing is left of it.
    check_eq!(calls::unmap(CapName::NONE, AT / FRAME, 512), Ok(()));
    check_eq!(calls::reclaim(one.container(), one.at(0), 1), Ok(()));
    check_eq!(pages::map(&one, AT, Rights::WRITE, 0), Ok(()));
    let mut right = 0;
    for page in 0..512 {
        check_eq!(fetch(page * FRAME, AT, FRAME), all(FRAME));
        right += u32::from(
            (0..FRAME / 4).all(|word| pages::peek(AT + 4 * word) == word.wrapping_mul(0x9E37_79B9) | 1),
        );
    }
    check_eq!(right, 512);
    client.finish();
}
