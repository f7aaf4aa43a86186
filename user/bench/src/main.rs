//! What the kernel's operations cost, in instructions, measured from inside.
//!
//! The first program of its boot, on what the kernel's tests stand on: parts, each of which leaves the machine as it
//! found it. What must hold: a section that is timed is the caller's, from before its way into the kernel to behind
//! it, and holds nothing else; a partner is in a space of its own where the name says so; that the operation did what
//! it is measured for is checked, outside the section, in every round. `only=NAME,NAME` on the kernel's command line
//! selects measurements, or groups of them. `design=D` asks for what is measured under every design ([`designs`]) in
//! place of the rest; `seed=S` for another order, and other frames and slots ([`seed`]).
//!
//! | module | what |
//! |---|---|
//! | [`measure`] | sections, rounds, records |
//! | [`stub`] | ways into the kernel, compiled in place |
//! | [`annex`], [`reader`] | Tables for a while; who reads in another space |
//! | [`ipc`], [`notify`], [`strings`] | messages |
//! | [`mappings`], [`sharing`], [`revoking`] | memory given and taken back |
//! | [`faults`] | page faults |
//! | [`objects`] | Tables, threads, spaces made and destroyed |
//! | [`growth`] | the same with more of everything around |
//! | [`sizes`] | bytes |
//! | [`designs`] | what is measured under every design |
//! | [`mod@line`], [`seed`] | what the command line says |

#![no_std]
#![no_main]

extern crate alloc;

mod annex;
mod designs;
mod faults;
mod growth;
mod ipc;
mod line;
mod mappings;
mod measure;
mod notify;
mod objects;
mod reader;
mod revoking;
mod seed;
mod sharing;
mod sizes;
mod strings;
mod stub;

use freehold_guest_tests::scenario::{self, Part};
use freehold_rt::{call, entry};

/// The name in the closing record.
const NAME: &str = "bench-micro";

/// What there is.
const PARTS: &[Part] = &[
    ("calls", ipc::null),
    ("messages between spaces", ipc::between_spaces),
    ("messages within a space", ipc::within_a_space),
    ("notifications", notify::run),
    ("strings", strings::run),
    ("mappings", mappings::run),
    ("sharing", sharing::run),
    ("revoking", revoking::run),
    ("a pager's faults", faults::pager),
    ("own faults", faults::own),
    ("objects", objects::run),
    ("threads around", growth::threads::run),
    ("spaces around", growth::spaces::run),
    ("mappings around", growth::live::run),
    ("depth", growth::depth::run),
    ("messages the ordinary way", ipc::without_short_paths),
    ("revoking what is used", revoking::used),
    ("sizes", sizes::run),
];

entry!(main);

fn main() {
    assert!(call::by_sysenter(), "the figures are those of SYSENTER");
    let (name, parts) = if designs::are_compared() { (designs::NAME, designs::PARTS) } else { (NAME, PARTS) };
    match line::number("seed=") {
        None => scenario::run(name, parts),
        Some(seed) => scenario::run(name, &seed::disorder(seed, parts)),
    }
}
