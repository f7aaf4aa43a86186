//! The attacker: maps one frame wherever the kernel lets it, alone (the flood) or while others work
//! (the attack). What it can reach is bounded by the Tables that it made of its own memory.
//!
//! It is given an endpoint for orders, a notification that ends the attack, and memory. It uses no heap:
//! every Table that it makes is there to be filled.

#![no_std]
#![no_main]

mod flood;

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::attacker::{ATTACK, Attacked, FLOOD, ORDERS, RESULT, STOP};
use freehold_rt::{CapName, Error, Message, Utcb, calls, entry, serve, start};

use flood::Flood;

entry!(main);

/// Milliseconds between two rounds of the attack, in which the victim gets the processor: it has a lower
/// priority.
const PAUSE: u32 = 1;

fn main() {
    let given = |name| start::capability(name).expect("given by whoever starts the attacker");
    let stop = given(STOP);
    let mut flood = Flood::new().expect("memory for one frame");
    let mut result = Attacked::default();
    serve::serve(given(ORDERS), |order| match order.ok()?.message.label() {
        FLOOD => Some(Message::of(DONE, &flood.everywhere().words())),
        ATTACK => {
            // Whoever gave the order and is gone will not stop the attack either, but end the attacker.
            let _ = calls::reply(None, &Message::new(DONE));
            result = attack(&mut flood, stop);
            None
        }
        RESULT => Some(Message::of(DONE, &result.words())),
        _ => Some(Message::new(REFUSED)),
    });
}

/// Fills all Tables, pauses, empties them, pauses, and so on. Leaves them empty.
fn attack(flood: &mut Flood, stop: CapName) -> Attacked {
    let mut result = Attacked::default();
    let pause = || {
        let bits = Utcb::current().within((0, PAUSE), || calls::wait(stop));
        matches!(bits, Err(Error::Timeout))
    };
    flood.empty(&mut Attacked::default());
    loop {
        flood.fill(&mut result);
        let more = pause();
        flood.empty(&mut result);
        if !more || !pause() {
            return result;
        }
    }
}
