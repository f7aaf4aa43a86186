//! A server's answers to a good client while others stall in the middle of their transfers: `stall.K.POLICY`.
//!
//! The server takes requests with strings and answers with strings. A client that stalls sends memory that is never there,
//! or wants the answer in such memory, and has a pager that never answers; it wants to be waited for, and calls again
//! whenever it is not. Its priority is lower than the server's and the good client's, so that it takes from them nothing but
//! the server.
//!
//! | policy | the server waits, for pages of its own and of its clients |
//! |---|---|
//! | `two-sided` | as long as it takes; not at all |
//! | `one-timeout` | both for the same time: L4 X.2's transfer timeout, which cannot tell the sides apart |
//! | `wait` | both as long as it takes |

use alloc::format;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, CapName, Error, Rights, Tag, error};
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::Frames;
use freehold_guest_tests::worker::{BELOW, Options, WORKERS, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::layout::BLOCK;
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;
use freehold_rt::{Utcb, time};

use super::partner::{self, Partner};
use super::trust::Distrust;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{plain, section, wanted};
use crate::{seed, stub};

/// Clients that stall.
const COUNTS: [u32; 4] = [0, 1, 4, 16];
/// Milliseconds of the one timeout.
const TIMEOUT: u32 = 10;
/// For how long the server waits: for its own pages, and for its clients'.
const POLICIES: [(&str, u32, u32); 3] =
    [("two-sided", FOREVER, 0), ("one-timeout", TIMEOUT, TIMEOUT), ("wait", FOREVER, FOREVER)];
/// Milliseconds after which the good client gives an answer up.
const PATIENCE: u32 = 300;
const ROUNDS: u32 = 10;

/// Bytes of the good client's requests, and of those that stall.
const BYTES: u32 = 1024;
/// Where each party has its memory, or has none: in the block of a worker that there never is.
const HERE: u32 = BLOCKS + (WORKERS as u32 - 1) * BLOCK;

/// The clients' names for the server and for their pager.
const SERVER: CapName = CapName(16);
const PAGER: CapName = CapName(17);
/// Wants an answer with a string.
const BACK: u16 = 1;

/// What the server waits for; how often a client was not waited for.
static MINE: AtomicU32 = AtomicU32::new(0);
static OTHER: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);

/// `stall.*.*`.
pub fn run() {
    for (policy, mine, other) in POLICIES {
        for count in COUNTS {
            let name = format!("stall.{count}.{policy}");
            if wanted(&name) {
                MINE.store(mine, Ordering::Relaxed);
                OTHER.store(other, Ordering::Relaxed);
                measure(&name, count, other);
            }
        }
    }
}

/// A space with a page at [`HERE`], if it is to have one.
struct Party {
    home: Home,
    _memory: Option<Frames>,
}

impl Party {
    fn new(has_memory: bool) -> Party {
        let home = Home::new();
        let memory = has_memory.then(|| {
            let frames = Frames::take(1, 1);
            let source = (frames.container(), frames.at(0));
            check_eq!(stub::update(stub::words(source, 1, home.space(), HERE / FRAME, 0)), stub::OK);
            frames
        });
        Party { home, _memory: memory }
    }

    fn space(&self) -> CapName {
        self.home.space()
    }
}

