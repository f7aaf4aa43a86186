//! The server: answers whoever may call it, the client and attackers alike.
//!
//! What must hold: it waits for no client: a page that is missing on the other side ends a transfer of strings at once,
//! and its own buffer is there. What comes in map items is never touched, and goes when the next ones come.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::attack::{ANSWER, ECHO, MEMORY, STRING, STRING_MAX, TAKE, WINDOW_LOG2};
use freehold_protocol::server::{COMPLETE, PAGING, REQUESTS, SERVICE, SETUP};
use freehold_rt::abi::designs::Fpage;
use freehold_rt::abi::layout::{BLOCK, FOREVER, utcb};
use freehold_rt::calls::{self, Broken, Received};
use freehold_rt::layout::OWN_END;
use freehold_rt::thread::{self, Options};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Utcb, start};

use crate::slices;

/// Of the thread that answers requests: above the client's, below that of the pager.
const PRIORITY: u8 = 9;
/// Where map items go.
const WINDOW: u32 = OWN_END - BLOCK;

/// Where strings come to lie, and are sent from.
static mut BUFFER: [u8; STRING_MAX as usize] = [0; STRING_MAX as usize];

/// Serves until nobody is left to be served.
pub fn run() {
    let requests = start::capability(REQUESTS).expect("given by the referee");
    match start::capability(PAGING) {
        None => serve(requests.0),
        Some(paging) => {
            thread::spawn(serve, requests.0, Options::new(PRIORITY)).expect("memory for a thread");
            slices::page(paging);
        }
    }
}

fn serve(endpoint: u32) {
    let endpoint = CapName(endpoint);
    let buffer = Part { address: (&raw mut BUFFER) as u32, bytes: STRING_MAX };
    let utcb = Utcb::current();
    utcb.set_send_faults(FOREVER, 0);
    utcb.set_receive_faults(FOREVER, 0);
    utcb.set_strings(&[buffer]);
    // SAFETY: this thread alone reads what lies there, between a message and its answer.
    unsafe { utcb.set_buffers(&[buffer]) };
    if start::capability(MEMORY).is_some() {
        utcb.set(utcb::WINDOW, Fpage::new(WINDOW, WINDOW_LOG2, 1).0);
    }
    let mut answer: Option<Message> = None;
    loop {
        let received = match answer.take() {
            None => calls::receive_strings(endpoint),
            Some(answer) => calls::reply_receive_strings(None, &answer, endpoint),
        };
        match received {
            Ok((received, bytes)) => answer = Some(respond(&received, bytes, buffer.address)),
            Err(Broken { error, .. }) => match error {
                Error::NoCapability | Error::Gone | Error::NoRight | Error::WrongKind => return,
                // The answer did not fit where the client wants it: it learns that much.
                Error::NoRoom | Error::NoSlots => drop(calls::reply(None, &Message::new(REFUSED))),
                // The client is gone, or its pages are: it knows.
                _ => {}
            },
        }
    }
}

fn respond(received: &Received, bytes: u32, buffer: u32) -> Message {
    let message = &received.message;
    match (received.badge, message.label()) {
        (_, ECHO) => Message::of(DONE, &[message.word(0), message.word(1)]),
        (_, STRING) => {
            let at = |offset: u32| (buffer + offset) as *const u8;
            // SAFETY: within the buffer, which was filled so far by the message that is being answered.
            let sum = (0..bytes).map(|offset| u32::from(unsafe { at(offset).read_volatile() })).sum();
            Message::of(DONE, &[bytes, sum])
        }
        (_, ANSWER) => {
            let bytes = message.word(0).clamp(1, STRING_MAX);
            Utcb::current().set_strings(&[Part { address: buffer, bytes }]);
            Message::new(DONE).with_strings()
        }
        (_, TAKE) => {
            // Whose pages these are does not matter: none of them stays.
            let taken = calls::fpage_unmap(Fpage::new(WINDOW, WINDOW_LOG2, 0), true);
            Message::new(if taken.is_ok() { DONE } else { REFUSED })
        }
        (0, SETUP) => slices::make(message.word(0), message.word(1)),
        (SERVICE, COMPLETE) => slices::complete(message),
        _ => Message::new(REFUSED),
    }
}
