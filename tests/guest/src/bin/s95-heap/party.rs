//! Spaces that map pages to one another at the test's orders.
//!
//! What must hold: a party always waits at its endpoint when no order is being carried out, with the window that it was
//! told last; so whoever sends to it finds it, be that the test or another party. Its probe touches memory in its space.

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::error;
use freehold_abi::info::State;
use freehold_abi::layout::{FRAME, utcb};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::probe::{Fault, Probe};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

/// Names in a party's space: its own endpoint, and those of the others.
const OWN: CapName = CapName(9);
const OTHERS: u32 = 10;

/// Orders, by label. Anything else is answered.
const OPEN: u16 = 1;
const PASS: u16 = 2;
const UNMAP: u16 = 3;

/// A space with a thread that obeys and one that touches memory.
pub struct Party {
    pub home: Home,
    number: usize,
    endpoint: Slot,
    probe: Probe,
    _worker: Worker,
}

/// So many parties, at most four, each of which can send to all others. Their windows are whole.
pub fn parties(count: usize) -> Vec {
    let parties: Vec = (0..count).map(Party::new).collect();
    for from in &parties {
        for to in &parties {
            from.home.give(CapName(OTHERS + to.number as u32), to.endpoint.name(), Rights::SEND, 0);
        }
    }
    parties
}

/// Parties.
pub type Vec = alloc::vec::Vec<Party>;

/// Where parties see pages, with nothing of theirs for 64 MiB: a multiple of 4 MiB.
pub const THERE: u32 = 0x5000_0000;

/// One page.
pub const fn page(address: u32, rights: Rights) -> Fpage {
    Fpage::new(address, 0, rights.0 as u32)
}

/// The item that maps an fpage into a whole window at `to`.
pub const fn at(fpage: Fpage, to: u32) -> MapItem {
    MapItem { fpage, hot_spot: to / FRAME, grant: false }
}

/// The same granted.
pub const fn granted(fpage: Fpage, to: u32) -> MapItem {
    MapItem { grant: true, ..at(fpage, to) }
}

impl Party {
    fn new(number: usize) -> Party {
        let (home, endpoint) = (Home::new(), endpoint());
        home.give(OWN, endpoint.name(), Rights::RECEIVE, 0);
        let probe = Probe::new(&home, number);
        let worker = Worker::spawn(&home, ABOVE, obey, 0);
        check_eq!(worker.state(), State::Receiving);
        Party { home, number, endpoint, probe, _worker: worker }
    }

    /// The endpoint that it waits at.
    pub fn endpoint(&self) -> CapName {
        self.endpoint.name()
    }

    fn order(&self, message: &Message) -> Result<(), Error> {
        let reply = calls::call(self.endpoint(), message)?;
        error::status(reply.word(0))
    }

    /// What arrives from now on can go there.
    pub fn open(&self, window: Fpage) {
        check_eq!(self.order(&Message::of(OPEN, &[window.0])), Ok(()));
    }

    /// The test's own space maps to this one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn take(&self, items: &[MapItem]) -> Result<(), Error> {
        let mut message = Message::new(0);
        items.iter().for_each(|&item| message.push_map(item));
        self.order(&message)
    }

    /// This space maps to `other`'s.
    ///
    /// # Errors
    /// The kernel's.
    pub fn pass(&self, other: &Party, items: &[MapItem]) -> Result<(), Error> {
        let mut message = Message::of(PASS, &[OTHERS + other.number as u32]);
        items.iter().flat_map(|item| item.encode()).for_each(|word| message.push(word));
        self.order(&message)
    }

    /// This space takes back.
    ///
    /// # Errors
    /// The kernel's.
    pub fn unmap(&self, fpage: Fpage, flush: bool) -> Result<(), Error> {
        self.order(&Message::of(UNMAP, &[fpage.0, u32::from(flush)]))
    }

    /// Reads a word there.
    ///
    /// # Errors
    /// The fault.
    pub fn read(&self, address: u32) -> Result<u32, Fault> {
        self.probe.read(address)
    }

    /// Writes a word there.
    ///
    /// # Errors
    /// The fault.
    pub fn write(&self, address: u32, word: u32) -> Result<(), Fault> {
        self.probe.write(address, word)
    }

    /// What it has of the pool.
    pub fn account(&self) -> calls::Account {
        calls::account(self.home.space()).expect("a space")
    }
}

/// What a party does.
fn obey(_: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let mut got = calls::receive(OWN);
    while let Ok(order) = got {
        let done = carry_out(&order.message);
        let reply = Message::of(0, &[done.map_or_else(|error| error as u32, |()| 0)]);
        got = calls::reply_receive(None, &reply, OWN);
    }
}

fn carry_out(order: &Message) -> Result<(), Error> {
    match order.label() {
        OPEN => Utcb::current().set(utcb::WINDOW, order.word(0)),
        PASS => {
            let mut message = Message::new(0);
            for pair in order.words()[1..].chunks(2) {
                let item = MapItem::decode([pair[0], pair[1]]).expect("a map item");
                message.push_map(item);
            }
            calls::call(CapName(order.word(0)), &message)?;
        }
        UNMAP => calls::fpage_unmap(Fpage(order.word(0)), order.word(1) != 0)?,
        _ => {}
    }
    Ok(())
}
