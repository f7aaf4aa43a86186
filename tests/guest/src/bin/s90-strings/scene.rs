//! A sender, a receiver, memory of each, and the pager of both, which is the first thread itself.

use freehold_abi::fault;
use freehold_abi::info::State;
use freehold_abi::layout::FRAME;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::ABOVE;
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;
use freehold_rt::{Error, Message, Utcb, calls};

use crate::actor::{Actor, FAULTS, Outcome};
use crate::memory::{Memory, fill, guard};
use crate::order::{Order, part};

/// Where the two live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Both in the program's own space.
    Same,
    /// Each in a space of its own.
    Apart,
    /// The same, and the sender above the receiver.
    SenderAbove,
    /// The same, and the receiver above the sender.
    ReceiverAbove,
}

impl Place {
    /// Their spaces.
    pub fn homes(self) -> [Home; 2] {
        match self {
            Place::Same => [Home::own(), Home::own()],
            Place::Apart | Place::SenderAbove | Place::ReceiverAbove => [Home::new(), Home::new()],
        }
    }
}

/// Badges of their messages.
pub const SENDER: u32 = 0x51;
pub const RECEIVER: u32 = 0x52;

/// Directory indices of their memory.
const FROM: u32 = 300;
const TO: u32 = 320;

/// The cast.
pub struct Scene {
    pub sender: Actor,
    pub receiver: Actor,
    pub homes: [Home; 2],
    pub door: Slot,
    pub faults: Slot,
    pub from: Memory,
    pub to: Memory,
}

/// A fault that the pager hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub who: u32,
    pub address: u32,
    pub access: u32,
}

impl Scene {
    /// The cast, with `pages` of memory each, filled and guarded.
    pub fn new(place: Place, pages: u32) -> Scene {
        let (usual, higher) = (ABOVE.priority, ABOVE.priority + 2);
        let priorities = match place {
            Place::SenderAbove => [higher, usual],
            Place::ReceiverAbove => [usual, higher],
            _ => [usual; 2],
        };
        Scene::at(priorities, place.homes(), pages).prepared(pages)
    }

    /// The same in these spaces.
    pub fn in_homes(homes: [Home; 2], pages: u32) -> Scene {
        Scene::at([ABOVE.priority; 2], homes, pages).prepared(pages)
    }

    fn prepared(self, pages: u32) -> Scene {
        fill(whole(&self.from, pages));
        guard(whole(&self.to, pages));
        self
    }

    /// The same with sender and receiver at these priorities, and the memory clear.
    pub fn at(priorities: [u8; 2], homes: [Home; 2], pages: u32) -> Scene {
        board::clear();
        let (door, faults) = (endpoint(), endpoint());
        let (mut from, mut to) = (Memory::new(FROM, &homes[0]), Memory::new(TO, &homes[1]));
        from.back(0, pages);
        to.back(0, pages);
        let names = [door.name(), faults.name()];
        let sender = Actor::at(priorities[0], &homes[0], 0, names, SENDER);
        let receiver = Actor::at(priorities[1], &homes[1], 1, names, RECEIVER);
        Scene { sender, receiver, homes, door, faults, from, to }
    }

    /// The next fault at the pager, if there is one.
    pub fn fault(&self) -> Option<Fault> {
        let got = Utcb::current().within((0, 0), || calls::receive(self.faults.name())).ok()?;
        check_eq!(got.message.label(), fault::PAGE_FAULT);
        Some(Fault { who: got.badge - FAULTS, address: got.message.word(0), access: got.message.word(1) })
    }

    /// Answers the last fault.
    pub fn answer(&self, label: u16, words: &[u32]) -> Result<(), Error> {
        calls::reply(None, &Message::of(label, words))
    }

    /// Answers the last fault: the page is there.
    pub fn resume(&self) {
        check_eq!(self.answer(fault::RESUME, &[]), Ok(()));
    }

    /// Lets the client have called the server, which holds the reply capability. The receiver of strings is
    /// the client.
    pub fn have_called(&self, call: &Order) {
        self.sender.go(&Order::receive(self.sender.door));
        self.sender.waits(State::Receiving, format_args!("the server"));
        self.receiver.go(call);
        self.sender.check(Outcome::Done, format_args!("the request"));
        self.receiver.waits(State::AwaitingReply, format_args!("the client"));
    }

    /// A receiver that goes on receiving is served by a plain message, and has kept its accepting self.
    pub fn serve_receiver(&self, what: core::fmt::Arguments<'_>) {
        self.receiver.waits(State::Receiving, what);
        check_eq!(calls::send(self.door.name(), &Message::of(0x77, &[7])), Ok(()), "{what}");
        self.receiver.check(Outcome::Done, what);
        check_eq!((self.receiver.register(0), self.receiver.message(1)), (0, 7), "{what}");
    }
}

/// All of both, as one part each.
pub fn whole(memory: &Memory, pages: u32) -> Part {
    part(memory.base(), pages * FRAME)
}

/// Checks that nobody's fault waits.
pub fn no_fault(scene: &Scene, what: core::fmt::Arguments<'_>) {
    check!(scene.fault().is_none(), "{what}");
}
