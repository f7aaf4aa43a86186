//! A client: its space, its region, what the pager does about its faults.

use freehold_rt::abi::fault::{ACCESS_PRESENT, RESUME, RESUME_AT, STOP};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::abi::update::Update;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, calls};

use crate::frames::Frames;

/// Pages of a client's that show frames, read-only.
#[derive(Clone, Copy)]
pub struct Region {
    /// Address of the first page.
    pub address: u32,
    /// Pages.
    pub pages: u32,
    /// Number of the first frame.
    pub first: u32,
}

/// A fault that is not answered for now.
struct Held {
    address: u32,
    reply: Slot,
}

/// One of the pager's clients.
pub struct Client {
    space: CapName,
    region: Option<Region>,
    /// Faults dealt with since the region was set.
    faults: u32,
    /// Faults that will be dealt with before the pager falls silent; `None`: it does not.
    until_quiet: Option<u32>,
    held: Option<Held>,
    /// EIP and ESP for the next fault outside the region.
    recovery: Option<(u32, u32)>,
}

impl Client {
    /// A client of which only the space is known.
    pub fn new(space: CapName) -> Client {
        Client { space, region: None, faults: 0, until_quiet: None, held: None, recovery: None }
    }

    /// Sets the region; none of its pages is present then.
    pub fn set_region(&mut self, region: Region) -> Result<(), Error> {
        match calls::unmap(self.space, region.address / FRAME, region.pages) {
            Ok(()) => {}
            Err(stop) => return Err(stop.error),
        }
        self.region = Some(region);
        self.faults = 0;
        Ok(())
    }

    /// Faults dealt with, and whether one is held.
    pub fn faults(&self) -> [u32; 2] {
        [self.faults, self.held.is_some().into()]
    }

    /// After `count` more faults in the region, the next ones are held.
    pub fn be_quiet_after(&mut self, count: u32) {
        self.until_quiet = Some(count);
    }

    /// Where to go on after the next fault outside the region; EIP 0: nowhere.
    pub fn recover_at(&mut self, eip: u32, esp: u32) {
        self.recovery = (eip != 0).then_some((eip, esp));
    }

    /// The answer to a page fault, if it gets one.
    pub fn fault(&mut self, frames: &Frames, address: u32, access: u32) -> Option<Message> {
        let inside = self.region.is_some_and(|region| {
            address.checked_sub(region.address).is_some_and(|offset| offset / FRAME < region.pages)
        });
        // A fault on a page that is there is a write to what can only be read.
        if !inside || access & ACCESS_PRESENT != 0 {
            return Some(match self.recovery.take() {
                Some((eip, esp)) => Message::of(RESUME_AT, &[eip, esp]),
                None => Message::new(STOP),
            });
        }
        match &mut self.until_quiet {
            None => {}
            Some(0) => {
                let reply = Slot::take()?;
                // A client that has gone meanwhile has nothing to be answered.
                calls::save_reply(reply.name()).ok()?;
                self.held = Some(Held { address, reply });
                return None;
            }
            Some(count) => *count -= 1,
        }
        let label = if self.provide(frames, address).is_ok() { RESUME } else { STOP };
        Some(Message::new(label))
    }

    /// Is quiet no more, and answers what was held.
    pub fn speak(&mut self, frames: &Frames) -> Result<(), Error> {
        self.until_quiet = None;
        let Some(held) = self.held.take() else { return Ok(()) };
        let provided = self.provide(frames, held.address);
        let label = if provided.is_ok() { RESUME } else { STOP };
        calls::reply(Some(held.reply.name()), &Message::new(label))?;
        provided
    }

    /// Maps the page at `address`, which lies in the region.
    fn provide(&mut self, frames: &Frames, address: u32) -> Result<(), Error> {
        let region = self.region.ok_or(Error::EmptySource)?;
        let frame =
            frames.get(region.first + (address - region.address) / FRAME).ok_or(Error::EmptySource)?;
        let update = Update {
            source: frame.container,
            first: frame.first,
            count: 1,
            destination: self.space,
            page: address / FRAME,
            rights: Rights::NONE,
            total_code: 0,
        };
        match calls::update(&[update]) {
            Ok(()) => self.faults += 1,
            // Another thread of the client's was quicker.
            Err(stop) if stop.error == Error::Occupied => {}
            Err(stop) => return Err(stop.error),
        }
        Ok(())
    }
}
