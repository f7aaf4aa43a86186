//! The cells of the three tables of docs/calls.md, section 2.1, by the labels that they have there.
//!
//! What must hold: whoever tests a cell claims it, and the last part finds all of them claimed.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_guest_tests::check;

/// "What happens" (W), "a stopped transfer" (S), "else, in the middle" (M).
///
/// An S has the columns a, page missing at the sender, and b, at the receiver. An M has the party (s: sender or
/// replier, r: receiver or caller) and the exchange (q: a request, a: an answer).
const CELLS: [&str; 27] = [
    "W1",
    "W2",
    "W3",
    "W4",
    "W5",
    "W6 drops",
    "W6 destroyed",
    "W6 none",
    "W6 upcall",
    "W7",
    "W8",
    "W9",
    "S1a",
    "S1b",
    "S2a",
    "S2b",
    "M1sq",
    "M1rq",
    "M1ra",
    "M2sq",
    "M2rq",
    "M2sa",
    "M2ra",
    "M3sq",
    "M3rq",
    "M3sa",
    "M3ra",
];

static CLAIMED: [AtomicU32; CELLS.len()] = [const { AtomicU32::new(0) }; CELLS.len()];

/// A test of that cell is being made.
pub fn claim(label: &str) {
    let index = CELLS.iter().position(|cell| *cell == label).expect("a label of the tables");
    CLAIMED[index].store(1, Ordering::Relaxed);
}

/// Each has been claimed.
pub fn all_claimed() {
    for (cell, claimed) in CELLS.iter().zip(&CLAIMED) {
        check!(claimed.load(Ordering::Relaxed) == 1, "no test of {cell}");
    }
}
