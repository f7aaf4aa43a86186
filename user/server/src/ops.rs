//! What the server computes: a complete request becomes a reply, in place.

use freehold_protocol::server::{ADD, BAD_REQUEST, DIGEST, MAKE, OK};
use freehold_rt::transfer::slices::Work;
use sha2::{Digest, Sha256};

/// A complete request, as the transfer service describes it.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its slice.
    pub slice: u32,
    /// Its bytes.
    pub bytes: u32,
    /// What is asked.
    pub op: u32,
    /// Two words for that.
    pub words: [u32; 2],
    /// Bytes that the client has room for.
    pub room: u32,
}

/// Computes. Returns the status and the bytes of the reply, which is in the slice then.
pub fn run(request: &Request, work: &mut Work<'_>) -> [u32; 2] {
    let [first, second] = request.words;
    let slice = work.in_place();
    let reply = match request.op {
        DIGEST if request.room >= 32 => {
            let digest = Sha256::digest(&slice[..request.bytes as usize]);
            slice[..32].copy_from_slice(&digest);
            32
        }
        ADD if request.room >= request.bytes => {
            for byte in &mut slice[..request.bytes as usize] {
                *byte = byte.wrapping_add(first as u8);
            }
            request.bytes
        }
        MAKE if request.room >= first => {
            for (index, byte) in slice[..first as usize].iter_mut().enumerate() {
                *byte = (second as usize + index / 4096 + index) as u8;
            }
            first
        }
        _ => return [BAD_REQUEST, 0],
    };
    [OK, reply]
}
