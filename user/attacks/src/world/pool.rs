//! L4's model: pages come from the root and go on by map items; what that costs is the kernel's.

use freehold_protocol::attack::MAP;
use freehold_rt::abi::designs::{Fpage, MapItem};
use freehold_rt::abi::layout::{FRAME, utcb};
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options};
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

use super::Refusal;
use super::message::{BACK, TAKE};
use super::serve::done;
use crate::kit::{Kit, PRIORITY};

pub(super) struct Pool {
    root: CapName,
    peer: CapName,
    /// A thread of the own space listens there.
    local: Slot,
    /// Pages obtained.
    obtained: u32,
}

impl Pool {
    pub(super) fn new(kit: &Kit) -> Result<Pool, Refusal> {
        let local = Slot::take().ok_or(Refusal::Exhausted)?;
        calls::make_endpoint(local.reference())?;
        thread::spawn(take, local.name().0, Options { stack_pages: 2, ..Options::new(PRIORITY) })?;
        // From its answer on it is there to receive: what is for nobody yet counts as leaving the space (redirector).
        calls::call(local.name(), &Message::new(TAKE))?;
        let root = kit.root.ok_or(Refusal::Partner(None))?;
        Ok(Pool { root, peer: kit.peer, local, obtained: 0 })
    }

    pub(super) fn obtain(&mut self, address: u32) -> Result<(), Refusal> {
        let message = Message::of(MAP, &[self.obtained, address]);
        receiving(fpage(address, 1), || done(calls::call(self.root, &message)))?;
        self.obtained += 1;
        Ok(())
    }

    pub(super) fn alias(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        done(calls::call(self.local.name(), &with_item(TAKE, from, to, pages))).map(drop)
    }

    pub(super) fn delegate(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        done(calls::call(self.peer, &with_item(TAKE, from, to, pages))).map(drop)
    }

    pub(super) fn grant(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        let mut message = Message::new(TAKE);
        message.push_map(MapItem { fpage: fpage(from, pages), hot_spot: to / FRAME, grant: true });
        done(calls::call(self.peer, &message)).map(drop)
    }

    pub(super) fn delegate_back(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        let message = Message::of(BACK, &[from, to, pages]);
        receiving(Fpage::WHOLE, || done(calls::call(self.peer, &message))).map(drop)
    }

    pub(super) fn unmap(&mut self, at: u32, pages: u32, flush: bool) -> Result<(), Refusal> {
        Ok(calls::fpage_unmap(Fpage(fpage(at, pages).0 & !7), flush)?)
    }
}

/// Takes map items for the own space, wherever they are for.
fn take(endpoint: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let answer = |_: Result<calls::Received, Error>| Some(Message::new(0));
    freehold_rt::serve::serve(CapName(endpoint), answer);
}

/// Does `work`, in which map items may arrive in `window`.
pub(super) fn receiving<R>(window: Fpage, work: impl FnOnce() -> R) -> R {
    let utcb = Utcb::current();
    let before = utcb.get(utcb::WINDOW);
    utcb.set(utcb::WINDOW, window.0);
    let result = work();
    utcb.set(utcb::WINDOW, before);
    result
}

/// Pages, writable.
fn fpage(address: u32, pages: u32) -> Fpage {
    Fpage::new(address, pages.ilog2(), Rights::WRITE.bits())
}

/// A message with one map item: own pages at `from`, for the receiver's pages at `to`, if its window is all addresses.
pub fn with_item(label: u16, from: u32, to: u32, pages: u32) -> Message {
    let mut message = Message::new(label);
    message.push_map(MapItem { fpage: fpage(from, pages), hot_spot: to / FRAME, grant: false });
    message
}
