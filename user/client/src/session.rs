//! What the client has at the transfer service: its session, the Tables of its source region.

use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED, REFUSED};
use freehold_protocol::client::{CARRIED, SOURCE};
use freehold_protocol::server::DIGEST;
use freehold_protocol::transfer::{ABORTED, SLICE_TABLES_MAX, TRANSFER};
use freehold_rt::abi::layout::{BLOCK, ENTRIES};
use freehold_rt::abi::message::Item;
use freehold_rt::memory::MapError;
use freehold_rt::transfer::{Failure, Session};
use freehold_rt::{CapName, Message, Rights, calls, memory, start};

/// Priority at which the worker is to run: the client's own.
const PRIORITY: u8 = 8;

/// Bytes of the reply to a transfer.
const REPLY: usize = 32;

/// What the client has at the service.
#[derive(Default)]
pub struct Sessions {
    /// The session, if one is open.
    open: Option<Session>,
    /// Numbers, in the client's space, of the source region's Tables.
    tables: [u32; SLICE_TABLES_MAX],
    /// How many there are.
    count: usize,
}

impl Sessions {
    /// Supplies the Tables that `pages` pages of the source region need.
    pub fn prepare(&mut self, pages: u32) -> Message {
        match self.supply(pages.div_ceil(ENTRIES)) {
            Ok(entries) => Message::of(DONE, &[entries]),
            Err(error) => failed(error.into()),
        }
    }

    /// Returns how many of their entries are in use, by the kernel's count.
    fn supply(&mut self, tables: u32) -> Result<u32, MapError> {
        while self.count < SLICE_TABLES_MAX.min(tables as usize) {
            memory::grow(SOURCE / BLOCK + self.count as u32)?;
            self.tables[self.count] = calls::space_summary(CapName::NONE)?.tables - 1;
            self.count += 1;
        }
        let mut entries = 0;
        for &table in &self.tables[..self.count] {
            entries += calls::space_table(CapName::NONE, table)?.live;
        }
        Ok(entries)
    }

    /// Opens a session for requests of `bytes` bytes.
    pub fn open(&mut self, bytes: u32) -> Message {
        let closed = self.close();
        if closed.label() != DONE {
            return closed;
        }
        let service = start::capability(TRANSFER).unwrap_or(CapName::NONE);
        match Session::open(service, bytes.max(REPLY as u32), PRIORITY) {
            Ok(session) => {
                let mut answer = Message::of(DONE, &[session.number().unwrap_or(0)]);
                let source = session.frames().unwrap_or(CapName::NONE);
                answer.push_item(Item { source, moved: false, rights: Rights::EDIT, total: 0 });
                self.open = Some(session);
                answer
            }
            Err(failure) => failed(failure),
        }
    }

    /// Closes it, if one is open.
    pub fn close(&mut self) -> Message {
        let closed = self.open.take().map_or(Ok(()), Session::close);
        closed.map_or_else(|stop| failed(stop.error.into()), |()| Message::new(DONE))
    }

    /// Has the server compute the digest of the source region's first `bytes` bytes.
    pub fn transfer(&mut self, bytes: u32) -> Message {
        let Some(session) = &mut self.open else { return Message::new(REFUSED) };
        // SAFETY: the source region holds plain bytes that this program never writes, and nothing else that
        // Rust knows of; the pager brings its pages when they are touched.
        let request = unsafe { core::slice::from_raw_parts(SOURCE as *const u8, bytes as usize) };
        let mut digest = [0; REPLY];
        match session.call(DIGEST as u16, [0; 2], request, &mut digest) {
            Ok(answer) if answer.bytes == REPLY as u32 => {
                let mut carried = Message::new(CARRIED);
                for word in digest.chunks_exact(4) {
                    carried.push(u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
                }
                carried.push(answer.resumed);
                carried
            }
            Ok(answer) => Message::of(REFUSED, &[answer.status]),
            Err(failure) => failed(failure),
        }
    }
}

fn failed(failure: Failure) -> Message {
    match failure {
        Failure::Call(error) => Message::of(FAILED, &[error as u32]),
        Failure::Aborted { reason, error } => {
            Message::of(ABORTED, &[reason, error.map_or(0, |error| error as u32)])
        }
        Failure::Exhausted => Message::new(EXHAUSTED),
        Failure::Refused | Failure::Senseless => Message::new(REFUSED),
    }
}
