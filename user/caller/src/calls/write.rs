//! write: bytes of a file are sent. That they arrived is seen from the digest of what the file then contains.

use freehold_protocol::files::{SPREAD, WRITE};
use freehold_rt::buffer::{Failure, Peer};

use super::{Prepared, digest, file, file_digest};

/// Makes bytes that differ from those of all other rounds.
pub fn prepare(file: u32, round: u32, request: &mut [u8]) -> Prepared {
    let mut word = round;
    for bytes in request.chunks_mut(4) {
        bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
        word = word.wrapping_add(SPREAD);
    }
    Prepared { op: WRITE, args: [file, 0], request: request.len(), reply: 0 }
}

/// The file's first bytes are those of the request.
pub fn is_right(peer: &mut Peer, request: &[u8], reply: &[u8]) -> Result<bool, Failure> {
    let file = file(peer, b"/scratch")?;
    Ok(reply.is_empty() && file_digest(peer, file, request.len() as u32)? == digest(request))
}
