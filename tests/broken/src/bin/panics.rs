//! Panics after a closing record that said that all is well.
#![no_std]
#![no_main]

use freehold_broken::{RECORDS, print};

#[unsafe(no_mangle)]
extern "C" fn broken_main() -> ! {
    print(RECORDS, "{\"closing\":\"panics\",\"checks\":1,\"failed\":0}\n");
    panic!()
}
