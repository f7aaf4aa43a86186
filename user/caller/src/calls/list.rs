//! readdir: the entries of a directory come back.

use alloc::format;
use alloc::string::String;

use freehold_protocol::files::{FILE, LIST};

use super::Prepared;

/// Bytes of an entry: size, kind, length of the name, `file-00000`, and zeroes up to a multiple of four.
const ENTRY: usize = 4 + 2 + 2 + 12;

/// Where a directory of so many entries is.
pub fn path(entries: u32) -> String {
    format!("/list-{entries}")
}

/// Asks for all entries.
pub fn prepare(directory: u32, entries: u32) -> Prepared {
    Prepared { op: LIST, args: [directory, 0], request: 0, reply: entries as usize * ENTRY }
}

/// All of them are there, in order.
pub fn is_right(entries: u32, reply: &[u8]) -> bool {
    let (records, rest) = reply.as_chunks::<ENTRY>();
    rest.is_empty()
        && records.len() == entries as usize
        && (0..).zip(records).all(|(number, record)| *record == entry(number))
}

/// Entry `number`: it contains its number in decimal.
fn entry(number: u32) -> [u8; ENTRY] {
    let mut entry = *b"\0\0\0\0\0\0\x0A\0file-00000\0\0";
    entry[0] = 1 + number.checked_ilog10().unwrap_or(0) as u8;
    entry[4] = FILE as u8;
    let mut left = number;
    for digit in entry[13..18].iter_mut().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
    }
    entry
}
