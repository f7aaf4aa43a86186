//! The client: does what it is ordered, a file for each kind of order.

#![no_std]
#![no_main]

extern crate alloc;

mod probe;
mod session;
mod victim;

use freehold_protocol::answer::{FAILED, REFUSED};
use freehold_protocol::client::{self as orders, CARRIED};
use freehold_protocol::server::SERVER;
use freehold_protocol::transfer::ABORTED;
use freehold_protocol::{probe as probes, victim as victims};
use freehold_rt::{Error, Message, calls, entry, serve, start};

use session::Sessions;
use victim::Victim;

entry!(main);

/// What the client keeps between two orders.
#[derive(Default)]
struct Client {
    victim: Victim,
    sessions: Sessions,
    /// What the last transfer came to.
    outcome: Option<Message>,
}

fn main() {
    let endpoint = start::capability(orders::ORDERS).expect("given by whoever starts the client");
    let mut client = Client::default();
    serve::serve(endpoint, |received| Some(client.obey(&received.ok()?.message)));
}

impl Client {
    fn obey(&mut self, order: &Message) -> Message {
        match order.label() {
            orders::PREPARE => self.sessions.prepare(order.word(0)),
            orders::OPEN => self.sessions.open(order.word(0)),
            orders::TRANSFER => self.transfer(order.word(0)),
            orders::CLOSE => self.sessions.close(),
            orders::OUTCOME => self.outcome.unwrap_or(Message::new(REFUSED)),
            orders::PING => ping(),
            victims::MEASURE => self.victim.measure(order.word(0)),
            victims::RESULT => self.victim.result(),
            probes::READ => probe::read(order.word(0)),
            probes::WRITE => probe::write(order.word(0), order.word(1)),
            _ => Message::new(REFUSED),
        }
    }

    fn transfer(&mut self, bytes: u32) -> Message {
        let outcome = self.sessions.transfer(bytes);
        debug_assert!(matches!(outcome.label(), CARRIED | ABORTED | FAILED | REFUSED));
        self.outcome = Some(outcome);
        outcome
    }
}

fn ping() -> Message {
    let server = start::capability(SERVER).ok_or(Error::NoCapability);
    let answer =
        server.and_then(|server| calls::call(server, &Message::new(freehold_protocol::server::PING)));
    answer.unwrap_or_else(|error| Message::of(FAILED, &[error as u32]))
}
