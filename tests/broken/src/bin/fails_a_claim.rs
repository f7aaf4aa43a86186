//! Ends with the status of success, but its closing record counts a failed check.
#![no_std]
#![no_main]

use freehold_broken::{RECORDS, SUCCESS, exit, print};

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(RECORDS, "{\"closing\":\"fails_a_claim\",\"checks\":3,\"failed\":1}\n");
    exit(SUCCESS)
}
