//! The client as a probe: it touches memory that may not be there.

/// Order `[address]`: reads a word. Answer: `[word]`, or [`FAULTED`].
pub const READ: u16 = 0x110;
/// Order `[address, word]`: writes it. Answer: DONE, or [`FAULTED`].
pub const WRITE: u16 = 0x111;

/// Answer: the access faulted, and the pager let the client go on behind it.
pub const FAULTED: u16 = 16;
