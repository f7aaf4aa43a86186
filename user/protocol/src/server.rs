//! The server: computes SHA-256 over what the transfer service brings. It owns the slices.
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
/// Requests: service `[slice, bytes]`: the first bytes of the slice are a complete request. Answer: the
/// digest's eight words, first byte in the highest bits.
pub const COMPLETE: u16 = 2;
/// Requests: from anybody. Answer: `[requests completed]`.
pub const PING: u16 = 3;

/// Paging: service `[slice, page]`: a page is needed.
pub const FILL: u16 = 1;
/// Paging: service `[slice]`: the slice is not needed any more. Answer: `[frames that were in it]`, or
/// REFUSED while the server still reads it.
pub const RELEASE: u16 = 2;
/// Paging: order `[slice]`. Answer: `[pages filled so far, frames in it now, 1 if a fill is held]`.
pub const FILLS: u16 = 3;
/// Paging: order `[slice, count]`: fills `count` more pages, then answers no request for one.
pub const QUIET: u16 = 4;
/// Paging: order `[slice]`: deals with the request that is held, and is quiet no more.
pub const SPEAK: u16 = 5;
