//! Copy: bytes between the caller's own memory and what a blocked caller declared; faults on either side,
//! ranges, rights, long copies under the timer.

#![no_std]
#![no_main]

mod client;
mod faults;
mod ranges;
mod sizes;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s80-copy",
        &[
            ("both directions, all alignments", sizes::alignments),
            ("over the edges of pages and Tables", sizes::edges),
            ("as much as fits, under the timer", sizes::large),
            ("a range and no more", ranges::bounds),
            ("ranges that cannot be declared", ranges::declared),
            ("who may copy, and until when", ranges::authority),
            ("faults on the own side", faults::mine),
            ("faults on the other side", faults::theirs),
            ("rights on either side", faults::rights),
        ],
    )
}
