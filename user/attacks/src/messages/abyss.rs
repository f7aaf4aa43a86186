//! Memory of an attacker's that is never paged in, and threads that send it, or receive into it.
//!
//! What must hold: a [`Staller`] never touches the missing page itself, so a pager that is asked is asked for a transfer, and
//! the answer to a call is the only thing that lets a staller go on. All of it ends with the program.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_protocol::attack::{ANSWER, STRING};
use freehold_rt::abi::info::start;
use freehold_rt::abi::layout::{FOREVER, FRAME};
use freehold_rt::calls::{self, Broken};
use freehold_rt::memory::{self, MapError};
use freehold_rt::slots::{self, Slot};
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Utcb, time};

/// Where the stallers' memory lies: for each of them a page, and none behind it.
pub const AT: u32 = 0x6000_0000;
/// Stallers at a time, at most.
pub const STALLERS: usize = 8;
/// Bytes of each transfer that are there.
pub const THERE: u32 = 64;
/// Bytes that are not.
const MISSING: u32 = 64;

/// Calls in a row, before the program's other threads have their turn.
const BURST: u32 = 100;

/// The side on which a transfer of a staller's lacks a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Side {
    /// It sends a string of which the second half is missing.
    Sender = 0,
    /// It receives a string for which the second half of its buffer is missing.
    Receiver = 1,
    /// Each in turn, a call for each.
    Both = 2,
}

/// What the stallers of this program came to.
struct Line {
    server: AtomicU32,
    side: AtomicU32,
    calls: AtomicU32,
    /// Calls that stopped in the middle, with the page as the cause.
    stopped: AtomicU32,
    /// Calls that ended otherwise, and the last one's error.
    otherwise: AtomicU32,
    error: AtomicU32,
    /// Tick at which the present call began, plus one; 0: none is under way.
    since: AtomicU32,
}

static LINES: [Line; STALLERS] = [const {
    Line {
        server: AtomicU32::new(0),
        side: AtomicU32::new(0),
        calls: AtomicU32::new(0),
        stopped: AtomicU32::new(0),
        otherwise: AtomicU32::new(0),
        error: AtomicU32::new(0),
        since: AtomicU32::new(0),
    }
}; STALLERS];

/// Faults that the pager has been asked about.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// The priority of the program's first thread, which further threads get as well.
pub fn priority() -> u8 {
    calls::thread_info(start::THREAD).map_or(0, |info| info.priority as u8)
}

/// A pager that takes every question and never answers.
pub struct Abyss {
    endpoint: Slot,
    _pager: Thread,
}

impl Abyss {
    /// Opens it.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn new() -> Result<Abyss, MapError> {
        let endpoint = Slot::take().ok_or(MapError::OutOfSlots)?;
        calls::make_endpoint(endpoint.reference())?;
        let pager = thread::spawn(swallow, endpoint.name().0, Options::new(priority()))?;
        Ok(Abyss { endpoint, _pager: pager })
    }

    /// Its endpoint.
    pub fn name(&self) -> CapName {
        self.endpoint.name()
    }

    /// Questions that it took.
    pub fn asked(&self) -> u32 {
        ASKED.load(Ordering::Relaxed)
    }
}

/// Takes questions. A reply capability that is dropped would end the fault, so each is kept.
fn swallow(endpoint: u32) {
    const KEPT: u32 = 64;
    let Some(shelf) = slots::take_row(KEPT) else { return };
    while calls::receive(CapName(endpoint)).is_ok() {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // A slot is empty again when its caller does not wait any more.
        let kept = (0..KEPT).any(|index| calls::save_reply(CapName(shelf.0 + index)).is_ok());
        debug_assert!(kept, "more faults at a time than threads");
    }
}

/// What stallers came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Calls made.
    pub calls: u32,
    /// Calls that stopped at the missing page, told to the staller: it has the fault, nobody else.
    pub stopped: u32,
    /// Calls that came to something else.
    pub otherwise: u32,
    /// The last of these errors' number.
    pub error: u32,
    /// Ticks for which the longest call that is under way has been.
    pub inside: u32,
}

