//! read: bytes of a file come back.

use freehold_protocol::files::{READ, SPREAD};

use super::Prepared;

/// Asks for the file's first bytes.
pub fn prepare(file: u32, bytes: usize) -> Prepared {
    Prepared { op: READ, args: [file, 0], request: 0, reply: bytes }
}

/// They are those that the file contains at first, all of them.
pub fn is_right(bytes: u32, reply: &[u8]) -> bool {
    let (words, rest) = reply.as_chunks::<4>();
    let mut expected = 0_u32;
    let all = words.iter().all(|word| {
        let right = u32::from_le_bytes(*word) == expected;
        expected = expected.wrapping_add(SPREAD);
        right
    });
    all && expected.to_le_bytes().starts_with(rest) && reply.len() == bytes as usize
}
