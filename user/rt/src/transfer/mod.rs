//! Large requests and replies through the transfer service (docs/transfer-service.md).
//!
//! | file | what |
//! |---|---|
//! | mod.rs | the client's side: sessions, calls |
//! | open.rs | a session opened and closed |
//! | call.rs | one call's way through the session's worker |
//! | slices.rs | the server's side |

mod call;
mod open;
pub mod slices;

use freehold_abi::{CapName, Error};
use freehold_protocol::transfer::{ABORTED, CLOSE, OTHERS_WAIT};

use self::call::Transfer;
use self::open::Open;
use crate::Message;
use crate::calls::{self, Stop};
use crate::memory::MapError;

/// Why a session was not opened, or a call not carried through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The program, or the service, has no memory or no slots left.
    Exhausted,
    /// The service gives no session: no slice is so large, or too many wait for one.
    Refused,
    /// A call failed. NoCapability, Canceled or PeerGone from the session's worker: the session is over.
    Call(Error),
    /// The transfer was ended, for one of the reasons in [`freehold_protocol::transfer`].
    Aborted {
        /// The reason.
        reason: u32,
        /// The error behind it, if there was one.
        error: Option<Error>,
    },
    /// The service answered what makes no sense.
    Senseless,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Call(error)
    }
}

impl From<MapError> for Failure {
    fn from(error: MapError) -> Failure {
        match error {
            MapError::OutOfMemory | MapError::OutOfSlots => Failure::Exhausted,
            MapError::Kernel(error) => Failure::Call(error),
        }
    }
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the server says.
    pub status: u32,
    /// Bytes of the reply.
    pub bytes: u32,
    /// How often a page of the request, or of the room for the reply, was missing.
    pub resumed: u32,
}

/// A session: a slice of the server's, and a worker on this program's frames. It is closed when this is
/// dropped.
#[derive(Debug)]
pub struct Session {
    service: CapName,
    bytes: u32,
    priority: u8,
    /// `None`: it was over, and could not be opened anew.
    open: Option<Open>,
}

impl Session {
    /// Opens a session for requests and replies of at most `bytes` bytes, with a worker of this priority, if
    /// the service allows so much. Waits, as long as the thread's limits say, while all slices are taken. A
    /// session that this program has at the service already ends.
    ///
    /// # Errors
    /// Exhausted; Refused; Call, if the service cannot be called or the kernel refuses.
    pub fn open(service: CapName, bytes: u32, priority: u8) -> Result<Session, Failure> {
        let open = Some(Open::new(service, bytes, priority)?);
        Ok(Session { service, bytes, priority, open })
    }

    /// Its number, which is its slice's; `None`: it is over.
    pub fn number(&self) -> Option<u32> {
        self.open.as_ref().map(|open| open.number)
    }

    /// The capability to the two frames that its worker stands on: thread, UTCB.
    pub fn frames(&self) -> Option<CapName> {
        self.open.as_ref().map(|open| open.proxy.name())
    }

    /// What its worker serves: for programs that speak to it themselves.
    pub fn worker(&self) -> Option<CapName> {
        self.open.as_ref().map(|open| open.worker.name())
    }

    /// Has the server do `op` with `request`; its reply goes to `reply`. A page of either that is missing is
    /// touched, so that this thread's own pager brings it. A session that has ended since the last call, by
    /// its time or because others wait for its slice, is opened anew, which can mean to wait.
    ///
    /// # Errors
    /// Aborted; Call: what happened to the request is not known; what opening anew meets.
    pub fn call(
        &mut self,
        op: u16,
        args: [u32; 2],
        request: &[u8],
        reply: &mut [u8],
    ) -> Result<Answer, Failure> {
        let transfer = Transfer::new(op, args, request, reply);
        let worker = match &self.open {
            Some(open) => open.worker.name(),
            None => self.renew()?,
        };
        let first = transfer.begin(worker);
        let over = match &first {
            Err(error) => *error == Error::NoCapability,
            Ok(answer) => answer.label() == ABORTED && answer.word(0) == OTHERS_WAIT,
        };
        if over { transfer.finish(self.renew()?, None) } else { transfer.finish(worker, Some(first)) }
    }

    /// Gives up what is left of the old one and opens another. Returns the way to its worker.
    fn renew(&mut self) -> Result<CapName, Failure> {
        if let Some(open) = self.open.take() {
            open.close(self.service).map_err(|stop| stop.error)?;
        }
        let open = self.open.insert(Open::new(self.service, self.bytes, self.priority)?);
        Ok(open.worker.name())
    }

    /// Closes it and takes the worker's frames back.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed.
    pub fn close(mut self) -> Result<(), Stop> {
        self.open.take().map_or(Ok(()), |open| open.close(self.service))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            // What cannot be reclaimed stays out of the books; `close` is for those who want to know.
            let _ = open.close(self.service);
        }
    }
}

/// Ends this program's session at the service, or its waiting for one, from any thread: the call that
/// another thread makes through it fails with PeerGone. The [`Session`] can be used again.
///
/// # Errors
/// Those of a call to the service.
pub fn cancel(service: CapName) -> Result<(), Error> {
    calls::call(service, &Message::new(CLOSE)).map(|_| ())
}
