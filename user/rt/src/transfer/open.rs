//! A session being opened and closed.
//!
//! What must hold: the worker's two frames are the client's own. It lends them under a bound, through a
//! proxy, and takes them back whatever the service does.

use freehold_abi::message::Item;
use freehold_abi::{CapName, Error, Rights};
use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED};
use freehold_protocol::transfer::{CLOSE, OPEN};

use super::Failure;
use crate::calls::{self, Lend, Stop};
use crate::memory;
use crate::roots::Extent;
use crate::slots::Slot;
use crate::{Message, Utcb};

/// What can be derived from each of the worker's frames: the kernel's capability to the thread, the
/// mapping of the UTCB.
const WORKER: Lend = Lend::exactly(8);

/// An open session.
#[derive(Debug)]
pub struct Open {
    /// What to send pieces to.
    pub worker: Slot,
    /// Its number.
    pub number: u32,
    /// What the service's capability to the frames hangs on.
    pub proxy: Slot,
    frames: Extent,
}

impl Open {
    /// Lends frames of the program's own to the service and has it open one.
    ///
    /// # Errors
    /// As [`super::Session::open`].
    pub fn new(service: CapName, bytes: u32, priority: u8) -> Result<Open, Failure> {
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

    /// Closes it and takes the frames back.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed.
    pub fn close(self, service: CapName) -> Result<(), Stop> {
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
