//! The first program. It receives everything the machine has, serves the console and the records,
//! starts the other modules with exactly what each needs, and closes the run: a record with the number
//! of claims that were checked, and an exit status.
//!
//! What it shares with the other first programs that start programs is `freehold-first`.
//!
//! | file | what |
//! |---|---|
//! | monitor/ | commands typed at the serial port, answered |
//! | tour/ | the run itself, a file for each part |
//! | service/ | another run: the transfer service attacked |
//! | scenarios/ | another run: the scenarios of message transfer, measured; and one of them told |

#![no_std]
#![no_main]

extern crate alloc;

mod monitor;
mod scenarios;
mod service;
mod tour;

use freehold_first::{actor, claims, command, failure, frames, modules, services, trust};
use freehold_rt::abi::info::start::PORTS;
use freehold_rt::serial::{COM2, Serial};
use freehold_rt::{entry, machine, println, records};

use claims::Claims;
use services::Services;

entry!(main);

fn main() -> ! {
    let port = Serial::new(PORTS, COM2);
    port.drain().and_then(|()| port.init()).expect("the first program has all ports");
    let services = Services::start().expect("memory for the server");
    let mut claims = Claims::new();
    let name = tour::run(&services, &mut claims);
    let closing = records::Closing { closing: name, checks: claims.checks(), failed: claims.failed() };
    println!("{name}: {} claims checked, {} failed", closing.checks, closing.failed);
    let written = records::write(&closing);
    let mut good = closing.failed == 0 && closing.checks != 0 && written.is_ok();
    if command::says("monitor") {
        let ended = monitor::run(&services);
        if let Err(failure) = &ended {
            println!("the monitor ended: {failure:?}");
        }
        good &= ended.is_ok();
    }
    machine::leave(if good { machine::SUCCESS } else { machine::FAILURE })
}
