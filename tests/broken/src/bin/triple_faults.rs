//! Faults with an empty interrupt table: the processor finds no handler for that fault, nor for the
//! double fault that follows, and resets. Under `-no-reboot` QEMU then ends with status 0, and it
//! must not matter that the closing record said that all is well.
#![no_std]
#![no_main]

use core::arch::asm;
use freehold_broken::{CONSOLE, RECORDS, halt, print};

/// A limit of 0 and a base of 0, as `lidt` reads them.
static NO_TABLE: [u16; 3] = [0; 3];

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(CONSOLE, "about to fault without an interrupt table\n");
    print(RECORDS, "{\"closing\":\"triple_faults\",\"checks\":1,\"failed\":0}\n");
    // SAFETY: never returns; the reset that follows is what this guest is for.
    unsafe { asm!("lidt [{}]", "ud2", in(reg) &raw const NO_TABLE) };
    halt()
}
