//! Every call with every error that docs/calls.md lists for it. A call that fails changes nothing.
//!
//! What must hold: the list in docs/calls.md and what is claimed here are the same; a row that no test
//! provokes fails, and so does an error that the list does not have.

#![no_std]
#![no_main]

extern crate alloc;

mod claims;
mod halves;
mod items;
mod lists;
mod make;
mod memory;
mod others;
mod scene;
mod transits;
mod waits;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s10-errors",
        &[
            ("messages", others::messages),
            ("waits that end", waits::all),
            ("capability items", items::all),
            ("strings", lists::strings),
            ("buffers", lists::buffers),
            ("strings that do not fit", lists::no_room),
            ("transfers that meet a fault", transits::faults),
            ("transfers that are stopped", transits::stops),
            ("capabilities", others::capabilities),
            ("objects made", make::all),
            ("mappings and hooks", memory::all),
            ("threads and information", others::threads),
            ("devices", others::devices),
            ("copies", others::copies),
            ("calls of other designs", others::designs),
            ("revokes under way", halves::busy),
            ("nothing is left out", claims::complete),
        ],
    )
}
