//! What stands in the messages: the head, and bytes in registers.
//!
//! What must hold, on both sides: a message's third word and what follows are in the UTCB and nowhere else. What is
//! put there goes with the thread's very next call; what has arrived there is taken out before the next one. In
//! between memory is copied, and nothing else is done.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::buffer::{BAD, DISTRUST, HEAD_WORDS, LOST, TOO_LARGE};

use freehold_abi::layout::utcb;
use freehold_abi::message::WORDS_MAX;
use freehold_abi::{Error, Tag};

use super::Failure;
use crate::Utcb;

/// Bytes of a request in its first message.
pub(super) const FIRST: usize = (WORDS_MAX as usize - HEAD_WORDS) * 4;
/// Bytes in every other message that carries bytes, either way.
pub(super) const NEXT: usize = (WORDS_MAX as usize - IN_REGISTERS) * 4;

/// Words that travel in the processor's registers.
const IN_REGISTERS: usize = 2;

/// A message, as far as it is in the processor's registers. The rest is in the UTCB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub tag: Tag,
    pub words: [u32; IN_REGISTERS],
}

impl Letter {
    /// One of two words.
    pub const fn new(label: u16, words: [u32; IN_REGISTERS]) -> Letter {
        Letter { tag: Tag::new(label, IN_REGISTERS as u32), words }
    }

    /// One that says no more than what it is.
    pub const fn bare(label: u16) -> Letter {
        Letter { tag: Tag::new(label, 0), words: [0; IN_REGISTERS] }
    }

    /// What it is about.
    pub const fn label(&self) -> u16 {
        self.tag.label()
    }

    /// Word `index`, from 0; 0 if there are fewer: a receiver need not trust the sender's count.
    #[inline]
    pub fn word(&self, index: usize) -> u32 {
        if index >= self.tag.words() as usize {
            return 0;
        }
        self.words.get(index).copied().unwrap_or_else(|| Utcb::current().get(utcb::MESSAGE + 1 + index))
    }

    /// Puts bytes behind its words, of which there are two or more.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        Utcb::current().put_bytes(1 + self.tag.words() as usize, bytes);
        self.tag.0 += bytes.len().div_ceil(4) as u32;
    }

    /// Fills `bytes` with those behind its first `words` words, two or more. Returns whether there were enough.
    #[inline]
    pub fn take(&self, words: usize, bytes: &mut [u8]) -> bool {
        let enough = self.tag.words() as usize >= words + bytes.len().div_ceil(4);
        if enough {
            Utcb::current().get_bytes(1 + words, bytes);
        }
        enough
    }

    /// Bytes of the strings that came with it.
    pub fn arrived(&self) -> u32 {
        if self.tag.has_strings() { Utcb::current().get(utcb::ARRIVED) } else { 0 }
    }
}

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
    /// A message that begins with it; then come the words `behind`.
    #[inline]
    pub fn letter<const N: usize>(&self, label: u16, behind: [u32; N]) -> Letter {
        let [first, second] = self.args;
        let utcb = Utcb::current();
        for (index, word) in [second, self.bytes, self.room].into_iter().chain(behind).enumerate() {
            utcb.set(utcb::MESSAGE + 1 + IN_REGISTERS + index, word);
        }
        let word = u32::from(self.op) | u32::from(self.ticket) << 16;
        Letter { tag: Tag::new(label, (HEAD_WORDS + N) as u32), words: [word, first] }
    }

    /// Reads it. `None`: the message has fewer words.
    #[inline]
    pub fn read(letter: &Letter) -> Option<Head> {
        if (letter.tag.words() as usize) < HEAD_WORDS {
            return None;
        }
        let [word, first] = letter.words;
        let [second, bytes, room] = core::array::from_fn(|index| letter.word(IN_REGISTERS + index));
        let (op, ticket) = (word as u16, (word >> 16) as u16);
        Some(Head { op, ticket, args: [first, second], bytes, room })
    }
}

/// What an answer means that is not one of those that its way goes on with.
#[cold]
pub(super) fn failure(answer: &Letter) -> Failure {
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
#[inline]
pub(super) fn done(answer: &Letter, room: usize) -> Result<(u32, usize), Failure> {
    let (status, bytes) = (answer.word(0), answer.word(1) as usize);
    if answer.label() != DONE {
        return Err(failure(answer));
    }
    if bytes > room {
        return Err(Failure::Nonsense(DONE));
    }
    Ok((status, bytes))
}
