//! exec: argv and environment are sent; their number and digest come back.

use freehold_protocol::files::EXECUTE;

use super::{Prepared, digest, words};

/// Bytes of a string, with the 0 behind it.
const STRING: usize = 32;

/// Fills `request` with strings, half of them argv.
pub fn prepare(round: u32, request: &mut [u8]) -> Prepared {
    let count = request.len() / STRING;
    let (argv, environment) = request.split_at_mut(count / 2 * STRING);
    fill(argv, b"argument-00000-of-a-new-program\0", round);
    fill(environment, b"VARIABLE=00000-of-its-environs.\0", round);
    let counts = [(count / 2) as u32, (count - count / 2) as u32];
    Prepared { op: EXECUTE, args: counts, request: request.len(), reply: 8 }
}

fn fill(strings: &mut [u8], pattern: &[u8; STRING], round: u32) {
    for (number, string) in strings.chunks_exact_mut(STRING).enumerate() {
        string.copy_from_slice(pattern);
        let mut left = number as u32 + 1_000 * (round % 100);
        for digit in string[9..14].iter_mut().rev() {
            *digit += (left % 10) as u8;
            left /= 10;
        }
    }
}

/// The server has counted as many strings, and its digest is that of the request.
pub fn is_right(request: &[u8], reply: &[u8]) -> bool {
    words(reply).eq([(request.len() / STRING) as u32, digest(request)])
}
