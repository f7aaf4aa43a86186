//! A thread that does what it is told, in any space, and the ways to give it pages.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::State;
use freehold_abi::layout::FRAME;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::check;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::peek;
use freehold_guest_tests::worker::{Options, Worker};
use freehold_rt::Utcb;
use freehold_rt::slots::Slot;

use crate::measure::Sample;
use crate::stub;

/// The partner, and the endpoint at which it hears.
#[derive(Debug)]
pub struct Partner {
    worker: Worker,
    endpoint: Slot,
}

impl Partner {
    /// Starts `serve` in `home`, whose argument is the name there of the endpoint, and waits until it waits. In another
    /// space that is the slot `name`.
    pub fn start(home: &Home, options: Options, name: CapName, serve: fn(u32)) -> Partner {
        let endpoint = endpoint();
        let name = match home.space() {
            CapName::NONE => endpoint.name(),
            _ => {
                home.give(name, endpoint.name(), Rights::RECEIVE, 0);
                name
            }
        };
        let worker = Worker::spawn(home, options, serve, name.0);
        check!(worker.reaches(State::Receiving));
        Partner { worker, endpoint }
    }

    /// The capability to send to it.
    pub fn name(&self) -> CapName {
        self.endpoint.name()
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.worker.state()
    }

    /// Tells it something of two words: the two of its answer.
    ///
    /// # Panics
    /// If it does not answer within a second.
    pub fn tell(&self, label: u16, words: [u32; 2]) -> [u32; 2] {
        let message = [self.name().0, Tag::new(label, 2).0, words[0], words[1]];
        let ask = || stub::call(Call::Call, message);
        let (status, [_, _, first, second]) = Utcb::current().within((1000, 1000), ask);
        assert!(status == stub::OK, "a partner's answer to {label}: {status}");
        [first, second]
    }
}

/// Receives at `served`, and answers each message with two words, for as long as there are messages.
#[inline(always)]
pub fn serve(served: u32, mut answer: impl FnMut(u16, [u32; 2]) -> [u32; 2]) {
    let mut received = stub::call(Call::Receive, [served, 0, 0, 0]);
    while let (stub::OK, [_, tag, first, second]) = received {
        let [first, second] = answer(Tag(tag).label(), [first, second]);
        received = stub::call(Call::ReplyReceive, [served, Tag::new(0, 0).0, first, second]);
    }
}

/// The sum of the first words of `count` pages from `address` on: who comes to it can use them all.
pub fn sum(address: u32, count: u32) -> u32 {
    (0..count).map(|page| peek(address + page * FRAME)).fold(0, u32::wrapping_add)
}

/// What the last section took that a partner timed.
static LAST: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// Leaves a sample for [`last`].
pub fn leave(sample: Sample) {
    for (word, value) in LAST.iter().zip([sample.instructions, sample.switches, sample.number]) {
        word.store(value, Ordering::Relaxed);
    }
}

/// What a partner left.
pub fn last() -> Sample {
    let [instructions, switches, number] = [0, 1, 2].map(|index: usize| LAST[index].load(Ordering::Relaxed));
    Sample { instructions, switches, number }
}
