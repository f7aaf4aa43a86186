//! Ends with the status of success, but never wrote a closing record.
#![no_std]
#![no_main]

use freehold_broken::{CONSOLE, SUCCESS, exit, print};

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(CONSOLE, "leaving without a closing record\n");
    exit(SUCCESS)
}
