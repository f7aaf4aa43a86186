//! The cells of the three tables of docs/calls.md, section 2.1, by the labels that they have there.
//!
//! What must hold: they are the cells that the document has; whoever tests a cell claims it, and the last part finds
//! all of them claimed.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_guest_tests::{check, check_eq};

const DOCUMENT: &str = include_str!("../../../../../docs/calls.md");

/// "What happens" (W), "a stopped transfer" (S), "else, in the middle" (M).
///
/// A W whose row names several causes has the words of one of them.
/// An S has the columns a, page missing at the sender, and b, at the receiver. An M has the party (s: sender or
/// replier, r: receiver or caller) and the exchange (q: a request, a: an answer).
const CELLS: [&str; 27] = [
    "W1",
    "W2",
    "W3",
    "W4",
    "W5",
    "W6 the pager drops the reply",
    "W6 is destroyed",
    "W6 no pager",
    "W6 UPCALL",
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

/// The cells of a row: its first two columns, and how many are behind them. A row with another label than a letter of
/// the three tables and a number is one cell, which nobody can claim.
fn cells_of(row: &str, what: &str, others: usize) -> Vec<String> {
    let causes: Vec<&str> = what.split("; ").flat_map(|causes| causes.split(", or ")).collect();
    match row.as_bytes()[0] {
        b'W' if causes.len() > 1 => causes.iter().map(|cause| format!("{row} {cause}")).collect(),
        b'S' => "abcdefgh".chars().take(others).map(|column| format!("{row}{column}")).collect(),
        // Whoever answers never waits, so no limit of its own passes.
        b'M' => ["sq", "rq", "sa", "ra"]
            .iter()
            .filter(|&&party| (row, party) != ("M1", "sa"))
            .map(|party| format!("{row}{party}"))
            .collect(),
        _ => vec![row.into()],
    }
}

/// The document's tables have these cells and no others.
pub fn documented() {
    let section =
        DOCUMENT.split("\n### 2.1 ").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or("");
    let mut found = Vec::new();
    for line in section.lines().filter(|line| line.starts_with('|')) {
        let columns: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_label = |word: &str| {
            word.len() > 1 && word.starts_with(char::is_alphabetic) && word.ends_with(char::is_numeric)
        };
        if is_label(columns[0]) {
            found.extend(cells_of(columns[0], columns[1], columns.len() - 2));
        }
    }
    check_eq!(found, CELLS);
}

/// Each has been claimed.
pub fn all_claimed() {
    for (cell, claimed) in CELLS.iter().zip(&CLAIMED) {
        check!(claimed.load(Ordering::Relaxed) == 1, "no test of {cell}");
    }
}
