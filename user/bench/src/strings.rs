//! Calls with a string, answered without.

use alloc::format;

use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{WORKERS, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::call::enter;
use freehold_rt::layout::BLOCK;
use freehold_rt::utcb::Part;

use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Series, section, wanted};
use crate::stub;

/// Bytes of the strings.
const SIZES: [u32; 5] = [64, 256, 1024, 4096, 65536];
/// Pages of the largest.
const PAGES: u32 = 16;
/// Where the server has its buffer: in the block of a worker that there never is.
const BUFFER: u32 = BLOCKS + (WORKERS as u32 - 1) * BLOCK;
/// Rounds, the first not counted.
const ROUNDS: u32 = 100;

/// Answers with the bytes that arrived.
const PING: u16 = 0;
/// Answers with the sum of the buffer's first words, as many as the first word says.
const TOLD: u16 = 1;

/// `string.*`.
pub fn run() {
    let names = SIZES.map(|bytes| (format!("string.{bytes}"), bytes));
    if !names.iter().any(|(name, _)| wanted(name)) {
        return;
    }
    let home = Home::new();
    let (here, there) = (Frames::take(PAGES, 1), Frames::take(PAGES, 1));
    check_eq!(pages::map(&here, pages::AT, Rights::WRITE, 0), Ok(()));
    let source = (there.container(), there.at(0));
    let words = stub::words(source, PAGES, home.space(), BUFFER / FRAME, 0);
    check_eq!(stub::update(words), stub::OK);
    let endpoint = endpoint();
    home.give(SERVED, endpoint.name(), Rights::RECEIVE, 0);
    let worker = Worker::spawn(&home, BESIDE, serve, 0);
    check!(worker.reaches(State::Receiving));
    for (name, bytes) in &names {
        measure(name, *bytes, endpoint.name());
    }
    check_eq!(worker.state(), State::Receiving);
}

fn measure(name: &str, bytes: u32, endpoint: CapName) {
    let mut series = Series::new(name);
    let utcb = Utcb::current();
    utcb.set_strings(&[Part { address: pages::AT, bytes }]);
    let tag = Tag::new(PING, 0).with_strings();
    utcb.within((FOREVER, FOREVER), || {
        for round in 0..=ROUNDS {
            poke(pages::AT, round);
            poke(pages::AT + bytes - 4, round * 3);
            let (sample, (status, [_, _, arrived, _])) =
                section(|| stub::call(Call::Call, [endpoint.0, tag.0, 0, 0]));
            check_eq!((status, arrived), (stub::OK, bytes), "round {round}");
            series.add(sample);
            let words = bytes / 4;
            let (status, [_, _, sum, _]) =
                stub::call(Call::Call, [endpoint.0, Tag::new(TOLD, 1).0, words, 0]);
            let expected = (0..words).map(|word| peek(pages::AT + 4 * word)).fold(0, u32::wrapping_add);
            check_eq!((status, sum), (stub::OK, expected), "round {round}");
        }
    });
    series.finish();
}

fn serve(_: u32) {
    let utcb = Utcb::current();
    // SAFETY: pages mapped for this and used for nothing else.
    unsafe { utcb.set_buffers(&[Part { address: BUFFER, bytes: PAGES * FRAME }]) };
    let accept = |call: Call| call as u32 | ACCEPT << 8;
    let mut received = enter(accept(Call::Receive), [SERVED.0, 0, 0, 0]);
    while let (stub::OK, [_, tag, first, _]) = received {
        let answer = match Tag(tag).label() {
            PING => utcb.get(utcb::ARRIVED),
            _ => (0..first).map(|word| peek(BUFFER + 4 * word)).fold(0, u32::wrapping_add),
        };
        received = enter(accept(Call::ReplyReceive), [SERVED.0, Tag::new(0, 0).0, answer, 0]);
    }
}
