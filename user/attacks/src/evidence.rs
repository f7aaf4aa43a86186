//! What an attacker saw with its own eyes. The referee looks from outside as well.

use alloc::string::String;

use freehold_protocol::attack::{BROKEN, HELD, IMPOSSIBLE, UNTRIED};

/// What came of an attack, as the attacker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Outcome {
    /// Nothing that it tried did what it must not.
    Held = HELD,
    /// Something did.
    Broken = BROKEN,
    /// The design has no such way in: there was nothing to try.
    Impossible = IMPOSSIBLE,
    /// It did not come so far: no memory, no slot, nobody to attack. Says nothing about the design.
    Untried = UNTRIED,
}

/// The report.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What came of it.
    pub outcome: Outcome,
    /// Times that it tried.
    pub tries: u32,
    /// Times that the kernel, or the service, let it have what it tried for. What an attack counts as a success need not be
    /// harm: its program says.
    pub successes: u32,
    /// In a few words what it saw: numbers, errors. At most [`DETAIL_MAX`] bytes are passed on.
    pub detail: String,
}

/// Bytes of detail that fit into the message to the referee.
pub const DETAIL_MAX: usize = 58 * 4;
