//! One operation: a call to the server; then a page mapped, written, read and taken away, at addresses that go round. Every so many of
//! them, where there is a transfer service, also a request that it carries.
//!
//! What must hold: under a design without a pool the page and the Tables are the client's own, and nobody is asked for anything; under
//! the others each mapping is a map item of the root's.

use alloc::vec;
use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::attack::{ECHO, MAP, MEMORY, SERVER, TRANSFER};
use freehold_rt::abi::designs::Fpage;
use freehold_rt::abi::layout::{BLOCK, FRAME, utcb};
use freehold_rt::layout::OWN;
use freehold_rt::memory::{self, MapError};
use freehold_rt::roots::Extent;
use freehold_rt::transfer::{Failure, Session};
use freehold_rt::{CapName, Error, Message, Rights, Tag, Utcb, calls, start};

/// Blocks of 4 MiB, and pages in each of them, that the mappings go round.
const BLOCKS: u32 = 4;
const PAGES: u32 = 16;
/// Milliseconds that an operation may take before it counts as failed.
const LIMIT: u32 = 50;
/// Operations of which one has a request carried.
const CARRIED: u32 = 32;
/// Bytes of such a request.
const REQUEST: u32 = 8 << 10;
/// Priority that its worker gets, the client's own.
const PRIORITY: u8 = 8;

/// Why one failed; `None`: it was answered with something else than it should have been.
pub type Failed = Option<Error>;

/// The client's work.
pub struct Operation {
    server: CapName,
    memory: Memory,
    transfer: Option<Transfer>,
    /// Operations begun.
    number: u32,
}

enum Memory {
    /// A frame of the own.
    Own(Extent),
    /// Page 0 of those that the root keeps.
    Root(CapName),
}

struct Transfer {
    service: CapName,
    session: Option<Session>,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Operation {
    /// What is needed for it: Tables, where they are the program's own affair.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn new() -> Result<Operation, MapError> {
        let memory = if calls::design().has_pool() {
            Memory::Root(start::capability(MEMORY).ok_or(Error::NoCapability)?)
        } else {
            for block in 0..BLOCKS {
                memory::grow(OWN / BLOCK + block)?;
            }
            Memory::Own(memory::take(1, 1).ok_or(MapError::OutOfMemory)?)
        };
        let bytes = REQUEST as usize;
        let transfer = start::capability(TRANSFER);
        let transfer = transfer.map(|service| Transfer {
            service,
            session: None,
            request: vec![1; bytes],
            reply: vec![0; bytes],
        });
        let server = start::capability(SERVER).ok_or(Error::NoCapability)?;
        Ok(Operation { server, memory, transfer, number: 0 })
    }

    /// Does one.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn run(&mut self) -> Result<(), Failed> {
        self.number = self.number.wrapping_add(1);
        Utcb::current().within((LIMIT, LIMIT), || self.within_limit())
    }

    fn within_limit(&mut self) -> Result<(), Failed> {
        let words = [self.number, !self.number];
        let (tag, answer) = calls::call_short(self.server, Tag::new(ECHO, 2), words)?;
        if tag.label() != DONE || answer != words {
            return Err(None);
        }
        let address = OWN + self.number % BLOCKS * BLOCK + self.number / BLOCKS % PAGES * FRAME;
        self.memory.map(address)?;
        let place = address as *mut u32;
        // SAFETY: the page was just mapped there, writable, and nothing else uses the addresses.
        let read = unsafe {
            place.write_volatile(self.number);
            place.read_volatile()
        };
        self.memory.unmap(address)?;
        if read != self.number {
            return Err(None);
        }
        match &mut self.transfer {
            Some(transfer) if self.number.is_multiple_of(CARRIED) => transfer.run(),
            _ => Ok(()),
        }
    }
}

impl Memory {
    fn map(&self, address: u32) -> Result<(), Failed> {
        match self {
            Memory::Own(frame) => memory::map(*frame, address, Rights::WRITE).map_err(|error| match error {
                MapError::Kernel(error) => Some(error),
                _ => None,
            }),
            Memory::Root(root) => {
                Utcb::current().set(utcb::WINDOW, Fpage::new(address, 0, Rights::WRITE.bits()).0);
                let answer = calls::call(*root, &Message::of(MAP, &[0, address]))?;
                if answer.label() == DONE { Ok(()) } else { Err(Error::from_status(answer.word(0))) }
            }
        }
    }

    fn unmap(&self, address: u32) -> Result<(), Failed> {
        match self {
            Memory::Own(_) => memory::unmap(address, 1).map_err(|stop| stop.error)?,
            Memory::Root(_) => calls::fpage_unmap(Fpage::new(address, 0, 0), true)?,
        }
        Ok(())
    }
}

impl Transfer {
    /// Has the server add 1 to each byte.
    fn run(&mut self) -> Result<(), Failed> {
        let failed = |failure| match failure {
            Failure::Call(error) => Some(error),
            Failure::Aborted { error, .. } => error,
            _ => None,
        };
        let session = match &mut self.session {
            Some(session) => session,
            None => {
                let session = Session::open(self.service, REQUEST, PRIORITY).map_err(failed)?;
                self.session.insert(session)
            }
        };
        let op = freehold_protocol::server::ADD as u16;
        let answer = session.call(op, [1, 0], &self.request, &mut self.reply).map_err(failed)?;
        let right = answer.bytes == REQUEST && self.reply.iter().all(|&byte| byte == 2);
        if right { Ok(()) } else { Err(None) }
    }
}
