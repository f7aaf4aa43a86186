//! Strings from and to memory that is paged.

use alloc::vec;

use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Broken};
use freehold_rt::pager::{self, Mode, Region};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Utcb};

use crate::scene::{BY_THREAD, Paged, Scene, page};

/// Board words: the endpoint; addresses of what is sent, what is received; bytes; attempts, and those that were stopped.
const MEETING: usize = 0;
const FROM: usize = 1;
const TO: usize = 2;
const BYTES: usize = 3;
const ATTEMPTS: usize = 4;
const BROKEN: usize = 5;

fn meeting() -> CapName {
    CapName(board::get(MEETING))
}

fn part(word: usize) -> Part {
    Part { address: board::get(word), bytes: board::get(BYTES) }
}

fn fill(part: Part, seed: u32) {
    (0..part.bytes / 4).for_each(|word| poke(part.address + 4 * word, word.wrapping_mul(seed) | 1));
}

fn holds(part: Part, seed: u32) -> bool {
    (0..part.bytes / 4).all(|word| peek(part.address + 4 * word) == word.wrapping_mul(seed) | 1)
}

/// Both sides wait for the pagers of both, for ever.
fn wait_for_faults() -> Utcb {
    let utcb = Utcb::current();
    utcb.set_send_faults(FOREVER, FOREVER);
    utcb.set_receive_faults(FOREVER, FOREVER);
    utcb
}

fn accept(utcb: Utcb, part: Part) {
    // SAFETY: no Rust code relies on what lies there.
    unsafe { utcb.set_buffers(&[part]) }
}

/// Calls with strings; the answer brings them back into the same memory.
fn client(_: u32) {
    let (utcb, part) = (wait_for_faults(), part(FROM));
    fill(part, 0x9E37_79B9);
    pager::evict(part.address, part.bytes);
    utcb.set_strings(&[part]);
    accept(utcb, part);
    let answer = calls::call_strings(meeting(), &Message::new(5).with_strings(), true);
    check_eq!(answer.map(|(message, bytes)| (message.label(), bytes)), Ok((6, part.bytes)));
    check!(holds(part, 0x85EB_CA6B), "the answer");
}

/// Receives them, changes all, sends them back.
fn server(_: u32) {
    let (utcb, part) = (wait_for_faults(), part(TO));
    fill(part, 3);
    pager::evict(part.address, part.bytes);
    accept(utcb, part);
    let got = calls::receive_strings(meeting());
    check_eq!(got.map(|(got, bytes)| (got.message.label(), bytes)), Ok((5, part.bytes)));
    check!(holds(part, 0x9E37_79B9), "the request");
    fill(part, 0x85EB_CA6B);
    pager::evict(part.address, part.bytes);
    utcb.set_strings(&[part]);
    check_eq!(calls::reply_strings(None, &Message::new(6).with_strings()), Ok(()));
}

/// Messages larger than all frames together, with pages missing at the sender, at the receiver, at both; whichever
/// of the two comes first.
pub fn waits() {
    const PAGES: u32 = 16;
    let scene = Scene::new(BY_THREAD, 6, 64, 0);
    let region = Region::new(page(0), 64).expect("a region");
    let wired = (vec![0u32; (PAGES * FRAME / 4) as usize], vec![0u32; (PAGES * FRAME / 4) as usize]);
    let wired = (wired.0.as_ptr() as u32, wired.1.as_ptr() as u32, wired);
    for (from, to) in [(page(0), wired.1), (wired.0, page(40)), (page(0) + 20, page(40) + 1000)] {
        for server_first in [false, true] {
            board::clear();
            let endpoint = endpoint();
            let words = [(MEETING, endpoint.name().0), (FROM, from), (TO, to), (BYTES, PAGES * FRAME)];
            words.into_iter().for_each(|(word, value)| board::set(word, value));
            let before = scene.statistics().faults;
            let pair = if server_first {
                let server = Paged::spawn(server, 0);
                (Paged::spawn(client, 0), server)
            } else {
                (Paged::spawn(client, 0), Paged::spawn(server, 0))
            };
            check!(pair.0.ends() && pair.1.ends(), "{from:#x} {to:#x}");
            check!(scene.statistics().faults - before > PAGES, "{from:#x} {to:#x}");
        }
    }
    drop(region);
}

