//! What the server computes: a complete request becomes a reply, in place.

use freehold_protocol::server::{ADD, BAD_REQUEST, DIGEST, MAKE, OK};
use freehold_rt::transfer::slices::Work;
use sha2::{Digest, Sha256};

/// Bytes of a digest.
const DIGEST_BYTES: u32 = 32;

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

impl Request {
    /// Bytes of its reply. `None`: there is no such op, or the client has no room for so many. What the client
    /// has room for, and the reply does not need, costs the server nothing.
    pub fn reply_bytes(&self) -> Option<u32> {
        let bytes = match self.op {
            DIGEST => DIGEST_BYTES,
            ADD => self.bytes,
            MAKE => self.words[0],
            _ => return None,
        };
        (bytes <= self.room).then_some(bytes)
    }
}

/// Computes; `work` has the room that the reply takes, if there is to be one. Returns the status and the bytes of
/// the reply, which is in the slice then.
pub fn run(request: &Request, work: &mut Work<'_>) -> [u32; 2] {
    let Some(reply) = request.reply_bytes() else { return [BAD_REQUEST, 0] };
    let [first, second] = request.words;
    let (bytes, slice) = (request.bytes as usize, work.in_place());
    match request.op {
        DIGEST => {
            let digest = Sha256::digest(&slice[..bytes]);
            slice[..DIGEST_BYTES as usize].copy_from_slice(&digest);
        }
        ADD => slice[..bytes].iter_mut().for_each(|byte| *byte = byte.wrapping_add(first as u8)),
        _ => {
            for (index, byte) in slice[..reply as usize].iter_mut().enumerate() {
                *byte = (second as usize + index / 4096 + index) as u8;
            }
        }
    }
    [OK, reply]
}
