//! A trace: events that the program notes about its own messages and pages, in its own memory, for whoever asks. It
//! is off until it is wanted; then an event costs a reading of the clock and five stores. Of a trace that is too
//! long, the first and the last events are kept.
//!
//! What must hold: no lock is taken, since pagers and whom they interrupt note events alike: each event has a
//! place of its own, taken in one step. What is read while somebody writes may be half of either.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use freehold_protocol::answer::DONE;
use freehold_protocol::trace::{EVENT_WORDS, EVENTS_MAX};

use crate::{Message, time};

/// First events that are kept; and last ones.
const HALF: u32 = 128;

static ON: AtomicBool = AtomicBool::new(false);
static NOTED: AtomicU32 = AtomicU32::new(0);
static PLACES: [[AtomicU32; EVENT_WORDS]; 2 * HALF as usize] =
    [const { [const { AtomicU32::new(0) }; EVENT_WORDS] }; 2 * HALF as usize];

/// Begins a trace, with nothing noted; or ends it.
pub fn watch(on: bool) {
    if on {
        NOTED.store(0, Relaxed);
    }
    ON.store(on, Relaxed);
}

/// Notes an event, one of [`freehold_protocol::trace`], if a trace is on.
#[inline]
pub fn note(what: u32, first: u32, second: u32) {
    if ON.load(Relaxed) {
        write(what, first, second);
    }
}

#[cold]
fn write(what: u32, first: u32, second: u32) {
    let clock = time::cycles();
    let place = place(NOTED.fetch_add(1, Relaxed));
    for (word, value) in place.iter().zip([clock as u32, (clock >> 32) as u32, what, first, second]) {
        word.store(value, Relaxed);
    }
}

/// Where an event of this number is kept.
fn place(number: u32) -> &'static [AtomicU32; EVENT_WORDS] {
    let index = if number < HALF { number } else { HALF + number % HALF };
    &PLACES[index as usize]
}

/// The answer to [`freehold_protocol::trace::EVENTS`].
pub fn events(first: u32) -> Message {
    let noted = NOTED.load(Relaxed);
    let mut message = Message::of(DONE, &[noted]);
    for number in (first..noted).take(EVENTS_MAX) {
        let gone = number >= HALF && noted - number > HALF;
        place(number).iter().for_each(|word| message.push(if gone { 0 } else { word.load(Relaxed) }));
    }
    message
}
