//! The control: does all that a guest must do to pass, so that the others fail for their own reason.
#![no_std]
#![no_main]

use freehold_broken::{CONSOLE, RECORDS, SUCCESS, exit, print};

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(CONSOLE, "leaving as a guest should\n");
    print(RECORDS, "{\"closing\":\"succeeds\",\"checks\":1,\"failed\":0}\n");
    exit(SUCCESS)
}
