//! A complete request: the SHA-256 of a slice's first bytes.

use sha2::{Digest, Sha256};

use crate::slices;

/// The digest, first byte in the highest bits of the first word. `None`: there is no such slice, or it does
/// not hold so many bytes.
pub fn slice(slice: u32, bytes: u32) -> Option<[u32; 8]> {
    // While it is read, the server's pager takes no frame out of it.
    let reading = slices::Reading::begin(slice, bytes)?;
    let digest = Sha256::digest(reading.bytes());
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    Some(words)
}
