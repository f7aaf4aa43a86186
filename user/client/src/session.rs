//! The client's session at the transfer service, opened and closed; its Tables.
//!
//! What must hold: the worker's two frames are the client's own. It lends them under a bound, through a
//! proxy, and takes them back whatever the service does.

use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED, REFUSED};
use freehold_protocol::client::SOURCE;
use freehold_protocol::transfer::{CLOSE, OPEN, SLICE_TABLES_MAX, TRANSFER};
use freehold_rt::abi::layout::{BLOCK, ENTRIES};
use freehold_rt::abi::message::Item;
use freehold_rt::calls::{Lend, range};
use freehold_rt::memory::MapError;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, memory, start};

/// Priority at which the worker is to run: the client's own.
const PRIORITY: u32 = 8;
/// What can be derived from each of the worker's frames: the kernel's capability to the thread, the
/// mapping of the UTCB.
const WORKER: Lend = Lend::exactly(8);

/// An open session.
pub struct Session {
    /// What to send pieces to.
    pub worker: Slot,
    number: u32,
    /// What the service's capability to the frames hangs on, and the one in the answer to the order.
    proxy: Slot,
    frames: Extent,
}

/// What the client has at the service.
#[derive(Default)]
pub struct Sessions {
    /// The session, if one is open.
    pub open: Option<Session>,
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
            Err(error) => failed(error),
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

    /// Opens a session for `bytes` bytes.
    pub fn open(&mut self, bytes: u32) -> Message {
        let closed = self.close();
        if closed.label() != DONE {
            return closed;
        }
        match Session::open(bytes) {
            Ok(Some(session)) => {
                let mut answer = Message::of(DONE, &[session.number]);
                let source = session.proxy.name();
                answer.push_item(Item { source, moved: false, rights: Rights::EDIT, total: 0 });
                self.open = Some(session);
                answer
            }
            Ok(None) => Message::new(REFUSED),
            Err(error) => failed(error),
        }
    }

    /// Closes it, if one is open.
    pub fn close(&mut self) -> Message {
        self.open.take().map_or(Ok(()), Session::close).map_or_else(failed, |()| Message::new(DONE))
    }
}

impl Session {
    /// `Ok(None)`: the service has refused.
    fn open(bytes: u32) -> Result<Option<Session>, MapError> {
        let service = start::capability(TRANSFER).ok_or(Error::NoCapability)?;
        let worker = Slot::take().ok_or(MapError::OutOfSlots)?;
        let proxy = Slot::take().ok_or(MapError::OutOfSlots)?;
        let frames = memory::take(2, 1).ok_or(MapError::OutOfMemory)?;
        let opened = Session::ask(service, bytes, &worker, &proxy, frames);
        match opened {
            Ok(Some(number)) => Ok(Some(Session { worker, number, proxy, frames })),
            Ok(None) | Err(_) => {
                drop(proxy);
                memory::release(frames).map_err(|stop| stop.error)?;
                opened.map(|_| None).map_err(MapError::Kernel)
            }
        }
    }

    /// Lends the frames and calls the service.
    fn ask(
        service: CapName,
        bytes: u32,
        worker: &Slot,
        proxy: &Slot,
        frames: Extent,
    ) -> Result<Option<u32>, Error> {
        let rights = Rights::EDIT.or(Rights::SHARE);
        let roots = range(frames.first, frames.count);
        calls::lend(frames.container, proxy.reference(), rights, roots, WORKER, 2)?;
        let mut message = Message::of(OPEN, &[bytes, PRIORITY]);
        let source = proxy.name();
        message.push_item(Item { source, moved: false, rights: Rights::EDIT, total: 0 });
        let utcb = Utcb::current();
        utcb.set_slots(worker.name(), 1);
        let answer = calls::call(service, &message);
        utcb.set_slots(CapName::NONE, 0);
        let answer = answer?;
        match answer.label() {
            DONE if answer.items() == 1 => Ok(Some(answer.word(0))),
            FAILED => Err(Error::from_status(answer.word(0)).unwrap_or(Error::BadMessage)),
            _ => Ok(None),
        }
    }

    fn close(self) -> Result<(), MapError> {
        let Session { worker, proxy, frames, .. } = self;
        if let Some(service) = start::capability(TRANSFER) {
            // A service that is gone has no session either.
            let _ = calls::call(service, &Message::new(CLOSE));
        }
        drop((worker, proxy));
        memory::release(frames).map_err(|stop| stop.error.into())
    }
}

fn failed(error: MapError) -> Message {
    match error {
        MapError::Kernel(error) => Message::of(FAILED, &[error as u32]),
        MapError::OutOfMemory | MapError::OutOfSlots => Message::new(EXHAUSTED),
    }
}