fn note(broken: Broken, part: Part) {
    board::add(BROKEN, 1);
    let inside = (part.address..part.address + part.bytes).contains(&broken.address);
    match broken.error {
        Error::FaultMine => {
            check!(inside, "{broken:?}");
            check_eq!(pager::touch(part.address, part.bytes), Ok(()));
        }
        error => drop(check_eq!(error, Error::FaultTheirs)),
    }
}

fn send_until_done(rounds: u32) {
    let (utcb, part) = (Utcb::current(), part(FROM));
    for round in 0..rounds {
        fill(part, 99 + 2 * round);
        pager::evict(part.address, part.bytes);
        utcb.set_strings(&[part]);
        board::add(ATTEMPTS, 1);
        while let Err(broken) = calls::send_strings(meeting(), &Message::new(1).with_strings()) {
            note(broken, part);
            board::add(ATTEMPTS, 1);
        }
    }
}

fn receive_until_done(rounds: u32) {
    let (utcb, part) = (Utcb::current(), part(TO));
    for round in 0..rounds {
        pager::evict(part.address, part.bytes);
        accept(utcb, part);
        let bytes = loop {
            match calls::receive_strings(meeting()) {
                Ok((_, bytes)) => break bytes,
                Err(broken) => note(broken, part),
            }
        };
        check!(bytes == part.bytes && holds(part, 99 + 2 * round), "round {round}");
    }
}

/// With upcalls nobody can be waited for: a transfer is stopped, the side that lacked pages touches them, and the
/// message is sent again.
pub fn touched() {
    const PAGES: u32 = 7;
    board::clear();
    let scene = Scene::new(Mode::Upcall, 20, 64, 0);
    let region = Region::new(page(0), 64).expect("a region");
    let endpoint = endpoint();
    let words =
        [(MEETING, endpoint.name().0), (FROM, page(0) + 8), (TO, page(40) + 444), (BYTES, PAGES * FRAME)];
    words.into_iter().for_each(|(word, value)| board::set(word, value));
    let pair = (Paged::spawn(send_until_done, 10), Paged::spawn(receive_until_done, 10));
    check!(pair.0.ends() && pair.1.ends());
    // Each message: the sender's pages were missing, then the receiver's, of which both hear.
    check_eq!((board::get(ATTEMPTS), board::get(BROKEN)), (30, 30));
    check_eq!(scene.statistics().pinned_most, 0);
    drop(pair);
    drop(region);
}

/// Uses so many other pages that all that is not pinned is evicted.
fn press(round: u32) {
    (0..16).for_each(|at| poke(page(48 + at), round));
}

fn send_wired(rounds: u32) {
    let (utcb, part) = (Utcb::current(), part(FROM));
    for round in 0..rounds {
        fill(part, 99 + 2 * round);
        let guard = pager::pin(part.address, part.bytes).expect("pinned");
        press(round);
        utcb.set_strings(&[part]);
        check_eq!(calls::send_strings(meeting(), &Message::new(1).with_strings()), Ok(()));
        drop(guard);
    }
}

fn receive_wired(rounds: u32) {
    let (utcb, part) = (Utcb::current(), part(TO));
    for round in 0..rounds {
        let guard = pager::pin(part.address, part.bytes).expect("pinned");
        press(round);
        accept(utcb, part);
        let got = calls::receive_strings(meeting());
        check_eq!(got.map(|(_, bytes)| bytes), Ok(part.bytes));
        drop(guard);
        check!(holds(part, 99 + 2 * round), "round {round}");
    }
}

/// Policy abort on both sides, and all that is not pinned is evicted: pinned memory is never missing.
pub fn wired() {
    board::clear();
    let scene = Scene::new(Mode::Upcall, 20, 64, 16);
    let region = Region::new(page(0), 64).expect("a region");
    let endpoint = endpoint();
    let words = [(MEETING, endpoint.name().0), (FROM, page(0) + 8), (TO, page(32) + 444), (BYTES, 7 * FRAME)];
    words.into_iter().for_each(|(word, value)| board::set(word, value));
    let pair = (Paged::spawn(send_wired, 30), Paged::spawn(receive_wired, 30));
    check!(pair.0.ends() && pair.1.ends());
    let statistics = scene.statistics();
    check_eq!((statistics.pinned, statistics.pinned_most), (0, 16));
    check!(statistics.evictions > 500, "{statistics:?}");
    drop(pair);
    drop(region);
}
