//! What the manager tells workers, and where workers live.
//!
//! What must hold: the manager writes a session's line only while the session has no worker.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_protocol::transfer::{BYTES_MAX, SESSIONS_MAX};
use freehold_rt::abi::layout::BLOCK as TABLE_BYTES;
use freehold_rt::layout::{self, OWN};
use freehold_rt::{CapName, Utcb};

/// Where the workers' blocks of addresses begin.
pub const WORKERS: u32 = OWN;
/// Where the slices begin, one every [`BYTES_MAX`].
pub const SLICES: u32 = OWN + TABLE_BYTES * 16;

const _: () = assert!(SESSIONS_MAX as u32 * layout::BLOCK <= TABLE_BYTES);
const _: () = assert!(WORKERS.is_multiple_of(layout::BLOCK) && SLICES.is_multiple_of(TABLE_BYTES));

/// A session as its worker knows it.
struct Line {
    endpoint: AtomicU32,
    thread: AtomicU32,
    bytes: AtomicU32,
}

static BOARD: [Line; SESSIONS_MAX] =
    [const { Line { endpoint: AtomicU32::new(0), thread: AtomicU32::new(0), bytes: AtomicU32::new(0) } };
        SESSIONS_MAX];

/// What a worker must know.
#[derive(Clone, Copy)]
pub struct Notice {
    /// The endpoint that it serves.
    pub endpoint: CapName,
    /// The worker itself.
    pub thread: CapName,
    /// Bytes that a transfer can have.
    pub bytes: u32,
}

/// Writes session `session`'s line. It has no worker that runs.
pub fn post(session: usize, notice: Notice) {
    let line = &BOARD[session];
    line.endpoint.store(notice.endpoint.0, Ordering::Relaxed);
    line.thread.store(notice.thread.0, Ordering::Relaxed);
    line.bytes.store(notice.bytes, Ordering::Release);
}

/// Reads the line of the session whose worker asks, and its number.
pub fn read() -> (usize, Notice) {
    let session = ((Utcb::current().address() - WORKERS) / layout::BLOCK) as usize;
    let line = &BOARD[session];
    let bytes = line.bytes.load(Ordering::Acquire);
    let name = |word: &AtomicU32| CapName(word.load(Ordering::Relaxed));
    (session, Notice { endpoint: name(&line.endpoint), thread: name(&line.thread), bytes })
}

/// Address of the UTCB of a session's worker.
pub fn utcb(session: usize) -> u32 {
    WORKERS + session as u32 * layout::BLOCK + layout::UTCB
}

/// Address of a session's slice.
pub fn slice(session: usize) -> u32 {
    SLICES + session as u32 * BYTES_MAX
}
