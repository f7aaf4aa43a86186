//! The pager: maps frames that it was given into its clients' spaces when they fault.
//!
//! What must hold: a client decides nothing but when its own pages appear. Which frames, where and
//! how many the orders say; a forged fault message brings a page that a real one would have brought.
//! The pager never waits for a client, and a client that has ended is an error of a call and no more.

#![no_std]
#![no_main]

mod client;
mod frames;

use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_protocol::pager::{CLIENTS_MAX, FAULTS, ORDERS, QUIET, RECOVER, REGION, SPACES, SPEAK};
use freehold_rt::abi::fault;
use freehold_rt::calls::Received;
use freehold_rt::{Error, Message, entry, serve, start};

use client::{Client, Region};
use frames::Frames;

entry!(main);

fn main() {
    let endpoint = start::capability(ORDERS).expect("the pager is given its endpoint");
    let mut pager = Pager {
        clients: SPACES.map(|name| start::capability(name).map(Client::new)),
        frames: Frames::given(),
    };
    serve::serve(endpoint, |received| pager.handle(&received.ok()?));
}

struct Pager {
    /// By badge − 1.
    clients: [Option<Client>; CLIENTS_MAX],
    frames: Frames,
}

impl Pager {
    fn handle(&mut self, received: &Received) -> Option<Message> {
        let message = &received.message;
        if received.badge == 0 {
            return Some(self.order(message));
        }
        let Some(client) = client(&mut self.clients, received.badge) else {
            return Some(Message::new(fault::STOP));
        };
        match message.label() {
            fault::PAGE_FAULT => client.fault(&self.frames, message.word(0), message.word(1)),
            fault::EXCEPTION => Some(Message::new(fault::STOP)),
            RECOVER => {
                client.recover_at(message.word(0), message.word(1));
                Some(Message::new(DONE))
            }
            _ => Some(Message::new(REFUSED)),
        }
    }

    fn order(&mut self, order: &Message) -> Message {
        let Some(client) = client(&mut self.clients, order.word(0)) else { return Message::new(REFUSED) };
        match order.label() {
            REGION => {
                let region = Region { address: order.word(1), pages: order.word(2), first: order.word(3) };
                done(client.set_region(region))
            }
            FAULTS => Message::of(DONE, &client.faults()),
            QUIET => {
                client.be_quiet_after(order.word(1));
                Message::new(DONE)
            }
            SPEAK => done(client.speak(&self.frames)),
            _ => Message::new(REFUSED),
        }
    }
}

fn client(clients: &mut [Option<Client>], badge: u32) -> Option<&mut Client> {
    clients.get_mut(badge.checked_sub(1)? as usize)?.as_mut()
}

fn done(result: Result<(), Error>) -> Message {
    match result {
        Ok(()) => Message::new(DONE),
        Err(error) => Message::of(FAILED, &[error as u32]),
    }
}
