//! Never ends, after a closing record that said that all is well.
#![no_std]
#![no_main]

use freehold_broken::{CONSOLE, RECORDS, halt, print};

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(RECORDS, "{\"closing\":\"hangs\",\"checks\":1,\"failed\":0}\n");
    print(CONSOLE, "halting for ever\n");
    halt()
}
