//! Messages with strings by every route: what goes out, how it comes in, and what both know when it is over.

use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::message::Item;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Message, Tag, calls};

use crate::actor::Outcome;
use crate::memory::arrived;
use crate::order::Order;
use crate::scene::{SENDER, Scene};

/// What kind of message the strings belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Send,
    Call,
    Reply,
    ReplyReceive,
}

/// A way, and who waits for the other. Whoever answers never waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub way: Way,
    pub sender_first: bool,
}

/// All of them.
pub const ROUTES: [Route; 6] = [
    Route { way: Way::Send, sender_first: false },
    Route { way: Way::Send, sender_first: true },
    Route { way: Way::Call, sender_first: false },
    Route { way: Way::Call, sender_first: true },
    Route { way: Way::Reply, sender_first: false },
    Route { way: Way::ReplyReceive, sender_first: false },
];

impl Route {
    pub fn is_reply(self) -> bool {
        matches!(self.way, Way::Reply | Way::ReplyReceive)
    }
}

const LABEL: u16 = 0x1234;

/// One message, from both sides.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    pub strings: &'a [Part],
    pub buffers: &'a [Part],
    pub words: &'a [u32],
    pub items: &'a [Item],
    pub slots: (CapName, u32),
    /// How long the sender lets a fault be waited for: its own, the receiver's.
    pub send_faults: (u32, u32),
    /// How long the receiver does: its own, the sender's.
    pub receive_faults: (u32, u32),
    /// Time limits (to send, to receive) of the sender, and of the receiver.
    pub limits: [(u32, u32); 2],
}

impl<'a> Letter<'a> {
    /// Strings and buffers only; no fault is waited for.
    pub const fn new(strings: &'a [Part], buffers: &'a [Part]) -> Letter<'a> {
        Letter {
            strings,
            buffers,
            words: &[],
            items: &[],
            slots: (CapName::NONE, 0),
            send_faults: (0, 0),
            receive_faults: (0, 0),
            limits: [(FOREVER, FOREVER); 2],
        }
    }

    /// Every fault is waited for.
    pub const fn patient(self) -> Letter<'a> {
        Letter { send_faults: (FOREVER, FOREVER), receive_faults: (FOREVER, FOREVER), ..self }
    }

    pub fn bytes(&self) -> u32 {
        self.strings.iter().map(|part| part.bytes).sum()
    }

    fn outward(&self, order: Order) -> Order {
        let (send, receive) = self.limits[0];
        order
            .words(self.words)
            .items(self.items)
            .strings(self.strings, self.send_faults)
            .limits(send, receive)
    }

    fn inward(&self, order: Order) -> Order {
        let (send, receive) = self.limits[1];
        order
            .accept(self.buffers, self.receive_faults)
            .slots(self.slots.0, self.slots.1)
            .limits(send, receive)
    }
}

impl Scene {
    /// The order of the one who sends.
    pub fn outward(&self, route: Route, letter: &Letter<'_>) -> Order {
        letter.outward(match route.way {
            Way::Send => Order::send(self.sender.door, LABEL),
            Way::Call => Order::call(self.sender.door, LABEL),
            Way::Reply => Order::reply(LABEL),
            Way::ReplyReceive => Order::reply_receive(self.sender.door, LABEL),
        })
    }

    /// The order of the one who receives.
    pub fn inward(&self, route: Route, letter: &Letter<'_>) -> Order {
        letter.inward(match route.is_reply() {
            true => Order::call(self.receiver.door, 1),
            false => Order::receive(self.receiver.door),
        })
    }

    /// Lets it happen. When this returns all is over, or waits.
    pub fn carry(&self, route: Route, letter: &Letter<'_>) {
        self.meet(route, letter);
        if route.sender_first {
            self.receiver.go(&self.inward(route, letter));
        } else {
            self.sender.go(&self.outward(route, letter));
        }
    }

    /// The same; the sender and the receiver have other pagers than the first thread.
    pub fn carry_with_pagers(&self, route: Route, letter: &Letter<'_>, [sender, receiver]: [CapName; 2]) {
        let (out, into) = (self.outward(route, letter), self.inward(route, letter));
        match (route.is_reply(), route.sender_first) {
            (true, _) => {
                self.sender.go(&Order::receive(self.sender.door));
                self.receiver.go_with_pager(&into, receiver);
                self.sender.go_with_pager(&out, sender);
            }
            (false, true) => {
                self.sender.go_with_pager(&out, sender);
                self.receiver.go_with_pager(&into, receiver);
            }
            (false, false) => {
                self.receiver.go_with_pager(&into, receiver);
                self.sender.go_with_pager(&out, sender);
            }
        }
    }

    /// Lets the first of the two wait for the other.
    pub fn meet(&self, route: Route, letter: &Letter<'_>) {
        if route.is_reply() {
            self.have_called(&self.inward(route, letter));
        } else if route.sender_first {
            self.sender.go(&self.outward(route, letter));
            let state = if route.way == Way::Call { State::Calling } else { State::Sending };
            self.sender.waits(state, format_args!("{route:?}"));
        } else {
            self.receiver.go(&self.inward(route, letter));
            self.receiver.waits(State::Receiving, format_args!("{route:?}"));
        }
    }

    /// Checks that all of it has been delivered, and lets both come to an end. `regions` is all memory of the
    /// receiver.
    pub fn delivered(
        &self,
        route: Route,
        letter: &Letter<'_>,
        regions: &[Part],
        what: core::fmt::Arguments<'_>,
    ) {
        self.receiver.check(Outcome::Done, what);
        let tag =
            Tag::new(LABEL, letter.words.len() as u32).with_items(letter.items.len() as u32).with_strings();
        check_eq!(self.receiver.message(0), tag.0, "{what}");
        check_eq!(self.receiver.register(0), if route.is_reply() { 0 } else { SENDER }, "badge: {what}");
        check_eq!(self.receiver.after(utcb::ARRIVED), letter.bytes(), "{what}");
        let same = |(index, &word): (usize, &u32)| self.receiver.message(1 + index) == word;
        check!(letter.words.iter().enumerate().all(same), "words: {what}");
        check!(arrived(letter.strings, letter.buffers, letter.bytes(), regions), "bytes: {what}");
        self.part(route, what);
    }

    /// Both come to an end after a delivery.
    pub fn part(&self, route: Route, what: core::fmt::Arguments<'_>) {
        match route.way {
            Way::Send | Way::Reply => {}
            Way::Call => {
                self.sender.waits(State::AwaitingReply, what);
                self.receiver.go(&Order::reply(2));
                self.receiver.check(Outcome::Done, what);
            }
            Way::ReplyReceive => self.serve_sender(what),
        }
        self.sender.check(Outcome::Done, what);
    }

    /// A server that has answered receives.
    pub fn serve_sender(&self, what: core::fmt::Arguments<'_>) {
        self.sender.waits(State::Receiving, what);
        check_eq!(calls::send(self.door.name(), &Message::of(0x77, &[7])), Ok(()), "{what}");
    }
}
