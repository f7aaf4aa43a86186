//! The smallest program: a line on the console, a record, and the end. It uses its heap on the way.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;

use freehold_rt::{entry, memory, println, records, serde_json, start};

entry!(main);

fn main() {
    let whom: String = start::arguments().chars().rev().collect();
    println!(
        "hello, {}: {} frames are free here",
        whom.chars().rev().collect::<String>(),
        memory::free_frames()
    );
    let record = serde_json::json!({ "program": "hello", "frames": memory::free_frames() });
    records::write(&record).expect("the records were given to this program");
}
