//! The victim: a client that works by the clock, and the server that it calls. The image runs twice, as one and as the other.
//!
//! | file | what |
//! |---|---|
//! | client.rs | so many operations in each tick; what it does not get done is lost |
//! | operation.rs | one operation, in the way of the design |
//! | server.rs | the server: short calls, strings, map items, from anybody |
//! | slices.rs | requests that a transfer service brings, and pages for them |
//!
//! What must hold: neither relies on anybody but the kernel, the root's memory and each other; the server waits for no
//! client. So whatever else is slower than alone is slower because of the kernel, or because of the server's
//! other clients.

#![no_std]
#![no_main]

extern crate alloc;

mod client;
mod operation;
mod server;
mod slices;

use freehold_protocol::attack::argument::PART;
use freehold_rt::{entry, start};

entry!(main);

fn main() {
    let part = start::arguments().split_ascii_whitespace().find_map(|word| word.strip_prefix(PART));
    match part {
        Some("0") => client::serve(),
        _ => server::run(),
    }
}
