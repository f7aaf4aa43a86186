//! Calls that a server answers.
//!
//! As the peers are measured: the caller's words stand in its UTCB before the section begins, and the server answers
//! out of registers. That they really arrived is asked of the server afterwards, which then reads them all. The
//! measurements called `ipc.read` hold everything: the caller writes its words, the server reads them and answers with
//! their sum.

use alloc::format;
use core::hint::black_box;

use freehold_abi::info::State;
use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::calls::call_short;
use freehold_rt::slots::Slot;

use crate::designs::caller::Caller;
use crate::designs::partner;
use crate::measure::{Sample, Series, section, wanted};
use crate::stub;

/// Rounds of a measurement, the first not counted.
pub const ROUNDS: u32 = 200;
/// A partner in an exchange of messages: beside the caller, as the shortest path wants it.
pub const BESIDE: Options = Options { priority: MAIN_PRIORITY, fpu: false, pager: CapName::NONE };
/// No limit to a wait, neither for the receiver nor for the answer: what every program's threads begin with.
const PATIENT: (u32, u32) = (FOREVER, FOREVER);
/// What a server receives from, in a space of its own.
pub const SERVED: CapName = CapName(8);
/// What a caller in another space calls the server.
const SERVER: CapName = CapName(16);

/// Answers at once, out of registers.
const PING: u16 = 0;
/// Answers with the sum of the words that the last message left in the UTCB, as many as the first word says.
const TOLD: u16 = 1;
/// Answers with the sum of this message's words.
const READ: u16 = 2;

/// `call.null`.
pub fn null() {
    let mut series = Series::new("call.null");
    for _ in 0..=ROUNDS {
        let (sample, status) = section(|| stub::status(Call::Null, [0; 4]));
        check_eq!(status, stub::OK);
        series.add(sample);
    }
    series.finish();
}

/// A server and the endpoint that it serves.
#[derive(Debug)]
pub struct Pair {
    /// The caller, if it is not this program.
    caller: Option<Caller>,
    worker: Worker,
    endpoint: Slot,
    /// The caller's.
    limits: (u32, u32),
    _home: Home,
}

impl Pair {
    /// Starts a server in a space of its own, or in this one, and waits until it waits.
    pub fn start(home: Home) -> Pair {
        Pair::with(home, BESIDE, PATIENT)
    }

    /// The same with another server, or a caller under `limits`.
    fn with(home: Home, options: Options, limits: (u32, u32)) -> Pair {
        let endpoint = endpoint();
        let name = match home.space() {
            CapName::NONE => endpoint.name(),
            _ => {
                home.give(SERVED, endpoint.name(), Rights::RECEIVE, 0);
                SERVED
            }
        };
        let worker = Worker::spawn(&home, options, serve, name.0);
        check!(worker.reaches(State::Receiving));
        let caller = Caller::needed().then(|| Caller::new(&[&home], &[(SERVER, endpoint.name())], call));
        Pair { caller, worker, endpoint, limits, _home: home }
    }

    /// Measures round trips with so many words; names are made from `name`.
    pub fn round_trips(&self, name: &str, words: u32) {
        let mut series = Series::new(name);
        Utcb::current().within(self.limits, || {
            for round in 0..=ROUNDS {
                series.add(self.round_trip(words, round));
            }
        });
        series.finish();
        check_eq!(self.worker.state(), State::Receiving);
    }

    fn round_trip(&self, words: u32, round: u32) -> Sample {
        match &self.caller {
            None => round_trip(self.endpoint.name(), words, round),
            Some(caller) => caller.sample(words as u16, [round, 0]),
        }
    }

