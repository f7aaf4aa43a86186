//! The transfer service: carries requests from clients' memory into a server's slices, and replies back,
//! through page faults on every side. docs/transfer-service.md tells the whole of it.
//!
//! Its manager serves [`MANAGER`]. Each session has an endpoint of its own, which the client is given in the
//! answer to [`OPEN`] and which the session's worker serves. Badges at the manager: 0 orders, [`SERVER`],
//! [`WORKER`], and below them the clients': a number from 1 to [`CLIENT_NUMBERS`], and above it what their
//! workers' priority may be ([`CEILING_SHIFT`]).

/// Name of the manager's endpoint in the service; under `transfer` clients and server know it.
pub const MANAGER: &str = "manager";
/// Name, in the service, of the way by which workers reach the manager.
pub const SELF: &str = "self";
/// Name by which clients and the server know the manager.
pub const TRANSFER: &str = "transfer";
/// The server's badge at the manager.
pub const SERVER: u32 = 1 << 16;
/// The workers' badge at the manager.
pub const WORKER: u32 = 1 << 17;
/// A client's badge, these bits: its number. One number has one session at a time.
pub const CLIENT_NUMBERS: u32 = 0xFF;
/// A client's badge, from this bit on: 1 + the highest priority that its workers get; 0: that is for the
/// server to say. Whoever gives a client the capability knows the client's own priority. That is the client's *rank*, too: it
/// waits for no session of a client of a lower one.
pub const CEILING_SHIFT: u32 = 8;

/// Sessions, and slices, at most.
pub const SESSIONS_MAX: usize = 8;
/// Tables of a slice at most: 16 MiB.
pub const SLICE_TABLES_MAX: usize = 4;
/// Bytes that a slice has at most.
pub const BYTES_MAX: u32 = (SLICE_TABLES_MAX as u32) << 22;

/// Milliseconds that a session has, from when it is opened until its first transfer, and for each transfer
/// that follows a completed one (unless another client waits for its slice) ...
pub const TIME: u32 = 400;
/// ... and so many more for each page of the bytes that it was opened for.
pub const TIME_PER_PAGE: u32 = 1;
/// Milliseconds of a transfer that the server may take, for pages and for its answer, which do not count as the
/// session's. They are told by looking every [`PERIOD`] ms.
pub const SERVER_TIME: u32 = 2_000;
/// Milliseconds that the server's pager may take to release a slice, each time that it is asked.
pub const RELEASE_LIMIT: u32 = 100;
/// Milliseconds between two sessions of the same client: who asks earlier waits so long.
pub const PAUSE: u32 = 2;
/// Milliseconds between two looks of the manager's at its sessions: so late can their end be noticed.
pub const PERIOD: u32 = 20;
/// Clients that can wait for a session at a time.
pub const WAITING_MAX: usize = 16;

/// Client `[bytes, priority]` with one capability: a container, with Edit, of two free roots, on which the
/// worker will stand. Requests and replies will have at most so many bytes each. Answer: `[session]` and one
/// capability, to send to the worker. While no slice is free the client waits, in the order of rank and arrival;
/// REFUSED: no slice is so large, or too many wait. A session of the same client's that is open ends first.
pub const OPEN: u16 = 1;
/// Client: its session ends, or its waiting for one. Whoever waits for its worker learns PeerGone. Any thread
/// that may send here can say so: that is how a transfer is cancelled.
pub const CLOSE: u16 = 2;
/// Server `[slice, index, priority]` with one capability: a whole container with Write and Share, Table
/// `index` of that slice. Workers for it get this priority at most.
pub const SLICE: u16 = 3;
/// Worker `[session]`: the first piece of a transfer has come; the session's time begins anew. REFUSED: it is
/// not the session's first, and another client waits for its slice.
pub const BEGIN: u16 = 4;
/// Order. Answer: `[sessions that are open or not yet cleared away, slices, clients that wait]`.
pub const SESSIONS: u16 = 5;
/// Server `[slice]`: the session that has this slice ends. The manager asks for the slice's RELEASE later.
pub const CANCEL: u16 = 6;

/// Client to worker: `[offset, total, op, first, second, room]`, with the request declared as range
/// [`REQUEST`] and `room` bytes for the reply, writable, as range [`REPLY`]: carry the request, of `total`
/// bytes, from `offset` on. A transfer begins with offset 0 (then `op`, `first`, `second` and `room` are read,
/// which are for the server) and goes on where the last answer said. Answers: [`super::answer::DONE`]
/// `[status, bytes of the reply]`, when all of it is in the client's range; [`FAULTED`], [`REPLY_FAULTED`],
/// [`ABORTED`].
pub const PIECE: u16 = 1;
/// Client to worker: `[offset]`, with the same ranges: the server has answered; carry the reply from
/// `offset` on. Answers: as for [`PIECE`], but for FAULTED.
pub const REST: u16 = 2;
/// The range of a request.
pub const REQUEST: u32 = 0;
/// The range of a reply.
pub const REPLY: u32 = 1;
/// `[address, done]`: the client's page at that address, of its request, is missing. It makes it present,
/// and goes on by [`PIECE`] with offset `done`.
pub const FAULTED: u16 = 16;
/// `[reason, error]`: this transfer is over. A new one can begin, in what is left of the session's time.
pub const ABORTED: u16 = 17;
/// `[address, done]`: the client's page at that address, where its reply goes, is missing or cannot be
/// written. It makes it writable, and goes on by [`REST`] with offset `done`.
pub const REPLY_FAULTED: u16 = 18;

/// [`ABORTED`]: the piece does not continue the transfer, or is too large for the session.
pub const BAD_PIECE: u32 = 1;
/// [`ABORTED`]: it was resumed more often than a client needs that lets its pages be.
pub const RESUMED_TOO_OFTEN: u32 = 2;
/// [`ABORTED`]: the server's pages were filled more often than there are pages.
pub const FILLED_TOO_OFTEN: u32 = 3;
/// [`ABORTED`]: the server's pager, or the server, does not serve. The error says why (0: it refused).
pub const NO_SERVER: u32 = 4;
/// [`ABORTED`]: a range was not declared, or not so large, or not writable.
pub const BAD_RANGE: u32 = 5;
/// [`ABORTED`]: nothing was done: another client waits for the slice, and the session has had a transfer. A
/// new session has to be opened.
pub const OTHERS_WAIT: u32 = 6;