fn measure(name: &str, count: u32, other: u32) {
    let [server, good, bad] = [true, true, false].map(Party::new);
    let serving = Partner::start(&server.home, BESIDE, SERVED, serve);
    good.home.give(SERVER, serving.name(), Rights::SEND, 0);
    bad.home.give(SERVER, serving.name(), Rights::SEND, 0);
    // Nobody receives there.
    let pager: Slot = endpoint();
    bad.home.give(PAGER, pager.name(), Rights::SEND, 0);
    let client = Partner::start(&good.home, BESIDE, SERVED, ask);
    let distrust = Distrust::of(&[server.space(), good.space(), bad.space()]);
    REFUSED.store(0, Ordering::Relaxed);
    let options = Options { pager: PAGER, ..BELOW };
    let stalling: Vec<Worker> =
        (0..count).map(|number| Worker::spawn(&bad.home, options, stall, number)).collect();
    let (mut times, mut timeouts) = (Vec::with_capacity(ROUNDS as usize), 0);
    for _ in 0..ROUNDS {
        // Meanwhile the others come to the server.
        time::sleep(2 + seed::jitter(TIMEOUT));
        let [status, arrived] = client.tell(0, [0, 0]);
        match status {
            stub::OK => {
                check_eq!(arrived, BYTES);
            }
            _ => {
                check_eq!(error::status(status), Err(Error::Timeout), "{name}");
                timeouts += 1;
            }
        }
        times.push(partner::last().instructions);
    }
    let stalls = serving.state() == State::Transferring;
    let refused = REFUSED.load(Ordering::Relaxed);
    check!(count == 0 || if other == FOREVER { stalls } else { refused > 0 }, "{name}: nobody stalls");
    plain(name, "instructions", &mut times, Some(timeouts));
    drop((stalling, distrust));
}

/// The server: answers with the bytes that arrived, or with a string.
fn serve(served: u32) {
    let utcb = Utcb::current();
    let (mine, other) = (MINE.load(Ordering::Relaxed), OTHER.load(Ordering::Relaxed));
    utcb.set_send_faults(mine, other);
    utcb.set_receive_faults(mine, other);
    let page = [Part { address: HERE, bytes: BYTES }];
    utcb.set_strings(&page);
    // SAFETY: a page mapped for this and used for nothing else.
    unsafe { utcb.set_buffers(&page) };
    let accept = |call: Call| call as u32 | ACCEPT << 8;
    let mut received = enter(accept(Call::Receive), [served, 0, 0, 0]);
    loop {
        received = match received {
            (stub::OK, [_, tag, ..]) if Tag(tag).label() == BACK => {
                enter(accept(Call::ReplyReceive), [served, Tag::new(0, 0).with_strings().0, 0, 0])
            }
            (stub::OK, _) => {
                let arrived = utcb.get(utcb::ARRIVED);
                enter(accept(Call::ReplyReceive), [served, Tag::new(0, 0).0, arrived, 0])
            }
            // The answer did not get through.
            _ => enter(accept(Call::Receive), [served, 0, 0, 0]),
        }
    }
}

/// The good client: asks when it is told to; the status, and what of the request arrived.
fn ask(served: u32) {
    let utcb = Utcb::current();
    utcb.set_strings(&[Part { address: HERE, bytes: BYTES }]);
    partner::serve(served, |_, _| {
        let message = [SERVER.0, Tag::new(0, 0).with_strings().0, 0, 0];
        let limits = utcb.set_limits((PATIENCE, PATIENCE));
        let (sample, (status, [_, _, arrived, _])) = section(|| stub::call(Call::Call, message));
        utcb.set_limits(limits);
        partner::leave(sample);
        [status, arrived]
    });
}

/// A client that stalls, every second one in the answer.
fn stall(number: u32) {
    let utcb = Utcb::current();
    utcb.set_send_faults(FOREVER, FOREVER);
    utcb.set_receive_faults(FOREVER, FOREVER);
    let page = [Part { address: HERE, bytes: BYTES }];
    utcb.set_strings(&page);
    // SAFETY: there is nothing.
    unsafe { utcb.set_buffers(&page) };
    let request = if number.is_multiple_of(2) { Tag::new(0, 0).with_strings() } else { Tag::new(BACK, 0) };
    loop {
        let (status, _) = stub::immediate_call(Call::Call, ACCEPT, [SERVER.0, request.0, 0, 0]);
        if status != stub::OK {
            REFUSED.fetch_add(1, Ordering::Relaxed);
        }
    }
}
