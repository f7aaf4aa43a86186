//! A hostile program that makes every call with random arguments, 150,000 times, and is destroyed and
//! made anew on the way. It has two threads, one with a pager and one with upcalls, that send strings to each
//! other and to those beside it.
//!
//! What must hold: the kernel lives, those beside the program are served as before, and after each round
//! every frame is back. The numbers are the same in every run. The program's image is hooked read-only,
//! so that it cannot write the test's own variables; what it counts lies on a page that both see.

#![no_std]
#![no_main]

mod hostile;
mod supervisor;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s70-fuzz",
        &[
            ("random calls, small means", || supervisor::run(1, supervisor::Means::Small)),
            ("random calls, over the own space", || supervisor::run(2, supervisor::Means::OwnSpace)),
            ("random calls, over the own memory", || supervisor::run(3, supervisor::Means::OwnMemory)),
        ],
    )
}
