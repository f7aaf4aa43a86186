//! A cell carried out once.

use freehold_protocol::caller::{SHARED_BEHIND, SHARED_BYTES};
use freehold_protocol::files::{DATA_BYTES, FILES, NOTHING, OK};
use freehold_protocol::scenario::{CASES, Case, RESIDENCIES, Residency};
use freehold_protocol::trace::{CALLS, EVICTED, FAILS, RETURNS};
use freehold_protocol::transfer::TRANSFER;
use freehold_rt::abi::info::Kernel;
use freehold_rt::abi::layout::{BLOCK, FRAME};
use freehold_rt::buffer::{Done, Failure, Peer, Trust, Way};
use freehold_rt::layout::OWN;
use freehold_rt::{calls as kernel, start, time, trace};

use crate::buffers::{self, Buffers};
use crate::calls::{self, Prepared};
use crate::server::{Counts, Server};

/// Priority of the session's worker: the caller's own.
const PRIORITY: u8 = 8;
/// Where memory for containers lies, behind the buffers.
const SHARED: u32 = OWN + SHARED_BEHIND;
const _: () = assert!(SHARED.is_multiple_of(BLOCK) && OWN + 2 * buffers::PAGES * FRAME <= SHARED);
/// What the replies' buffer is filled with before each call.
const STALE: u8 = 0xA5;

/// A case, a way, a residency.
#[derive(Clone, Copy)]
pub struct Cell {
    pub case: Case,
    pub way: Way,
    pub residency: Residency,
}

impl Cell {
    /// From an order's words. `None`: there is no such cell.
    pub fn from_words(words: &[u32]) -> Option<Cell> {
        let &[case, way, residency] = words.first_chunk()?;
        Some(Cell {
            case: *CASES.get(case as usize)?,
            way: *Way::ALL.get(way as usize)?,
            residency: RESIDENCIES.get(residency as usize)?.1,
        })
    }
}

/// Where a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The request is made; next, buffers go out of memory.
    Prepared,
    /// The call is next.
    Begins,
    /// It is over.
    Ended,
}

/// What calls need.
pub struct Stage {
    pub peer: Peer,
    pub server: Server,
    buffers: Buffers,
}

/// What a call came to.
pub struct Outcome {
    pub done: Done,
    /// Bytes of the request and the reply.
    pub bytes: u32,
    pub taken: Taken,
    pub counts: Counts,
    /// Whether reply and effect were right.
    pub right: bool,
}

/// What it took, counted at the caller.
#[derive(Clone, Copy)]
pub struct Taken {
    pub cycles: u64,
    pub switches: u32,
    /// Page faults.
    pub faults: u32,
    /// Pages that came into memory, by a fault or because they were asked for.
    pub pages: u32,
}

impl Stage {
    /// Starts the pager, and makes the buffers and the way to the server. `None`: the caller was not given what it
    /// needs, or has no memory for it.
    pub fn new(trust: Trust) -> Option<Stage> {
        let buffers = Buffers::new().ok()?;
        let peer = Peer::new(start::capability(FILES)?, trust);
        let peer = match kernel::design().has_pool() {
            true => peer.with_lent(SHARED, SHARED_BYTES),
            false => peer.with_shared(SHARED, SHARED_BYTES).ok()?,
        };
        let peer = peer.with_service(start::capability(TRANSFER)?, DATA_BYTES, PRIORITY).ok()?;
        Some(Stage { peer, server: Server::new()?, buffers })
    }

    /// Makes one call as the cell says; `hear` is told where it is.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn carry_out(
        &mut self,
        cell: Cell,
        round: u32,
        mut hear: impl FnMut(Moment),
    ) -> Result<Outcome, Failure> {
        let Stage { peer, server, buffers } = self;
        let (requests, replies) = buffers.slices();
        let prepared = calls::prepare(cell.case, round, peer, requests)?;
        let (request, reply) = (&requests[..prepared.request], &mut replies[..prepared.reply]);
        reply.fill(STALE);

        hear(Moment::Prepared);
        let missing = matches!(cell.residency, Residency::ServerFaults | Residency::BothFault);
        let pages = server.prepare(missing, request.len(), reply.len())?;
        if missing {
            trace::note(EVICTED, pages, 1);
        }
        if matches!(cell.residency, Residency::ClientFaults | Residency::BothFault) {
            trace::note(EVICTED, buffers::evict(request) + buffers::evict(reply), 0);
        }

        hear(Moment::Begins);
        let (done, taken) = timed(peer, cell.way, prepared, request, reply);
        hear(Moment::Ended);
        let done = done?;
        let counts = server.counts()?;
        let reply = reply.get(..done.bytes as usize).unwrap_or(&[]);
        let right = done.status == OK && calls::is_right(cell.case, round, peer, request, reply)?;
        Ok(Outcome { done, bytes: (request.len() + reply.len()) as u32, taken, counts, right })
    }

    /// Makes an empty call by registers.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn call_nothing(&mut self) -> Result<Outcome, Failure> {
        let prepared = Prepared { op: NOTHING, args: [0; 2], request: 0, reply: 0 };
        self.server.prepare(false, 0, 0)?;
        let (done, taken) = timed(&mut self.peer, Way::Registers, prepared, &[], &mut []);
        let done = done?;
        let right = (done.status, done.bytes) == (OK, 0);
        Ok(Outcome { done, bytes: 0, taken, counts: self.server.counts()?, right })
    }
}

/// The call itself.
fn timed(
    peer: &mut Peer,
    way: Way,
    prepared: Prepared,
    request: &[u8],
    reply: &mut [u8],
) -> (Result<Done, Failure>, Taken) {
    trace::note(CALLS, prepared.op.into(), request.len() as u32);
    let (before, switches) = (buffers::pager(), self::switches());
    let begin = time::cycles();
    let done = peer.call_by(way, prepared.op, prepared.args, request, reply);
    let end = time::cycles();
    let (switches, now) = (self::switches() - switches, buffers::pager());
    let (faults, pages) = (now.faults - before.faults, now.brought - before.brought);
    match &done {
        Ok(done) => trace::note(RETURNS, done.status, done.bytes),
        Err(_) => trace::note(FAILS, 0, 0),
    }
    (done, Taken { cycles: end - begin, switches, faults, pages })
}

/// Loads of a page directory since the kernel booted.
fn switches() -> u32 {
    // The kernel knows this question, so there is no error to meet.
    kernel::kernel_info(Kernel::SpaceSwitches).unwrap_or(0)
}
