//! Calls with strings, answered without; and a call answered with one.

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

use crate::designs::caller::Caller;
use crate::designs::partner;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Sample, Series, section, wanted};
use crate::stub;

/// Bytes of the strings.
const SIZES: [u32; 5] = [64, 256, 1024, 4096, 65536];
/// Pages of the largest.
const PAGES: u32 = 16;
/// Where the server has its buffer: in the block of a worker that there never is.
const BUFFER: u32 = BLOCKS + (WORKERS as u32 - 1) * BLOCK;
/// What a caller in another space calls the server.
const SERVER: CapName = CapName(16);
/// Rounds, the first not counted.
const ROUNDS: u32 = 100;

/// Answers with the bytes that arrived.
const PING: u16 = 0;
/// Answers with the sum of the buffer's first words, as many as the first word says.
const TOLD: u16 = 1;
/// Answers with a string, as many bytes of the buffer as the first word says.
const BACK: u16 = 2;

/// Bytes in four strings of one message, and of the string of an answer.
const PARTS: u32 = 4096;
const ANSWER: u32 = 1024;

/// `string.*`.
pub fn run() {
    let names = SIZES.map(|bytes| (format!("string.{bytes}"), bytes));
    let (parts, back) = (format!("string.parts.{PARTS}"), format!("string.back.{ANSWER}"));
    if !names.iter().any(|(name, _)| wanted(name)) && !wanted(&parts) && !wanted(&back) {
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
    if Caller::needed() {
        // It has the same frames where the server has its buffer.
        let caller = Caller::new(&[&home], &[(SERVER, endpoint.name())], call);
        let words = stub::words((here.container(), here.at(0)), PAGES, caller.space(), BUFFER / FRAME, 0);
        check_eq!(stub::update(words), stub::OK);
        for (name, bytes) in &names {
            measure(name, &[Part { address: pages::AT, bytes: *bytes }], endpoint.name(), Some(&caller));
        }
        return;
    }
    for (name, bytes) in names.iter().filter(|(name, _)| wanted(name)) {
        measure(name, &[Part { address: pages::AT, bytes: *bytes }], endpoint.name(), None);
    }
    let quarter = |index| Part { address: pages::AT + index * PARTS / 4, bytes: PARTS / 4 };
    // Also what is answered with.
    measure(&parts, &[quarter(0), quarter(1), quarter(2), quarter(3)], endpoint.name(), None);
    answered(&back, endpoint.name());
    check_eq!(worker.state(), State::Receiving);
}

/// A call with `strings`, which lie one behind the other.
fn measure(name: &str, strings: &[Part], endpoint: CapName, caller: Option<&Caller>) {
    let mut series = Series::new(name);
    let utcb = Utcb::current();
    utcb.set_strings(strings);
    let bytes: u32 = strings.iter().map(|part| part.bytes).sum();
    let tag = Tag::new(PING, 0).with_strings();
    utcb.within((FOREVER, FOREVER), || {
        for round in 0..=ROUNDS {
            poke(pages::AT, round);
            poke(pages::AT + bytes - 4, round * 3);
            series.add(match caller {
                None => send(endpoint, tag, bytes),
                Some(caller) => caller.sample(0, [bytes, 0]),
            });
            let words = bytes / 4;
            let (status, [_, _, sum, _]) =
                stub::call(Call::Call, [endpoint.0, Tag::new(TOLD, 1).0, words, 0]);
            let expected = (0..words).map(|word| peek(pages::AT + 4 * word)).fold(0, u32::wrapping_add);
            check_eq!((status, sum), (stub::OK, expected), "round {round}");
        }
    });
    series.finish();
}

#[inline(always)]
fn send(endpoint: CapName, tag: Tag, bytes: u32) -> Sample {
    let (sample, (status, [_, _, arrived, _])) =
        section(|| stub::call(Call::Call, [endpoint.0, tag.0, 0, 0]));
    check_eq!((status, arrived), (stub::OK, bytes));
    sample
}

/// The caller in another space: sends a string of so many bytes.
fn call(served: u32) {
    let tag = Tag::new(PING, 0).with_strings();
    partner::serve(served, |_, [bytes, _]| {
        Utcb::current().set_strings(&[Part { address: BUFFER, bytes }]);
        partner::leave(send(SERVER, tag, bytes));
        [0, 0]
    });
}

/// A call without strings that is answered with one: what the last call of [`measure`] brought there.
fn answered(name: &str, endpoint: CapName) {
    let mut series = Series::new(name);
    let utcb = Utcb::current();
    let buffer = pages::AT + 8 * FRAME;
    // SAFETY: pages mapped for this and used for nothing else.
    unsafe { utcb.set_buffers(&[Part { address: buffer, bytes: ANSWER }]) };
    let tag = Tag::new(BACK, 1);
    utcb.within((FOREVER, FOREVER), || {
        for round in 0..=ROUNDS {
            (0..ANSWER / 4).for_each(|word| poke(buffer + 4 * word, !0));
            let (sample, (status, _)) =
                section(|| stub::immediate_call(Call::Call, ACCEPT, [endpoint.0, tag.0, ANSWER, 0]));
            check_eq!((status, utcb.get(utcb::ARRIVED)), (stub::OK, ANSWER), "round {round}");
            series.add(sample);
            let same = |word| peek(buffer + 4 * word) == peek(pages::AT + 4 * word);
            check!((0..ANSWER / 4).all(same), "round {round}");
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
        let (tag, answer) = match Tag(tag).label() {
            PING => (Tag::new(0, 0), utcb.get(utcb::ARRIVED)),
            BACK => {
                utcb.set_strings(&[Part { address: BUFFER, bytes: first }]);
                (Tag::new(0, 0).with_strings(), 0)
            }
            _ => (Tag::new(0, 0), (0..first).map(|word| peek(BUFFER + 4 * word)).fold(0, u32::wrapping_add)),
        };
        received = enter(accept(Call::ReplyReceive), [SERVED.0, tag.0, answer, 0]);
    }
}
