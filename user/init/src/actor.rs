//! Programs that do what they are ordered: each has an endpoint `orders`, and only the first program
//! may call it.

use freehold_protocol::answer::DONE;
use freehold_rt::calls::{self, Stop};
use freehold_rt::child::Child;
use freehold_rt::load::{Grant, Program, load};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Utcb};

use alloc::vec::Vec;

use crate::failure::Failure;
use crate::modules;
use crate::services::Services;

/// Milliseconds that an order may take to be carried out, of the machine's time.
const LIMIT: u32 = 60_000;

/// A program and the endpoint at which it takes orders. It ends when this is dropped.
#[derive(Debug)]
pub struct Actor {
    child: Child,
    orders: Slot,
}

impl Actor {
    /// Starts the module `name` as client number `number` of the services. `settings` says everything
    /// else; its file and grants are not read: the program gets the console, the records, its orders,
    /// and `grants`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(
        services: &Services,
        name: &str,
        number: u32,
        settings: Program<'_>,
        grants: &[Grant<'_>],
    ) -> Result<Actor, Failure> {
        Actor::start_at(new_endpoint()?, services, name, number, settings, grants)
    }

    /// The same with an endpoint that exists: others may have been given the right to send there.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start_at(
        orders: Slot,
        services: &Services,
        name: &str,
        number: u32,
        settings: Program<'_>,
        grants: &[Grant<'_>],
    ) -> Result<Actor, Failure> {
        let file = modules::open(name)?.ok_or(Failure::NoModule)?;
        let own =
            [services.console(number), services.records(number), Grant::receive("orders", orders.name())];
        let grants: Vec<Grant<'_>> = own.iter().chain(grants).copied().collect();
        let child = load(&Program { file: &file, grants: &grants, ..settings })?;
        child.start()?;
        Ok(Actor { child, orders })
    }

    /// The capability to its space.
    pub fn space(&self) -> CapName {
        self.child.space()
    }

    /// Gives an order and waits for the answer, at most for a minute of the machine's time.
    ///
    /// # Errors
    /// Those of a call: Timeout, PeerGone and so on.
    pub fn order(&self, label: u16, words: &[u32]) -> Result<Message, Error> {
        self.order_within(LIMIT, label, words)
    }

    /// The same with a limit in milliseconds.
    ///
    /// # Errors
    /// As [`Actor::order`].
    pub fn order_within(&self, limit: u32, label: u16, words: &[u32]) -> Result<Message, Error> {
        Utcb::current().within((limit, limit), || calls::call(self.orders.name(), &Message::of(label, words)))
    }

    /// An order that must be answered with DONE; the answer.
    ///
    /// # Errors
    /// Refused with any other label; Kernel for the errors of a call.
    pub fn obeys(&self, label: u16, words: &[u32]) -> Result<Message, Failure> {
        let answer = self.order(label, words)?;
        if answer.label() == DONE { Ok(answer) } else { Err(Failure::Refused(answer.label())) }
    }

    /// Ends the program; all its frames come back. Returns their number.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed.
    pub fn destroy(self) -> Result<u32, Stop> {
        self.child.destroy()
    }
}

/// An endpoint in a slot of its own.
///
/// # Errors
/// NoSlot, or the kernel's.
pub fn new_endpoint() -> Result<Slot, Failure> {
    let slot = Slot::take().ok_or(Failure::NoSlot)?;
    calls::make_endpoint(slot.reference())?;
    Ok(slot)
}

/// A notification in a slot of its own.
///
/// # Errors
/// NoSlot, or the kernel's.
pub fn new_notification() -> Result<Slot, Failure> {
    let slot = Slot::take().ok_or(Failure::NoSlot)?;
    calls::make_notification(slot.reference())?;
    Ok(slot)
}
