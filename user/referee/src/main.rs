//! The first program of an attack: sets attackers upon a victim, and says what became of it (docs/attacks.md).
//!
//! | file | what |
//! |---|---|
//! | plan.rs | what the kernel's command line asks for, and what each attack needs |
//! | cell.rs | one number of attackers: the victim alone, then beside them; everything destroyed |
//! | victim.rs | the victim's programs, and the transfer service |
//! | attackers.rs | attackers and accomplices |
//! | memory.rs | the root's memory: pages by map items (designs with a pool) |
//! | lent.rs | pages lent to an attacker, and taken back while the victim works |
//! | judge.rs | held, degraded, broken |
//! | record.rs | the record |
//!
//! What must hold: a defence that breaks is a result; only what keeps the referee from looking is a failure of the run.

#![no_std]
#![no_main]

extern crate alloc;

mod attackers;
mod cell;
mod judge;
mod lent;
mod memory;
mod plan;
mod record;
mod victim;

use alloc::vec::Vec;
use core::cell::Cell;
use core::hint::black_box;

use freehold_first::claims::Claims;
use freehold_first::services::Services;
use freehold_first::trust::Trust;
use freehold_rt::abi::info::start::PORTS;
use freehold_rt::serial::{COM2, Serial};
use freehold_rt::{entry, machine, println, records};

use cell::House;
use memory::Memory;
use plan::Plan;

entry!(main);

/// Bytes that the heap is grown by before frames are counted.
const HEAP: usize = 256 << 10;
/// Name of the closing record.
const CLOSING: &str = "attack";

fn main() -> ! {
    let port = Serial::new(PORTS, COM2);
    port.drain().and_then(|()| port.init()).expect("the first program has all ports");
    let services = Services::start().expect("memory for the server");
    // The heap stays as large as it was at its largest; the compiler must not see that nobody needs this.
    drop(black_box(Vec::<u8>::with_capacity(HEAP)));
    let mut claims = Claims::new();
    match Plan::read() {
        Err(why) => {
            claims.holds(format_args!("the command line can be understood: {why}"), false);
        }
        Ok(plan) => {
            let memory = Memory::start(plan.design).expect("memory for the root's memory");
            let trust = Trust::start(&services, plan.design).expect("a redirector, where the design has one");
            let house = House {
                plan: &plan,
                services: &services,
                memory: &memory,
                trust: &trust,
                first_service: Cell::new(0),
            };
            println!("{} under {}", plan.attack, plan.design.name());
            for &attackers in &plan.attackers {
                if let Err(failure) = cell::run(&house, attackers, &mut claims) {
                    let what = format_args!("{attackers} attackers could be watched: {failure:?}");
                    claims.holds(what, false);
                }
            }
        }
    }
    let closing = records::Closing { closing: CLOSING, checks: claims.checks(), failed: claims.failed() };
    let written = records::write(&closing);
    let good = closing.failed == 0 && closing.checks != 0 && written.is_ok();
    machine::leave(if good { machine::SUCCESS } else { machine::FAILURE })
}
