//! The files server: a file system in memory. What it does to a byte is the same in whatever way the byte came.
//!
//! Three endpoints, a thread each: [`REQUESTS`], whose calls are those of `rt::buffer` (operation, two arguments,
//! a request of bytes, a reply of bytes), [`ORDERS`], and the transfer service's for pages
//! ([`super::server::PAGING`]). Badges at the orders: 0 the first program's, and
//! [`CALLER`]. Numbers in requests and replies are 32-bit words, least byte first.
//!
//! | path | what is there |
//! |---|---|
//! | `/data` | a file of [`DATA_BYTES`] bytes. At first word k (from 0) is k × [`SPREAD`], modulo 2³² |
//! | `/scratch` | a file of as many bytes, at first 0 |
//! | `/list-N`, N of [`LISTS`] | a directory of N files `file-00000` and so on, each holding its number in decimal |
//! | [`PATHS`] | a file for each of these lengths, at a path of so many bytes; it contains its own path |
//!
//! A path of n bytes is made of names of [`NAME`] bytes, each behind a `/`, the last one shorter if need be.
//! Byte i of it, where it is no `/`, is the letter `a` + (i + n) modulo 26, so that no two
//! of these paths have a directory in common.

/// Name of the endpoint for requests.
pub const REQUESTS: &str = "requests";
/// Name of the endpoint for orders.
pub const ORDERS: &str = "orders";
/// Name by which callers know the endpoint for requests.
pub const FILES: &str = "files";
/// Name by which callers know the endpoint for orders.
pub const FILES_ORDERS: &str = "files-orders";
/// Name by which callers know the endpoint for requests once more, under another badge.
pub const FILES_BESIDE: &str = "files-beside";
/// The caller's badge at both.
pub const CALLER: u32 = 1;
/// The badge of the caller's bystander.
pub const BYSTANDER: u32 = 2;

/// Bytes of `/data`.
pub const DATA_BYTES: u32 = 1 << 20;
/// Multiplied with the number of a word of `/data`: its first contents. Odd, so no two words are alike.
pub const SPREAD: u32 = 0x9E37_79B1;
/// Entries of the directories `/list-N`.
pub const LISTS: [u32; 3] = [10, 1_000, 10_000];
/// Lengths of the paths.
pub const PATHS: [u32; 5] = [8, 64, 255, 1_024, 4_096];
/// Bytes of a name in such a path.
pub const NAME: u32 = 15;

/// Request: a path. Reply: `[file, size, kind]`.
pub const OPEN: u16 = 1;
/// Arguments `[file, offset]`. Reply: the file's bytes from there, as many as there are and as there is room for.
pub const READ: u16 = 2;
/// Arguments `[file, offset]`. Request: bytes that take the place of the file's. A file does not grow.
pub const WRITE: u16 = 3;
/// Arguments `[directory, first entry]`. Reply: entries from there on, by name, as many as fit: size, kind
/// (16 bits), length of the name (16 bits), the name, zeroes up to a multiple of four bytes.
pub const LIST: u16 = 4;
/// Arguments `[strings of argv, strings of the environment]`. Request: the strings, each with a 0 behind it;
/// those of the environment contain a `=`. Reply: `[strings, digest of the request]`.
pub const EXECUTE: u16 = 5;
/// Request: `[file, mode]`, or `[file, ` and all words of its [`ATTRIBUTES`]`]`.
pub const SET: u16 = 6;
/// Arguments `[file, 0]`. Reply: its [`ATTRIBUTES`].
pub const GET: u16 = 7;
/// Arguments `[file, bytes]`. Reply: the digest of the file's first bytes.
pub const DIGEST: u16 = 8;
/// Nothing, either way: what a message costs.
pub const NOTHING: u16 = 9;

/// Words of a file's attributes: mode, owner, group, created, modified, accessed, flags.
pub const ATTRIBUTES: usize = 7;

/// Kind: a file.
pub const FILE: u32 = 1;
/// Kind: a directory.
pub const DIRECTORY: u32 = 2;

/// A digest begins with this; each word of the bytes (the last one filled up with zeroes) is put in by
/// exclusive or, then the digest is multiplied with [`DIGEST_FACTOR`], modulo 2³².
pub const DIGEST_BASIS: u32 = 0x811C_9DC5;
/// See [`DIGEST_BASIS`].
pub const DIGEST_FACTOR: u32 = 0x0100_0193;

/// Status: done.
pub const OK: u32 = 0;
/// Status: nothing has this path or number.
pub const NOT_FOUND: u32 = 1;
/// Status: it is a file where a directory is wanted, or the other way round.
pub const WRONG_KIND: u32 = 2;
/// Status: the request or its arguments cannot be understood.
pub const INVALID: u32 = 3;
/// Status: the reply has no room for what must be in it.
pub const NO_ROOM: u32 = 4;

// Orders; beside them, those of [`super::trace`].

/// Order `[1 or 0, bytes, bytes]`: the server's buffers are out of memory (1), or in it for a request and a reply of so
/// many bytes (0), when the answer comes; counts begin anew. Answer: `[pages that went]`.
pub const PREPARE: u16 = 1;
/// Order. Answer: what has happened since the last [`PREPARE`]: `[page faults, pages that came into memory, requests,
/// cycles of the work on them]`.
pub const COUNTS: u16 = 2;
