//! What stands in the messages: the head, and bytes in registers.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::buffer::{BAD, DISTRUST, HEAD_WORDS, LOST, TOO_LARGE};

use freehold_abi::Error;
use freehold_abi::message::WORDS_MAX;

use super::Failure;
use crate::Message;

/// Bytes of a request in its first message.
pub(super) const FIRST: usize = (WORDS_MAX as usize - HEAD_WORDS) * 4;
/// Bytes in every other message that carries bytes, either way.
pub(super) const NEXT: usize = (WORDS_MAX as usize - 2) * 4;

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub op: u16,
    pub ticket: u16,
    pub args: [u32; 2],
    /// Bytes of the request.
    pub bytes: u32,
    /// Bytes that there is room for.
    pub room: u32,
}

impl Head {
    /// A message that begins with it.
    pub fn message(&self, label: u16) -> Message {
        let [first, second] = self.args;
        let word = u32::from(self.op) | u32::from(self.ticket) << 16;
        Message::of(label, &[word, first, second, self.bytes, self.room])
    }

    /// Reads it. `None`: the message has fewer words.
    pub fn read(message: &Message) -> Option<Head> {
        let &[word, first, second, bytes, room] = message.words().first_chunk::<HEAD_WORDS>()?;
        let (op, ticket) = (word as u16, (word >> 16) as u16);
        Some(Head { op, ticket, args: [first, second], bytes, room })
    }
}

/// Adds bytes to a message, as many words as they need.
pub(super) fn push(message: &mut Message, bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<4>();
    for &word in words {
        message.push(u32::from_le_bytes(word));
    }
    if !rest.is_empty() {
        let mut word = [0; 4];
        word[..rest.len()].copy_from_slice(rest);
        message.push(u32::from_le_bytes(word));
    }
}

/// Fills `bytes` out of words. Returns whether there were enough.
pub(super) fn pull(words: &[u32], bytes: &mut [u8]) -> bool {
    if words.len() < bytes.len().div_ceil(4) {
        return false;
    }
    let (chunks, rest) = bytes.as_chunks_mut::<4>();
    for (chunk, word) in chunks.iter_mut().zip(words) {
        *chunk = word.to_le_bytes();
    }
    if !rest.is_empty() {
        rest.copy_from_slice(&words[chunks.len()].to_le_bytes()[..rest.len()]);
    }
    true
}

/// What an answer means that is not one of those that its way goes on with.
pub(super) fn failure(answer: &Message) -> Failure {
    match answer.label() {
        DISTRUST => Failure::Distrust,
        TOO_LARGE => Failure::TooLarge,
        LOST => Failure::Lost,
        BAD => Failure::Bad(Error::from_status(answer.word(0))),
        REFUSED => Failure::Bad(None),
        label => Failure::Nonsense(label),
    }
}

/// Reads DONE: status and bytes of the reply, for which there is `room`.
pub(super) fn done(answer: &Message, room: usize) -> Result<(u32, usize), Failure> {
    let (status, bytes) = (answer.word(0), answer.word(1) as usize);
    if answer.label() != DONE {
        return Err(failure(answer));
    }
    if bytes > room {
        return Err(Failure::Nonsense(DONE));
    }
    Ok((status, bytes))
}
