//! The runs: which one, the kernel's command line says; and the parts of the tour, one after the other.
//! Each part makes its claims and leaves everything as it found it.

pub mod carried;
pub mod cast;
mod death;
mod file;
mod flood;
mod hello;
mod share;
mod stall;
mod strike;
pub mod troupe;
mod victim;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::black_box;

use freehold_rt::abi::info::FRAME_TYPES;
use freehold_rt::{Error, memory, println, records, serde_json, slots};

use crate::claims::Claims;
use crate::command;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::scenarios;
use crate::service;
use crate::services::Services;

/// A run: the word of the kernel's command line that names it, and what it does.
type Run = (&'static str, fn(&Services, &mut Claims));
/// All runs. The first one is for a command line that names none.
const RUNS: [Run; 4] =
    [("hello", hello::run), ("tour", tour), ("service", service::run), (scenarios::NAME, scenarios::run)];

/// A part of a run: what it is about, and what it does. A failure is that it could not be carried out.
pub type Part = (&'static str, fn(&Services, &mut Claims) -> Result<(), Failure>);
/// The parts of the tour. What comes last, that everything comes back, is [`run`]'s.
const PARTS: [Part; 5] = [
    ("Flood: a program maps one frame as often as it can", flood::run),
    ("Share and revoke: a Table of up to 1,024 frames, by one hook", share::run),
    ("A file through faults: neither the client's pages nor the server's are present", file::run),
    ("A client that stalls in the middle of a transfer", stall::run),
    ("Death in the middle of a transfer", death::run),
];

/// Runs what the command line names; returns its name.
pub fn run(services: &Services, claims: &mut Claims) -> &'static str {
    let named = RUNS.into_iter().find(|(name, _)| command::says(name));
    let (name, run) = named.unwrap_or(RUNS[0]);
    // The heap's first Table, which stays, is made before frames are counted; the compiler must not see
    // that nobody needs what is allocated here.
    drop(black_box(Box::new(0)));
    let before = State::now();
    run(services, claims);
    claims.equal("in the end all frames and slots are what they were", State::now(), before);
    name
}

/// Runs parts one after the other; each must leave everything as it found it.
pub fn run_parts(parts: &[Part], services: &Services, claims: &mut Claims) {
    for (number, (title, part)) in (1..).zip(parts) {
        println!("{number}. {title}");
        let before = State::now();
        if let Err(failure) = part(services, claims) {
            claims.holds(format_args!("it could be carried out: {failure:?}"), false);
        }
        claims.equal("all frames and slots are back", State::now(), before);
    }
}

/// The tour.
fn tour(services: &Services, claims: &mut Claims) {
    let first = State::now();
    run_parts(&PARTS, services, claims);
    println!("{}. Everything comes back", PARTS.len() + 1);
    let last = State::now();
    for (index, kind) in FRAME_TYPES.iter().enumerate() {
        let (before, after) = (first.frames.of(index), last.frames.of(index));
        claims.equal(format_args!("frames of type {kind}: {before}"), after, before);
    }
    claims.equal(format_args!("slots in use: {}", first.slots.0), last.slots, first.slots);
    claims.succeeds("the record of that", report(&first, &last));
}

fn report(before: &State, after: &State) -> Result<(), Error> {
    let by_type =
        |state: &State| -> Vec<u32> { (0..FRAME_TYPES.len()).map(|index| state.frames.of(index)).collect() };
    records::write(&serde_json::json!({
        "tour": "frames",
        "before": before.frames.data(),
        "after": after.frames.data(),
        "types": FRAME_TYPES,
        "before_by_type": by_type(before),
        "after_by_type": by_type(after),
        "slots_before": before.slots.0,
        "slots_after": after.slots.0,
    }))
}

/// What must be the same after everything.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    frames: Frames,
    free: u32,
    slots: (u32, u32),
}

impl State {
    /// As it is now.
    pub fn now() -> State {
        State { frames: Frames::now(), free: memory::free_frames(), slots: slots::used() }
    }
}
