//! The client: does what it is ordered to do, on [`ORDERS`].

/// Name of its endpoint.
pub const ORDERS: &str = "orders";
/// Where its source region begins.
pub const SOURCE: u32 = 0x4000_0000;

/// Order `[pages]`: supplies the Tables that the source region needs. Answer: `[entries of them in use]`.
pub const PREPARE: u16 = 1;
/// Order `[bytes]`: opens a session for so many bytes. Answer: `[session]`, and a capability to the two
/// frames that its worker stands on.
pub const OPEN: u16 = 2;
/// Order `[bytes]`: carries the source region's first bytes to the server. Answer: [`CARRIED`], or
/// [`super::transfer::ABORTED`] with its words, or FAILED if a call to the worker failed.
pub const TRANSFER: u16 = 3;
/// Order: closes the session and takes its frames back.
pub const CLOSE: u16 = 4;
/// Order: what the last [`TRANSFER`] came to, as its answer; REFUSED if none has ended.
pub const OUTCOME: u16 = 5;
/// Order: calls the server. Answer: its.
pub const PING: u16 = 6;

/// Answer: the digest's eight words, then how often the transfer was resumed.
pub const CARRIED: u16 = 16;
