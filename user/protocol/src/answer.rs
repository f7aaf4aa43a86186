//! Labels of answers that every program gives.

/// It is done. Words: as the message says.
pub const DONE: u16 = 0;
/// Not understood, not allowed to this sender, or not now.
pub const REFUSED: u16 = 1;
/// The kernel refused something on the way: `[number of the error]`.
pub const FAILED: u16 = 2;
/// The program has no memory, or no slot for a capability, left.
pub const EXHAUSTED: u16 = 3;
