//! One call's way through a session's worker.
//!
//! What must hold: the worker can read the request and write the room for the reply while a message of this call
//! waits for its answer, and at no other time; pages are touched only in between.

use core::ptr;

use freehold_abi::{CapName, Error};
use freehold_protocol::answer::DONE;
use freehold_protocol::trace::{SENDS, STOPPED};
use freehold_protocol::transfer::{ABORTED, FAULTED, PIECE, REPLY, REPLY_FAULTED, REQUEST, REST};

use super::{Answer, Failure};
use crate::utcb::Range;
use crate::{Message, Utcb, calls, trace};

/// One call's way through a worker.
pub struct Transfer {
    words: [u32; 4],
    request: Range,
    reply: Range,
}

impl Transfer {
    /// For this op and its words, this request, this room for the reply.
    pub fn new(op: u16, [first, second]: [u32; 2], request: &[u8], reply: &mut [u8]) -> Transfer {
        let room = reply.len() as u32;
        let request =
            Range { address: request.as_ptr() as u32, bytes: request.len() as u32, writable: false };
        let reply = Range { address: reply.as_mut_ptr() as u32, bytes: room, writable: true };
        Transfer { words: [op.into(), first, second, room], request, reply }
    }

    /// Sends the first piece.
    ///
    /// # Errors
    /// Those of a call.
    pub fn begin(&self, worker: CapName) -> Result<Message, Error> {
        self.piece(worker, 0)
    }

    /// The rest, from what the first piece came to, if it has been sent.
    ///
    /// # Errors
    /// Aborted, Call, Senseless.
    pub fn finish(&self, worker: CapName, first: Option<Result<Message, Error>>) -> Result<Answer, Failure> {
        let mut answer = first.unwrap_or_else(|| self.begin(worker))?;
        let mut resumed = 0;
        loop {
            let (first, second) = (answer.word(0), answer.word(1));
            let inside = |range: Range| first.wrapping_sub(range.address) < range.bytes;
            if matches!(answer.label(), FAULTED | REPLY_FAULTED) {
                trace::note(STOPPED, Error::FaultMine as u32, second);
            }
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
        trace::note(SENDS, message.label().into(), 0);
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
