//! The server: computes over what the transfer service brings. It owns the slices.
//!
//! Two endpoints, a thread each: [`REQUESTS`], and [`PAGING`] for the pages of the slices. Badges: 0 orders,
//! [`SERVICE`], and below it the clients' numbers.

/// Name of the endpoint for requests, in the server and in the service.
pub const REQUESTS: &str = "requests";
/// Name of the endpoint of the server's own pager, in the server and in the service.
pub const PAGING: &str = "paging";
/// Name by which clients know the server.
pub const SERVER: &str = "server";
/// The transfer service's badge at both.
pub const SERVICE: u32 = 1 << 16;

/// Requests: order `[slices, tables]`: makes so many slices of so many Tables, empty, and hands them to the
/// transfer service.
pub const SETUP: u16 = 1;
/// Requests: service `[slice, bytes, op, first, second, room]`: the first bytes of the slice are a complete
/// request, and the client has room for a reply of `room` bytes. Answer, when the reply is in the slice:
/// `[status, bytes of the reply]`, or `[status, bytes, offset]` if the reply does not begin where the slice
/// does; REFUSED: no status. The slice is the session's until RELEASE; the server waits for nothing after
/// its answer.
pub const COMPLETE: u16 = 2;
/// Requests: from anybody. Answer: `[requests completed]`.
pub const PING: u16 = 3;
/// Requests: order `[slice]`: the next complete request in that slice is held: it is not answered, though it
/// counts as being worked on.
pub const HOLD: u16 = 4;
/// Requests: order `[slice]`: answers what is held. Answer: `[1 if something was]`.
pub const LET_GO: u16 = 5;
/// Requests: order `[slice]`. Answer: `[1 if something is held]`.
pub const HELD: u16 = 6;
/// Requests: order `[slice, milliseconds]`: with the next complete request in that slice the server dawdles,
/// having received it and not yet looked at it. Nothing else is served meanwhile.
pub const DAWDLE: u16 = 7;

/// Op of a request: its SHA-256, 32 bytes.
pub const DIGEST: u32 = 1;
/// Op: the request with `first` added to each byte.
pub const ADD: u32 = 2;
/// Op: `first` bytes, byte i being `second` + i / 4096 + i, modulo 256.
pub const MAKE: u32 = 3;

/// Status: it is done.
pub const OK: u32 = 0;
/// Status: there is no such op, or the reply is larger than the room for it.
pub const BAD_REQUEST: u32 = 1;

/// Paging: service `[slice, page]`: a page is needed.
pub const FILL: u16 = 1;
/// Paging: service `[slice]`: the slice is not needed any more. Answer: `[frames that were in it]`, or
/// REFUSED while the server still reads it.
pub const RELEASE: u16 = 2;
/// Paging: order `[slice]`. Answer: `[pages filled so far, frames in it now, 1 if a fill is held, how often
/// RELEASE was asked]`.
pub const FILLS: u16 = 3;
/// Paging: order `[slice, count]`: fills `count` more pages, then answers no request for one.
pub const QUIET: u16 = 4;
/// Paging: order `[slice]`: deals with what is held, and is quiet no more.
pub const SPEAK: u16 = 5;
/// Paging: order `[slice]`: from now on holds RELEASE, without an answer.
pub const HUSH: u16 = 6;
