//! Lines for programs: one JSON object a line, through the endpoint named `records`, or straight to the
//! second serial port in the first program. The protocol is the console's; the server puts lines
//! together, so that records of several programs do not mix.

use alloc::vec::Vec;

use freehold_abi::Error;
use serde::Serialize;

use crate::console::Sink;

/// Writes a record: a struct that derives [`Serialize`], or `serde_json::json!({…})`. Use whole numbers:
/// numbers with a point need the FPU, which a thread has only if it was made with it.
///
/// # Errors
/// Those of a call to the endpoint, or of the port.
///
/// # Panics
/// If the value cannot be written as JSON (a map with keys that are no strings).
pub fn write(record: &impl Serialize) -> Result<(), Error> {
    let mut line: Vec<u8> = serde_json::to_vec(record).expect("a record is made of plain values");
    line.push(b'\n');
    Sink::records().write(&line)
}

/// The record that ends a run.
#[derive(Serialize)]
pub struct Closing<'a> {
    /// What was run.
    pub closing: &'a str,
    /// Checks made.
    pub checks: u32,
    /// Checks that failed.
    pub failed: u32,
}
