//! Refuses the processor, as a kernel does that needs what the processor lacks.
#![no_std]
#![no_main]

use freehold_broken::{CONSOLE, UNSUPPORTED, exit, print};

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(CONSOLE, "this processor lacks everything\n");
    exit(UNSUPPORTED)
}
