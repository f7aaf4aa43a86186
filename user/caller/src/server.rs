//! What the caller has of the server, beside the calls that are measured.

use freehold_protocol::answer::DONE;
use freehold_protocol::files::{COUNTS, FILES_ORDERS, PREPARE};
use freehold_protocol::trace::WATCH;
use freehold_rt::{CapName, Error, Message, calls, start};

/// The server's endpoint for orders.
#[derive(Clone, Copy)]
pub struct Server(CapName);

/// What has happened at the server since it last prepared its buffers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Page faults.
    pub faults: u32,
    /// Pages that came into memory, by a fault or because they were asked for.
    pub pages: u32,
    /// Cycles of its work on requests.
    pub work: u32,
}

impl Server {
    /// `None`: the caller was not given it.
    pub fn new() -> Option<Server> {
        start::capability(FILES_ORDERS).map(Server)
    }

    /// Has the server's buffers out of memory, or in it for a request and a reply of so many bytes; its counts begin
    /// anew. Returns how many pages went.
    ///
    /// # Errors
    /// Those of a call; BadMessage if the server refuses.
    pub fn prepare(self, missing: bool, request: usize, reply: usize) -> Result<u32, Error> {
        self.order(PREPARE, &[missing.into(), request as u32, reply as u32]).map(|answer| answer.word(0))
    }

    /// Has the server note what happens from now on, or no more.
    ///
    /// # Errors
    /// As [`Server::prepare`].
    pub fn watch(self, on: bool) -> Result<(), Error> {
        self.order(WATCH, &[on.into()]).map(|_| ())
    }

    /// What has happened since.
    ///
    /// # Errors
    /// As [`Server::prepare`].
    pub fn counts(self) -> Result<Counts, Error> {
        let answer = self.order(COUNTS, &[])?;
        Ok(Counts { faults: answer.word(0), pages: answer.word(1), work: answer.word(3) })
    }

    fn order(self, label: u16, words: &[u32]) -> Result<Message, Error> {
        let answer = calls::call(self.0, &Message::of(label, words))?;
        if answer.label() == DONE { Ok(answer) } else { Err(Error::BadMessage) }
    }
}