/// A thread that makes the server meet its missing page, over and over.
pub struct Staller(usize);

impl Staller {
    /// Starts number `index`, whose pager is `abyss`.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn start(index: usize, side: Side, server: CapName, abyss: &Abyss) -> Result<Staller, MapError> {
        memory::map_new(page(index), 1)?;
        let line = &LINES[index];
        line.server.store(server.0, Ordering::Relaxed);
        line.side.store(side as u32, Ordering::Relaxed);
        thread::spawn(stall, index as u32, Options { pager: abyss.name(), ..Options::new(priority()) })?;
        Ok(Staller(index))
    }

    /// What it came to so far.
    pub fn count(&self) -> Count {
        let line = &LINES[self.0];
        let word = |place: &AtomicU32| place.load(Ordering::Relaxed);
        let inside = match word(&line.since) {
            0 => 0,
            since => time::ticks().wrapping_add(1).wrapping_sub(since),
        };
        Count {
            calls: word(&line.calls),
            stopped: word(&line.stopped),
            otherwise: word(&line.otherwise),
            error: word(&line.error),
            inside,
        }
    }
}

/// All of them together.
pub fn sum(stallers: &[Staller]) -> Count {
    stallers.iter().map(Staller::count).fold(Count::default(), |sum, count| Count {
        calls: sum.calls + count.calls,
        stopped: sum.stopped + count.stopped,
        otherwise: sum.otherwise + count.otherwise,
        error: sum.error.max(count.error),
        inside: sum.inside.max(count.inside),
    })
}

/// A staller's page that is there.
fn page(index: usize) -> u32 {
    AT + index as u32 * 2 * FRAME
}

/// The place that reaches from a staller's page over into nothing.
pub fn edge(index: usize) -> Part {
    Part { address: page(index) + FRAME - THERE, bytes: THERE + MISSING }
}

fn stall(index: u32) {
    let line = &LINES[index as usize];
    let word = |place: &AtomicU32| place.load(Ordering::Relaxed);
    let server = CapName(word(&line.server));
    let side = word(&line.side);
    // A client that would wait for its own pager, and for anybody's, for ever.
    let utcb = Utcb::current();
    utcb.set_send_faults(FOREVER, FOREVER);
    utcb.set_receive_faults(FOREVER, FOREVER);
    for turn in 0_u32.. {
        let sends = side == Side::Sender as u32 || side == Side::Both as u32 && turn.is_multiple_of(2);
        line.since.store(time::ticks().wrapping_add(1).max(1), Ordering::Relaxed);
        let result = if sends { send(server, index as usize) } else { receive(server, index as usize) };
        line.since.store(0, Ordering::Relaxed);
        if turn % BURST == BURST - 1 {
            time::sleep(1);
        }
        line.calls.fetch_add(1, Ordering::Relaxed);
        let hole = page(index as usize) + FRAME;
        match result {
            Err(Broken { error: Error::FaultMine, done: THERE, address }) if address == hole => {
                line.stopped.fetch_add(1, Ordering::Relaxed);
            }
            Err(Broken { error, .. }) => {
                line.otherwise.fetch_add(1, Ordering::Relaxed);
                line.error.store(error as u32, Ordering::Relaxed);
            }
            Ok(()) => {
                line.otherwise.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A request of which a page is missing. The reply's buffers are in the same place.
fn send(server: CapName, index: usize) -> Result<(), Broken> {
    let utcb = Utcb::current();
    utcb.set_strings(&[edge(index)]);
    // SAFETY: what lies in the staller's page, nobody relies on.
    unsafe { utcb.set_buffers(&[edge(index)]) };
    calls::call_strings(server, &Message::new(STRING).with_strings(), true).map(drop)
}

/// A reply for which a page is missing.
fn receive(server: CapName, index: usize) -> Result<(), Broken> {
    let utcb = Utcb::current();
    // SAFETY: as above.
    unsafe { utcb.set_buffers(&[edge(index)]) };
    calls::call_strings(server, &Message::of(ANSWER, &[edge(index).bytes]), true).map(drop)
}
