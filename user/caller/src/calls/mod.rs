//! The calls of the cases, a file each: how the request is made, and how it is known that the reply is right.
//!
//! What must hold: everything is worked out here anew, from what `protocol::files` says; no code is shared with the
//! server. A round's number goes into what it sends, so that nothing left of an earlier round can pass for right.

mod control;
mod execute;
mod list;
mod open;
mod read;
mod write;

use freehold_protocol::files::{DIGEST, DIGEST_BASIS, DIGEST_FACTOR, OK, OPEN};
use freehold_protocol::scenario::{Call, Case};
use freehold_rt::buffer::{Failure, Peer, Way};

/// A call to be made: the request lies at the beginning of the buffer for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The operation.
    pub op: u16,
    /// Its arguments.
    pub args: [u32; 2],
    /// Bytes of the request.
    pub request: usize,
    /// Bytes that the reply has room for.
    pub reply: usize,
}

/// Makes the request of a case for round `round`, at the beginning of `request`.
///
/// # Errors
/// [`Failure`]: the server could not be asked for the number of a file.
pub fn prepare(case: Case, round: u32, peer: &mut Peer, request: &mut [u8]) -> Result<Prepared, Failure> {
    let size = case.size as usize;
    Ok(match case.call {
        Call::Open => open::prepare(&mut request[..size]),
        Call::Read => read::prepare(file(peer, b"/data")?, size),
        Call::Write => write::prepare(file(peer, b"/scratch")?, round, &mut request[..size]),
        Call::List => list::prepare(file(peer, list::path(case.size).as_bytes())?, case.size),
        Call::Execute => execute::prepare(round, &mut request[..size]),
        Call::Control => control::prepare(file(peer, b"/scratch")?, round, &mut request[..size]),
    })
}

/// Whether the reply is right, and so is what the call left at the server.
///
/// # Errors
/// [`Failure`]: the server could not be asked.
pub fn is_right(
    case: Case,
    round: u32,
    peer: &mut Peer,
    request: &[u8],
    reply: &[u8],
) -> Result<bool, Failure> {
    Ok(match case.call {
        Call::Open => open::is_right(peer, request, reply)?,
        Call::Read => read::is_right(case.size, reply),
        Call::Write => write::is_right(peer, request, reply)?,
        Call::List => list::is_right(case.size, reply),
        Call::Execute => execute::is_right(request, reply),
        Call::Control => control::is_right(peer, round, request, reply)?,
    })
}

/// Asks the server for up to as many words as `words` has room for, by registers. Returns how many came.
fn ask(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    words: &mut [u32],
) -> Result<usize, Failure> {
    let mut reply = [0; 32];
    let room = &mut reply[..4 * words.len()];
    let done = peer.call_by(Way::Registers, op, args, request, room)?;
    let count = if done.status == OK { done.bytes as usize / 4 } else { 0 };
    for (word, bytes) in words.iter_mut().zip(reply.as_chunks::<4>().0).take(count) {
        *word = u32::from_le_bytes(*bytes);
    }
    Ok(count)
}

/// The number of the file at a path; a number that no file has if there is none.
fn file(peer: &mut Peer, path: &[u8]) -> Result<u32, Failure> {
    let mut words = [u32::MAX; 3];
    ask(peer, OPEN, [0; 2], path, &mut words)?;
    Ok(words[0])
}

/// The digest of a file's first bytes, as the server has them. 0: there are not so many.
fn file_digest(peer: &mut Peer, file: u32, bytes: u32) -> Result<u32, Failure> {
    let mut words = [0];
    ask(peer, DIGEST, [file, bytes], &[], &mut words)?;
    Ok(words[0])
}

/// The digest of bytes.
fn digest(bytes: &[u8]) -> u32 {
    bytes.chunks(4).fold(DIGEST_BASIS, |digest, chunk| {
        let word = chunk.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        (digest ^ word).wrapping_mul(DIGEST_FACTOR)
    })
}

/// The words in a reply; what is left of its bytes is ignored.
fn words(reply: &[u8]) -> impl Iterator<Item = u32> + '_ {
    reply.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}
