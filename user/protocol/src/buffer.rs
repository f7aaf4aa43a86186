//! Calls that carry buffers, in each of the six ways of `rt::buffer`: a request of any size to the server, a
//! reply of any size to the client.
//!
//! Every request is a call. *Head* stands for the words `[op | ticket << 16, arg0, arg1, bytes, room]`: what is
//! asked, the client's number of this call, bytes of the request, bytes that the client has room for. The
//! ticket tells a call's later messages from those of any other call of the same client. What the server
//! has of a call it can drop whenever it likes: the answers then say so. (The sixth way's messages are those
//! of [`crate::transfer`], and its server hears [`crate::server::COMPLETE`].)

/// Words of a head.
pub const HEAD_WORDS: usize = 5;

/// Registers: `head`, then the request's first bytes, as many as fit. Answers: [`MORE`] or [`super::answer::DONE`].
pub const PUT: u16 = 0x40;
/// Registers: `[ticket, offset]`, then the request's bytes from there on. Answers as [`PUT`].
pub const PUT_ON: u16 = 0x41;
/// Registers: `[ticket, offset]`: the reply's bytes from there on. Answer: DONE.
pub const GET: u16 = 0x42;
/// Strings: `head`; the request is the message's strings, the reply that of the answer. Answer: DONE.
pub const STRING: u16 = 0x43;
/// Strings: `[ticket, offset]`: the reply's bytes from there on, as strings. Answer: DONE.
pub const REST: u16 = 0x44;
/// Pull: `head`, `offset`; range 0 is the request, range 1 the room for the reply. The server copies from
/// `offset` on. Answers: DONE, with the reply in its range; [`FAULTED`], [`STOPPED`], [`MORE`].
pub const PULL: u16 = 0x45;
/// Pull: `[ticket, offset]`, with the ranges as before: the reply from there on. Answers: DONE, [`STOPPED`].
pub const TAKE: u16 = 0x46;
/// Container: `head`, `request`, `reply`, with one capability, a container over the whole of a Table with Share,
/// and Write if there is room: the two buffers lie so many bytes behind its beginning. Answer: DONE.
pub const HOOK: u16 = 0x47;

/// Container, under the designs with a pool: as [`HOOK`], but the message has a map item, whose pages come to lie in the
/// server's window as far behind its beginning as they lie behind that of a block of 4 MiB at the client. Answer: DONE.
pub const LEND: u16 = 0x50;

// Answers. DONE: `[status, bytes]`, what the handler said and the bytes of the whole reply; if they travel in
// registers, from MR 3 on. A second word that an answer does not name means nothing.

/// `[have]`: the server has the request's first `have` bytes, and expects those behind them.
pub const MORE: u16 = 0x48;
/// `[address, have]`: the client's page at that address is missing; the server has the first `have` bytes.
pub const FAULTED: u16 = 0x49;
/// `[address, done]`: likewise, of the reply, of which the client has `done` bytes now.
pub const STOPPED: u16 = 0x4A;
/// The server does not trust this client as far as this way needs.
pub const DISTRUST: u16 = 0x4B;
/// `[bytes]`: the request is larger than the server's buffers, which have so many bytes.
pub const TOO_LARGE: u16 = 0x4C;
/// The server no longer keeps what there was of this call: it may have been carried out.
pub const LOST: u16 = 0x4D;
/// The server has seen no such call.
pub const UNKNOWN: u16 = 0x4E;
/// `[error]`: the message is not one of these, contradicts itself, or the kernel refused what it asks (else 0).
pub const BAD: u16 = 0x4F;
