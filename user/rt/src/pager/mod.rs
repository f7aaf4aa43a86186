//! Self-paging: a program keeps more pages than it has frames for, and deals with the faults itself.
//!
//! A [`Region`] is a range of the program's own addresses. Its pages are zero when they are first touched; at most
//! [`Config::resident`] frames serve all regions together. When they are used up, the page that was not used for
//! longest (clock.rs) goes into the store (store.rs) and its frame serves the next. Faults arrive at a pager
//! thread of the same space or, by upcall, in the thread that faulted ([`Mode`]).
//!
//! What must hold:
//! - Nothing that the library itself needs is in a region: code, stacks, UTCBs, heap and books lie outside
//!   [`layout::OWN`](crate::layout::OWN), where regions are. So whoever holds the books' lock cannot fault, and a thread
//!   that faults does not hold it. Under the lock nothing is allocated, printed, or locked; a fault can therefore be
//!   dealt with whatever other locks the thread that faulted holds.
//! - A thread that calls the library has its stack outside all regions, as every thread of
//!   [`thread`](crate::thread) has.
//! - A pinned page stays where it is until the last guard is dropped. At most [`Config::pinned`] pages are pinned; so
//!   many frames are left for the others that any single instruction finds its pages ([`SPARE`]).
//! - What a page held when it was evicted it holds when it comes back.
//!
//! | file | what |
//! |---|---|
//! | books | which page is where; everything under the lock |
//! | moves | one page brought in, or put away |
//! | region | ranges of addresses |
//! | frames, store | frames, and what they are mapped at; where evicted pages are |
//! | clock | who is evicted |
//! | pins | guards |
//! | view | the space's own page-table entries |
//! | service, thread, upcall | start and stop; the two ways in which faults arrive; adoption |

mod books;
mod clock;
mod frames;
mod moves;
mod pins;
mod region;
mod service;
mod store;
mod thread;
pub(crate) mod upcall;
mod view;

use freehold_abi::layout::FRAME;
use freehold_protocol::trace::TOUCHED;

use crate::memory::MapError;
use crate::trace;

pub use books::{Refusal, Statistics};
pub use pins::{PinError, Pinned};
pub use region::Region;
pub use service::{adopt_current, name, start, stop};

/// Pages that one instruction can need at once: it moves a piece that crosses the edge of a page to a place that
/// does, too. (Its own bytes and its stack are in no region.)
pub const SPARE: u32 = 4;

/// How much memory the pager works with. It is set aside when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Frames that hold pages, at most, all regions together.
    pub resident: u32,
    /// Evicted pages that can be kept, each in a frame of its own.
    pub stored: u32,
    /// Pages that can be pinned at a time; at least [`SPARE`] fewer than `resident`.
    pub pinned: u32,
}

/// How faults arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As messages to a thread of this priority, which the library makes. A transfer of strings waits for it, if its
    /// policy says so.
    Thread {
        /// 0 (lowest) to the caller's own highest.
        priority: u8,
    },
    /// In the thread that faulted, without a message. A fault in a transfer of strings aborts it.
    Upcall,
}

/// Why the pager did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It has been started already.
    Started,
    /// It has not been started.
    NotStarted,
    /// Regions exist, so that it cannot stop.
    InUse,
    /// [`Config`]: not [`SPARE`] frames more than pages that can be pinned, or more pages than there are addresses for.
    BadConfig,
    /// A region is not of whole pages between `layout::OWN` and `layout::OWN_END`, or has none.
    BadRegion,
    /// A region touches another one, or addresses at which something is mapped.
    Overlap,
    /// There are as many regions as there can be.
    TooManyRegions,
    /// No frame: every one is pinned, or the program has not so many free ones.
    OutOfMemory,
    /// No capability slot.
    OutOfSlots,
    /// Every page that could be evicted has been written to, and the store has no room.
    StoreFull,
    /// An address is in no region, or a range is not in one.
    NotMine,
    /// The runtime does not know the calling thread's capability.
    UnknownThread,
    /// The kernel refused.
    Kernel(freehold_abi::Error),
}

impl From<freehold_abi::Error> for Error {
    fn from(error: freehold_abi::Error) -> Error {
        Error::Kernel(error)
    }
}

impl From<MapError> for Error {
    fn from(error: MapError) -> Error {
        match error {
            MapError::OutOfMemory => Error::OutOfMemory,
            MapError::OutOfSlots => Error::OutOfSlots,
            MapError::Kernel(error) => Error::Kernel(error),
        }
    }
}

/// Makes the pages of `bytes` from `address` on present, all at the same time; they can be evicted again at any
/// moment. They can be written, as every page of a region. No bytes is no page, and a success.
///
/// # Errors
/// NotStarted, NotMine; OutOfMemory if they are more pages than there are frames for, StoreFull, Kernel: some may be
/// present then.
pub fn touch(address: u32, bytes: u32) -> Result<(), Error> {
    books::with(|books| {
        let span = books.span(address, bytes)?;
        let before = books.statistics.brought;
        books.touch(span)?;
        trace::note(TOUCHED, bytes, books.statistics.brought - before);
        Ok(())
    })
}

/// Makes the pages of `bytes` from `address` on present and keeps them so until what is returned is dropped. If they
/// are present already, no call to the kernel is made.
///
/// # Errors
/// [`PinError`]; nothing is pinned then.
pub fn pin(address: u32, bytes: u32) -> Result<Pinned, PinError> {
    pins::pin(address, bytes)
}

/// Puts the pages of `bytes` from `address` on into the store, as far as it has room, but for those that are pinned
/// or were never touched. Returns how many are no longer present.
pub fn evict(address: u32, bytes: u32) -> u32 {
    books::with(|books| {
        let span = books.span(address, bytes)?;
        Ok(books.evict(span))
    })
    .unwrap_or(0)
}

/// Whether all of `bytes` from `address` on can be used without a fault, as the space's own page-table entries say at
/// this moment. Neither calls nor locks. Memory that is nowhere near a region counts as present: the library does
/// not take it away.
pub fn resident(address: u32, bytes: u32) -> bool {
    let Some(last) = bytes.checked_sub(1) else { return true };
    let Some(last) = address.checked_add(last) else { return false };
    (address / FRAME..=last / FRAME).all(|page| view::is_present(page).unwrap_or(true))
}

/// Whether all of `bytes` from `address` on are present at this moment, and can be written if `write`: certainly.
/// Neither calls nor locks. Of memory that is nowhere near a region nothing is known, so the answer is no.
pub fn present(address: u32, bytes: u32, write: bool) -> bool {
    let Some(last) = bytes.checked_sub(1) else { return true };
    let Some(last) = address.checked_add(last) else { return false };
    (address / FRAME..=last / FRAME).all(|page| view::is_usable(page, write))
}

/// What the pager has done since it was started.
///
/// # Errors
/// NotStarted.
pub fn statistics() -> Result<Statistics, Error> {
    books::with(|books| Ok(books.statistics))
}

/// The last fault that was not answered, and whose thread stands still therefore.
pub fn last_refusal() -> Option<Refusal> {
    books::with(|books| Ok(books.refusal)).ok().flatten()
}
