//! open: a path is sent, the file's number comes back.

use freehold_protocol::files::{FILE, NAME, OPEN};
use freehold_rt::buffer::{Failure, Peer};

use super::{Prepared, digest, file_digest, words};

/// Makes a path that fills `request`.
pub fn prepare(request: &mut [u8]) -> Prepared {
    let letters = (b'a'..=b'z').cycle().skip(request.len() % 26);
    for (byte, letter) in request.iter_mut().zip(letters) {
        *byte = letter;
    }
    request.iter_mut().step_by(NAME as usize + 1).for_each(|byte| *byte = b'/');
    Prepared { op: OPEN, args: [0; 2], request: request.len(), reply: 12 }
}

/// The file has the path's length, and contains the path.
pub fn is_right(peer: &mut Peer, path: &[u8], reply: &[u8]) -> Result<bool, Failure> {
    let mut words = words(reply);
    let [Some(file), Some(size), Some(kind), None] = core::array::from_fn(|_| words.next()) else {
        return Ok(false);
    };
    let bytes = path.len() as u32;
    Ok((size, kind) == (bytes, FILE) && file_digest(peer, file, bytes)? == digest(path))
}
