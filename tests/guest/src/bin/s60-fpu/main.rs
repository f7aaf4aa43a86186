//! FPU and SSE: state is each thread's own, clean at its start, and out of reach for threads made without.

#![no_std]
#![no_main]

mod compute;
mod reach;
mod ring;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s60-fpu",
        &[
            ("a clean state at the start", reach::clean),
            ("out of reach for others", reach::out_of_reach),
            ("x87 under preemption", compute::x87),
            ("SSE under preemption", compute::sse),
            ("x87 and SSE together", compute::both),
            ("threads that notify each other", ring::notifications),
            ("threads that fault, and their pagers", ring::faults),
        ],
    )
}
