//! The digest of bytes that requests and replies speak of.

use freehold_protocol::files::{DIGEST_BASIS, DIGEST_FACTOR};

/// The digest of these bytes.
pub fn digest(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let whole = words.iter().fold(DIGEST_BASIS, |digest, word| put(digest, u32::from_le_bytes(*word)));
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    if rest.is_empty() { whole } else { put(whole, u32::from_le_bytes(last)) }
}

fn put(digest: u32, word: u32) -> u32 {
    (digest ^ word).wrapping_mul(DIGEST_FACTOR)
}
