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
const LIMIT: u32 = 120_000;

/// A program and the endpoints that it serves. It ends when this is dropped.
#[derive(Debug)]
pub struct Actor {
    child: Child,
    /// The first one is where it takes orders.
    endpoints: Vec<Slot>,
}

impl Actor {
    /// Starts the module `name` as client number `number` of the services. `settings` says everything
    /// else; its file and grants are not read: the program gets the console, its orders, and `grants`.
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
        let endpoints = Vec::from([("orders", orders)]);
        Actor::serving(endpoints, services, name, number, settings, grants)
    }

    /// The same with these endpoints, under these names; orders go to the first one.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn serving(
        endpoints: Vec<(&str, Slot)>,
        services: &Services,
        name: &str,
        number: u32,
        settings: Program<'_>,
        grants: &[Grant<'_>],
    ) -> Result<Actor, Failure> {
        Actor::prepared(endpoints, services, name, number, settings, grants, |_| Ok(()))
    }

    /// The same; `prepare` does something to its space before the first thread runs.
    ///
    /// # Errors
    /// [`Failure`], `prepare`'s too.
    pub fn prepared(
        endpoints: Vec<(&str, Slot)>,
        services: &Services,
        name: &str,
        number: u32,
        settings: Program<'_>,
        grants: &[Grant<'_>],
        prepare: impl FnOnce(CapName) -> Result<(), Failure>,
    ) -> Result<Actor, Failure> {
        let file = modules::open(name)?.ok_or(Failure::NoModule)?;
        let served = endpoints.iter().map(|(name, endpoint)| Grant::receive(name, endpoint.name()));
        let grants: Vec<Grant<'_>> =
            [services.console(number)].into_iter().chain(served).chain(grants.iter().copied()).collect();
        let child = load(&Program { file: &file, grants: &grants, ..settings })?;
        prepare(child.space())?;
        child.start()?;
        let endpoints = endpoints.into_iter().map(|(_, endpoint)| endpoint).collect();
        Ok(Actor { child, endpoints })
    }

    /// The capability to its space.
    pub fn space(&self) -> CapName {
        self.child.space()
    }

    /// The capability to its first thread.
    pub fn thread(&self) -> CapName {
        self.child.thread()
    }

    /// One of its endpoints.
    ///
    /// # Panics
    /// If it has not so many.
    pub fn endpoint(&self, index: usize) -> CapName {
        self.endpoints[index].name()
    }

    /// Gives an order and waits for the answer, at most for two minutes of the machine's time.
    ///
    /// # Errors
    /// Those of a call: Timeout, PeerGone and so on.
    pub fn order(&self, label: u16, words: &[u32]) -> Result<Message, Error> {
        self.order_at(0, label, words)
    }

    /// The same at another of its endpoints.
    ///
    /// # Errors
    /// As [`Actor::order`].
    ///
    /// # Panics
    /// If it has not so many.
    pub fn order_at(&self, endpoint: usize, label: u16, words: &[u32]) -> Result<Message, Error> {
        let message = Message::of(label, words);
        Utcb::current().within((LIMIT, LIMIT), || calls::call(self.endpoints[endpoint].name(), &message))
    }

    /// Gives an order and does not wait until it is carried out.
    ///
    /// # Errors
    /// Those of a send.
    pub fn tell(&self, label: u16, words: &[u32]) -> Result<(), Error> {
        let message = Message::of(label, words);
        Utcb::current().within((LIMIT, 0), || calls::send(self.endpoints[0].name(), &message))
    }

    /// An order that must be answered with DONE; the answer.
    ///
    /// # Errors
    /// Refused with any other label; Kernel for the errors of a call.
    pub fn obeys(&self, label: u16, words: &[u32]) -> Result<Message, Failure> {
        expect(self.order(label, words)?, DONE)
    }

    /// Ends the program; whoever waits for it learns so. All its frames come back. Returns their number.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed.
    pub fn destroy(self) -> Result<u32, Stop> {
        let Actor { child, endpoints } = self;
        let returned = child.destroy();
        drop(endpoints);
        returned
    }
}

/// The answer, if it is the one expected.
///
/// # Errors
/// Refused.
pub fn expect(answer: Message, label: u16) -> Result<Message, Failure> {
    if answer.label() == label { Ok(answer) } else { Err(Failure::Refused(answer.label())) }
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