    fn readings(&self, name: &str, words: u32) {
        let mut series = Series::new(name);
        let (endpoint, tag, utcb) = (self.endpoint.name(), Tag::new(READ, words), Utcb::current());
        utcb.within(self.limits, || {
            for round in 0..=ROUNDS {
                let (sample, answer) = section(|| {
                    for index in 3..=words {
                        utcb.set(MESSAGE + index as usize, index ^ round);
                    }
                    call_short(endpoint, tag, [1 ^ round, 2 ^ round])
                });
                let sum = (1..=words).map(|index| index ^ round).fold(0, u32::wrapping_add);
                check_eq!(answer, Ok((Tag::new(0, 0), [sum, words])), "round {round}");
                series.add(sample);
            }
        });
        series.finish();
    }
}

fn round_trip(endpoint: CapName, words: u32, round: u32) -> Sample {
    let tag = Tag::new(PING, words);
    let word = |index: u32| round * 1000 + index * 7;
    let utcb = Utcb::current();
    for index in 3..=words {
        utcb.set(MESSAGE + index as usize, word(index));
    }
    let message = black_box([endpoint.0, tag.0, word(1), word(2)]);
    let (sample, answer) = section(|| stub::call(Call::Call, message));
    check_eq!(answer, (stub::OK, [0, Tag::new(0, 0).0, word(1) + 1, word(2) + 1]), "round {round}");
    if words > 2 {
        // What the last message left stays until this message is longer, which it is not.
        let told = call_short(endpoint, Tag::new(TOLD, 2), [words, 0]);
        let sum = (3..=words).map(word).fold(0, u32::wrapping_add);
        check_eq!(told, Ok((Tag::new(0, 0), [sum, words])), "round {round}");
    }
    sample
}

/// The caller in another space: a round trip with as many words as the label says.
fn call(served: u32) {
    partner::serve(served, |words, [round, _]| {
        partner::leave(round_trip(SERVER, words.into(), round));
        [0, 0]
    });
}

/// `ipc.inter.*` and `ipc.read.*`.
pub fn between_spaces() {
    if !LENGTHS.iter().any(|&(words, _)| wants(words)) {
        return;
    }
    let pair = Pair::start(Home::new());
    for &(words, read) in LENGTHS {
        pair.round_trips(&format!("ipc.inter.{words}"), words);
        if read && pair.caller.is_none() {
            pair.readings(&format!("ipc.read.{words}"), words);
        }
    }
}

/// Words of the messages, and whether they are also read.
const LENGTHS: &[(u32, bool)] = &[(0, false), (4, true), (16, true), (62, true)];

fn wants(words: u32) -> bool {
    wanted(&format!("ipc.inter.{words}")) || wanted(&format!("ipc.read.{words}"))
}

/// `ipc.limited.0`, `ipc.above.0`: what goes the ordinary way.
pub fn without_short_paths() {
    let seconds = (1000, 1000);
    for (name, options, limits) in [("ipc.limited.0", BESIDE, seconds), ("ipc.above.0", ABOVE, PATIENT)] {
        if wanted(name) {
            Pair::with(Home::new(), options, limits).round_trips(name, 0);
        }
    }
}

/// `ipc.intra.0`.
pub fn within_a_space() {
    if wanted("ipc.intra.0") {
        Pair::start(Home::own()).round_trips("ipc.intra.0", 0);
    }
}

fn serve(endpoint: u32) {
    let answer =
        |words: [u32; 2]| stub::call(Call::ReplyReceive, [endpoint, Tag::new(0, 0).0, words[0], words[1]]);
    let mut received = stub::call(Call::Receive, [endpoint, 0, 0, 0]);
    while let (stub::OK, [_, tag, first, second]) = received {
        let tag = Tag(tag);
        received = match tag.label() {
            PING => answer([first.wrapping_add(1), second.wrapping_add(1)]),
            TOLD => answer([sum(first), first]),
            _ => answer([first.wrapping_add(second).wrapping_add(sum(tag.words())), tag.words()]),
        };
    }
}

/// The sum of the words of the UTCB from the third on.
#[inline]
fn sum(words: u32) -> u32 {
    let utcb = Utcb::current();
    let last = (words as usize).min(utcb::SEND_LIMIT - 1);
    (3..=last).map(|index| utcb.get(MESSAGE + index)).fold(0, u32::wrapping_add)
}
