//! The caller: the client of the transfer scenarios. It makes the calls, checks every reply, and measures.
//!
//! | file | what |
//! |---|---|
//! | buffers.rs | the two buffers, paged by the program itself |
//! | calls/ | the calls of the cases: how a request is made, how a reply is known to be right |
//! | cell.rs | a cell carried out once: buffers sent out of memory, the call, what it came to |
//! | rounds.rs | a cell measured |
//! | beside.rs | a cell while a bystander calls the server |
//! | server.rs | what the caller has of the server, beside the calls that are measured |
//!
//! What must hold: the priorities. The caller's pager is below everybody, so that it works only when all others wait
//! (beside.rs says why); the caller is below the server. And: between the two readings of the clock lies nothing but the call of `rt::buffer`.

#![no_std]
#![no_main]

extern crate alloc;

mod beside;
mod buffers;
mod calls;
mod cell;
mod rounds;
mod server;

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::caller::{BESIDE, NOT_POSSIBLE, NULL, ORDERS, RUN, TRUSTING, WATCHED};
use freehold_protocol::trace::EVENTS;
use freehold_rt::buffer::Trust;
use freehold_rt::message::bytes;
use freehold_rt::{Message, entry, serve, start, trace};

use alloc::format;

use beside::Bystander;
use cell::{Cell, Stage};

entry!(main);

/// Priority of the caller's pager.
const PAGER_PRIORITY: u8 = 4;

fn main() {
    let endpoint = start::capability(ORDERS).expect("given by whoever starts the caller");
    let trust = if start::arguments() == TRUSTING { Trust::Trusting } else { Trust::Distrusting };
    let mut stage = Stage::new(trust).expect("memory for the buffers, and a server");
    let bystander = Bystander::start().expect("memory for a thread");
    serve::serve(endpoint, |received| Some(obey(&mut stage, &bystander, &received.ok()?.message)));
}

fn obey(stage: &mut Stage, bystander: &Bystander, order: &Message) -> Message {
    let cell = Cell::from_words(order.words());
    let answer = match (order.label(), cell) {
        (RUN, Some(cell)) => {
            rounds::run(stage, cell, order.word(3)).map(|measured| Message::of(DONE, &measured.words()))
        }
        (WATCHED, Some(cell)) => {
            rounds::watched(stage, cell).map(|measured| Message::of(DONE, &measured.words()))
        }
        (BESIDE, Some(cell)) => beside::run(stage, bystander, cell).map(|found| Message::of(DONE, &found)),
        (NULL, _) => rounds::null(stage, order.word(0)).map(|measured| Message::of(DONE, &measured.words())),
        (EVENTS, _) => Ok(trace::events(order.word(0))),
        _ => Ok(Message::new(REFUSED)),
    };
    answer.unwrap_or_else(|failure| {
        let refused = u32::from(failure.is_about_the_way());
        bytes::encode(NOT_POSSIBLE, refused, format!("{failure}").as_bytes()).0
    })
}
