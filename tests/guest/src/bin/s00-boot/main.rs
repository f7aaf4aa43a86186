//! What the first program finds: boot information, capabilities, memory, the way into the kernel.

#![no_std]
#![no_main]

mod boot;
mod capabilities;
mod memory;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s00-boot",
        &[
            ("boot information", boot::information),
            ("the kernel about itself", boot::kernel),
            ("the way into the kernel", boot::entry),
            ("time passes", boot::time),
            ("capabilities", capabilities::given),
            ("unknown calls", capabilities::unknown_calls),
            ("free memory is free", memory::free),
            ("free memory is clear", memory::clear),
            ("memory of each kind adds up", memory::counts),
        ],
    )
}
