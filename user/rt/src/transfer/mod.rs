//! Large requests and replies through the transfer service (docs/transfer-service.md): the client's side
//! here, the server's in [`slices`].
//!
//! What must hold: the worker's two frames are the client's own. It lends them under a bound, through a
//! proxy, and takes them back whatever the service does. While a call lasts, the service's worker can read
//! the request and write the reply, and touches nothing else of the client's.

pub mod slices;

use core::ptr;

use freehold_abi::message::Item;
use freehold_abi::{CapName, Error, Rights};
use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED};
use freehold_protocol::transfer::{
    ABORTED, CLOSE, FAULTED, OPEN, OTHERS_WAIT, PIECE, REPLY, REPLY_FAULTED, REQUEST, REST,
};

use crate::calls::{self, Lend, Stop};
use crate::memory::{self, MapError};
use crate::roots::Extent;
use crate::slots::Slot;
use crate::utcb::Range;
use crate::{Message, Utcb};

/// What can be derived from each of the worker's frames: the kernel's capability to the thread, the
/// mapping of the UTCB.
const WORKER: Lend = Lend::exactly(8);

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

/// An open one.
#[derive(Debug)]
struct Open {
    /// What to send pieces to.
    worker: Slot,
    number: u32,
    /// What the service's capability to the frames hangs on.
    proxy: Slot,
    frames: Extent,
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

impl Open {
    fn new(service: CapName, bytes: u32, priority: u8) -> Result<Open, Failure> {
        let worker = Slot::take().ok_or(Failure::Exhausted)?;
        let proxy = Slot::take().ok_or(Failure::Exhausted)?;
        let frames = memory::take(2, 1).ok_or(Failure::Exhausted)?;
        let mut open = Open { worker, number: 0, proxy, frames };
        match open.ask(service, bytes, priority) {
            Ok(number) => {
                open.number = number;
                Ok(open)
            }
            Err(failure) => {
                open.take_back().map_err(|stop| stop.error)?;
                Err(failure)
            }
        }
    }

    /// Lends the frames and calls the service; returns the session's number.
    fn ask(&self, service: CapName, bytes: u32, priority: u8) -> Result<u32, Failure> {
        let rights = Rights::EDIT.or(Rights::SHARE);
        let roots = calls::range(self.frames.first, self.frames.count);
        calls::lend(self.frames.container, self.proxy.reference(), rights, roots, WORKER, 2)?;
        let mut message = Message::of(OPEN, &[bytes, priority.into()]);
        let source = self.proxy.name();
        message.push_item(Item { source, moved: false, rights: Rights::EDIT, total: 0 });
        let utcb = Utcb::current();
        utcb.set_slots(self.worker.name(), 1);
        let answer = calls::call(service, &message);
        utcb.set_slots(CapName::NONE, 0);
        let answer = answer?;
        match answer.label() {
            DONE if answer.items() == 1 => Ok(answer.word(0)),
            FAILED => Err(Failure::Call(Error::from_status(answer.word(0)).unwrap_or(Error::BadMessage))),
            EXHAUSTED => Err(Failure::Exhausted),
            _ => Err(Failure::Refused),
        }
    }

    fn close(self, service: CapName) -> Result<(), Stop> {
        // A service that is gone has no session either.
        let _ = calls::call(service, &Message::new(CLOSE));
        self.take_back()
    }

    fn take_back(self) -> Result<(), Stop> {
        let Open { worker, proxy, frames, .. } = self;
        drop((worker, proxy));
        memory::release(frames)
    }
}

/// One call's way through a worker.
struct Transfer {
    words: [u32; 4],
    request: Range,
    reply: Range,
}

impl Transfer {
    fn new(op: u16, [first, second]: [u32; 2], request: &[u8], reply: &mut [u8]) -> Transfer {
        let room = reply.len() as u32;
        let request =
            Range { address: request.as_ptr() as u32, bytes: request.len() as u32, writable: false };
        let reply = Range { address: reply.as_mut_ptr() as u32, bytes: room, writable: true };
        Transfer { words: [op.into(), first, second, room], request, reply }
    }

    fn begin(&self, worker: CapName) -> Result<Message, Error> {
        self.piece(worker, 0)
    }

    /// The rest, from what the first piece came to, if it has been sent.
    fn finish(&self, worker: CapName, first: Option<Result<Message, Error>>) -> Result<Answer, Failure> {
        let mut answer = first.unwrap_or_else(|| self.begin(worker))?;
        let mut resumed = 0;
        loop {
            let (first, second) = (answer.word(0), answer.word(1));
            let inside = |range: Range| first.wrapping_sub(range.address) < range.bytes;
            answer = match answer.label() {
                DONE if second <= self.reply.bytes => {
                    return Ok(Answer { status: first, bytes: second, resumed });
                }
                FAULTED if inside(self.request) => {
                    touch(first);
                    self.piece(worker, second)?
                }
                REPLY_FAULTED if inside(self.reply) => {
                    touch_to_write(first);
                    self.send(worker, Message::of(REST, &[second]))?
                }
                ABORTED => return Err(Failure::Aborted { reason: first, error: Error::from_status(second) }),
                _ => return Err(Failure::Senseless),
            };
            resumed += 1;
        }
    }

    fn piece(&self, worker: CapName, offset: u32) -> Result<Message, Error> {
        let [op, first, second, room] = self.words;
        self.send(worker, Message::of(PIECE, &[offset, self.request.bytes, op, first, second, room]))
    }

    fn send(&self, worker: CapName, message: Message) -> Result<Message, Error> {
        let mut ranges = [self.request; 2];
        ranges[REQUEST as usize] = self.request;
        ranges[REPLY as usize] = self.reply;
        Utcb::current().set_ranges(&ranges);
        calls::call(worker, &message.with_ranges())
    }
}

/// Makes a page present by faulting on it. If its pager does not bring it, the thread waits here or stops.
fn touch(address: u32) {
    // SAFETY: the address lies in a request, which is borrowed.
    unsafe { ptr::read_volatile(address as *const u8) };
}

/// The same, writable. What the service has written there already stays.
fn touch_to_write(address: u32) {
    let place = address as *mut u8;
    // SAFETY: the address lies in the room for a reply, which is borrowed for writing; the worker does
    // not run between its answer and the next call.
    unsafe { place.write_volatile(place.read_volatile()) };
}
