//! The transfer service: carries a client's memory to the server through page faults on either side.
//!
//! Its manager serves [`MANAGER`]. Each session has an endpoint of its own, which the client is given in the
//! answer to [`OPEN`] and which the session's worker serves. Badges at the manager: 0 orders, [`SERVER`],
//! [`WORKER`], and below them the clients' numbers.

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

/// Sessions, and slices, at most.
pub const SESSIONS_MAX: usize = 8;
/// Tables of a slice at most: 16 MiB.
pub const SLICE_TABLES_MAX: usize = 4;
/// Bytes that a session can carry at most.
pub const BYTES_MAX: u32 = (SLICE_TABLES_MAX as u32) << 22;

/// Milliseconds that a session has, from when it is opened until its first transfer, and for each transfer
/// that follows a completed one ...
pub const TIME: u32 = 400;
/// ... and so many more for each page of the bytes that it was opened for.
pub const TIME_PER_PAGE: u32 = 1;

/// Client `[bytes, priority]` with one capability: a container, with Edit, of two free roots, on which the
/// worker will stand. Transfers will have at most so many bytes. Answer: `[session]` and one capability, to
/// send to the worker. A session of the same client's that is open ends first.
pub const OPEN: u16 = 1;
/// Client: its session ends.
pub const CLOSE: u16 = 2;
/// Server `[slice, index]` with one capability: a whole container with Write and Share, Table `index` of that
/// slice.
pub const SLICE: u16 = 3;
/// Worker `[session]`: the first piece of a transfer has come; the session's time begins anew.
pub const BEGIN: u16 = 4;
/// Order. Answer: `[sessions that are open or not yet cleared away, slices]`.
pub const SESSIONS: u16 = 5;

/// Client to worker, with one range declared: `[offset, total]`: carry the range, of `total` bytes, from
/// `offset` on. A transfer begins with offset 0 and goes on where the last answer said. Answers:
/// [`super::answer::DONE`] with what the server replied (eight words), [`FAULTED`], [`ABORTED`].
pub const PIECE: u16 = 1;
/// `[address, done]`: the client's page at that address is missing. It makes it present, and goes on with
/// offset `done`.
pub const FAULTED: u16 = 16;
/// `[reason, error]`: this transfer is over. A new one can begin, in what is left of the session's time.
pub const ABORTED: u16 = 17;

/// [`ABORTED`]: the piece does not continue the transfer, or is too large for the session.
pub const BAD_PIECE: u32 = 1;
/// [`ABORTED`]: it was resumed more often than a client needs that lets its pages be.
pub const RESUMED_TOO_OFTEN: u32 = 2;
/// [`ABORTED`]: the server's pages were filled more often than there are pages.
pub const FILLED_TOO_OFTEN: u32 = 3;
/// [`ABORTED`]: the server's pager, or the server, does not serve. The error says why (0: it refused).
pub const NO_SERVER: u32 = 4;
/// [`ABORTED`]: the range could not be copied from.
pub const BAD_RANGE: u32 = 5;
