//! A control call: attributes of a file are set.

use freehold_protocol::files::{ATTRIBUTES, GET, SET};
use freehold_rt::buffer::{Failure, Peer};

use super::{Prepared, ask, file, words};

/// Makes attributes that differ from those of all other rounds.
pub fn prepare(file: u32, round: u32, request: &mut [u8]) -> Prepared {
    let values = core::iter::once(file).chain((1..).map(|index| value(round, index)));
    for (place, word) in request.chunks_exact_mut(4).zip(values) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Prepared { op: SET, args: [0; 2], request: request.len(), reply: 0 }
}

/// Attribute `index`, from 1 on.
fn value(round: u32, index: u32) -> u32 {
    round << 8 | index
}

/// The file has them.
pub fn is_right(peer: &mut Peer, round: u32, request: &[u8], reply: &[u8]) -> Result<bool, Failure> {
    let mut kept = [0; ATTRIBUTES];
    let file = file(peer, b"/scratch")?;
    let count = ask(peer, GET, [file, 0], &[], &mut kept)?;
    let sent = words(request).skip(1);
    let set = request.len() / 4 - 1;
    let right = sent.eq(kept.iter().copied().take(set)) && kept[0] == value(round, 1);
    Ok(right && count == ATTRIBUTES && reply.is_empty())
}
