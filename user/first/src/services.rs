//! The server behind every program's console and records: one endpoint, one thread.
//!
//! What must hold: which stream a message goes to is decided by the badge, so by what its sender was
//! given; a line comes out whole, whatever others write meanwhile; a client can make the server keep at
//! most `LINE_MAX` bytes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use freehold_rt::console::{Sink, WRITE};
use freehold_rt::load::Grant;
use freehold_rt::memory::MapError;
use freehold_rt::message::{Message, bytes};
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::{CapName, calls};

/// Above every client's, so that a line is out before its writer goes on.
const PRIORITY: u8 = 24;
/// Pages of the server's stack.
const STACK_PAGES: u32 = 4;
/// Bytes after which a line comes out in parts.
const LINE_MAX: usize = 4096;

/// Bit 0 of a badge: the stream. The others: the client.
const RECORDS: u32 = 1;

/// Label of the reply to a message that is not understood.
const REFUSED: u16 = 1;

/// The server.
#[derive(Debug)]
pub struct Services {
    endpoint: Slot,
    _thread: Thread,
}

impl Services {
    /// Starts it.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn start() -> Result<Services, MapError> {
        let endpoint = Slot::take().ok_or(MapError::OutOfSlots)?;
        calls::make_endpoint(endpoint.reference())?;
        let options = Options { stack_pages: STACK_PAGES, ..Options::new(PRIORITY) };
        let thread = thread::spawn(serve, endpoint.name().0, options)?;
        Ok(Services { endpoint, _thread: thread })
    }

    /// The console, for client number `client` (from 1 on).
    pub fn console(&self, client: u32) -> Grant<'static> {
        Grant::send("console", self.endpoint.name(), client << 1)
    }

    /// The records, for that client.
    pub fn records(&self, client: u32) -> Grant<'static> {
        Grant::send("records", self.endpoint.name(), client << 1 | RECORDS)
    }
}

fn serve(endpoint: u32) {
    let endpoint = CapName(endpoint);
    let mut lines = Lines::default();
    let mut answer: Option<Message> = None;
    loop {
        let received = match answer.take() {
            None => calls::receive(endpoint),
            // A caller that is gone needs no answer.
            Some(answer) => calls::reply_receive(None, &answer, endpoint),
        };
        if let Ok(received) = received {
            let understood = received.message.label() == WRITE;
            if understood {
                lines.add(received.badge, bytes::decode(&received.message));
            }
            answer = Some(Message::new(if understood { 0 } else { REFUSED }));
        }
    }
}

/// What has been written of lines that are not complete, by badge.
#[derive(Default)]
struct Lines(BTreeMap<u32, Vec<u8>>);

impl Lines {
    fn add(&mut self, badge: u32, bytes: impl Iterator<Item = u8>) {
        let line = self.0.entry(badge).or_default();
        line.extend(bytes);
        let complete = match line.iter().rposition(|&byte| byte == b'\n') {
            Some(last) => last + 1,
            None if line.len() >= LINE_MAX => line.len(),
            None => return,
        };
        let sink = if badge & RECORDS != 0 { Sink::records() } else { Sink::console() };
        // The first program has the ports, so there is no error to meet.
        let written = sink.write(&line[..complete]);
        debug_assert!(written.is_ok());
        line.drain(..complete);
    }
}
