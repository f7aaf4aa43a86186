//! The redirector as a program: one thread, one endpoint.

#![no_std]
#![no_main]

use freehold_protocol::redirector::DOOR;
use freehold_rt::{entry, start};

entry!(main);

fn main() {
    let door = start::capability(DOOR).expect("given by whoever starts the redirector");
    freehold_redirector::serve(door);
}
