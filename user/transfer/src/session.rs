//! A session: an endpoint for its client, a worker on the client's frames, a slice of the server's.
//!
//! What must hold: however it ends, and whatever its client has done to the frames meanwhile, afterwards
//! nobody waits for the worker, the worker does not run, its UTCB's address is free, and every slot that
//! the session had is empty.

use core::arch::global_asm;

use freehold_protocol::answer::DONE;
use freehold_protocol::server::RELEASE;
use freehold_protocol::transfer::RELEASE_LIMIT;
use freehold_rt::abi::info::State;
use freehold_rt::abi::layout::FRAME;
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::memory::MapError;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Utcb};

use crate::board::{self, Notice};
use crate::worker::worker;

/// What a client wants, and gives for it.
pub struct Wish {
    /// The client's number.
    pub client: u32,
    /// The highest priority that its workers may have, by its badge: who waits before whom.
    pub rank: u32,
    /// Bytes that requests and replies can have.
    pub bytes: u32,
    /// The worker's priority.
    pub priority: u8,
    /// Capability to two roots of the client's.
    pub frames: Slot,
}

/// An open session.
pub struct Session {
    /// Its number, and its slice's.
    pub number: usize,
    /// The client's number.
    pub client: u32,
    /// The client's rank.
    pub rank: u32,
    /// Pages that a request, or a reply, can have.
    pub pages: u32,
    /// Whether a transfer has begun.
    pub begun: bool,
    /// Tick at which it ends.
    pub deadline: u32,
    /// Milliseconds that the server may still take without their counting.
    pub server_left: u32,
    endpoint: Slot,
    thread: Slot,
    frames: Slot,
}

// The stack begins behind the UTCB and grows down into its free part.
global_asm!(
    ".pushsection .text.worker_entry, \"ax\"",
    "freehold_worker_entry:",
    "xor ebp, ebp",
    "call {worker}",
    "ud2",
    ".popsection",
    worker = sym worker,
);

unsafe extern "C" {
    fn freehold_worker_entry();
}

impl Session {
    /// Opens one with the slice of this number, and a worker of this priority; its time has not begun.
    ///
    /// # Errors
    /// OutOfSlots; what making an endpoint or a thread can meet: the client's frames are not two free roots.
    pub fn open(number: usize, priority: u8, wish: Wish) -> Result<Session, MapError> {
        let Wish { client, rank, bytes, frames, .. } = wish;
        let endpoint = Slot::take().ok_or(MapError::OutOfSlots)?;
        let thread = Slot::take().ok_or(MapError::OutOfSlots)?;
        calls::make_endpoint(endpoint.reference())?;
        let address = board::utcb(number);
        let place = ThreadPlace {
            container: frames.name(),
            thread: 0,
            utcb: 1,
            space: CapName::NONE,
            address,
            fpu: false,
        };
        calls::make_thread(place, thread.reference())?;
        board::post(number, Notice { endpoint: endpoint.name(), thread: thread.name(), bytes });
        let pages = bytes.div_ceil(FRAME);
        let session = Session {
            number,
            client,
            rank,
            pages,
            begun: false,
            deadline: 0,
            server_left: 0,
            endpoint,
            thread,
            frames,
        };
        let entry = freehold_worker_entry as *const () as u32;
        let started = calls::start_thread(session.worker(), entry, address + FRAME, CapName::NONE, priority);
        match started {
            Ok(()) => Ok(session),
            Err(error) => {
                session.end();
                Err(error.into())
            }
        }
    }

    /// What its client sends to.
    pub fn endpoint(&self) -> CapName {
        self.endpoint.name()
    }

    fn worker(&self) -> CapName {
        self.thread.name()
    }

    /// Whether the worker can still run: its frames are the client's, who can take them back at any time. One
    /// that has lost its UTCB exists, and is stopped.
    pub fn is_alive(&self) -> bool {
        calls::thread_info(self.worker()).is_ok_and(|info| info.state != State::Stopped)
    }

    /// Whether it is for the server, not for the client, to go on: the worker has called one of the server's
    /// threads, and runs in no other state so long that it matters.
    pub fn waits_for_server(&self) -> bool {
        let state = calls::thread_info(self.worker()).map(|info| info.state);
        matches!(state, Ok(State::Calling | State::AwaitingReply))
    }

    /// Ends it. Its slice must be released then.
    pub fn end(self) {
        let Session { number, endpoint, thread, frames, .. } = self;
        // No new calls; those that wait for the worker end.
        drop(endpoint);
        // The errors that follow are a client's that has taken back its frames, or the capability to them.
        let _ = calls::stop_thread(thread.name());
        if calls::thread_info(thread.name()).is_ok() {
            // The roots still are what the session made of them. A call that the worker had taken ends.
            let _ = calls::reclaim(frames.name(), 0, 2);
        }
        // A client that has kept the thread, and only taken back the capability, must not keep its address.
        let _ = calls::unmap(CapName::NONE, board::utcb(number) / FRAME, 1);
    }
}

/// What a server's pager says to RELEASE.
pub enum Released {
    /// The slice is empty.
    Now,
    /// The server still works on it: ask again.
    NotYet,
    /// Nothing, in the time that it has: ask again.
    Silence,
}

/// Asks the server's pager to take its frames out of a slice.
pub fn release(paging: CapName, slice: usize) -> Released {
    let message = Message::of(RELEASE, &[slice as u32]);
    let limits = (RELEASE_LIMIT, RELEASE_LIMIT);
    match Utcb::current().within(limits, || calls::call(paging, &message)) {
        Ok(answer) if answer.label() == DONE => Released::Now,
        Ok(_) => Released::NotYet,
        Err(Error::Timeout) => Released::Silence,
        // Without a server there are no frames of its in the slice, nor a Table.
        Err(_) => Released::Now,
    }
}
