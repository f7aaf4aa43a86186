//! Messages as values.
//!
//! A message is built here and goes into the registers and the UTCB only in the call that sends it;
//! what is received is taken out in the call that receives it. So nothing that happens in between,
//! such as an allocation or a line on the console, can disturb it.

use freehold_abi::Tag;
use freehold_abi::designs::MapItem;
use freehold_abi::message::{ITEMS_MAX, Item, WORDS_MAX};

/// Message registers behind the tag.
const REGISTERS: usize = WORDS_MAX as usize + 1;

/// A message: tag, words, capability items.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    tag: Tag,
    /// MR 1 and what follows.
    registers: [u32; REGISTERS],
}

impl Message {
    /// A message of no words.
    pub const fn new(label: u16) -> Message {
        Message { tag: Tag::new(label, 0), registers: [0; REGISTERS] }
    }

    /// A message of these words.
    ///
    /// # Panics
    /// If there are more than 62.
    pub fn of(label: u16, words: &[u32]) -> Message {
        let mut message = Message::new(label);
        message.tag = Tag::new(label, words.len() as u32);
        assert!(words.len() <= WORDS_MAX as usize, "too many words");
        message.registers[..words.len()].copy_from_slice(words);
        message
    }

    /// A message with this tag, whose words are still 0.
    pub fn with_tag(tag: Tag) -> Message {
        Message { tag, registers: [0; REGISTERS] }
    }

    /// Adds a word.
    ///
    /// # Panics
    /// If there are items already, or 62 words.
    pub fn push(&mut self, word: u32) {
        assert!(self.tag.items() == 0 && self.tag.words() < WORDS_MAX, "no room for a word");
        self.registers[self.tag.words() as usize] = word;
        self.tag.0 += 1;
    }

    /// Adds a capability. Items come behind all words.
    ///
    /// # Panics
    /// If there are 8 items, or no room.
    pub fn push_item(&mut self, item: Item) {
        self.push_pair(item.encode());
    }

    /// Adds pages (designs with a pool), likewise.
    ///
    /// # Panics
    /// As [`Message::push_item`].
    pub fn push_map(&mut self, item: MapItem) {
        self.push_pair(item.encode());
    }

    fn push_pair(&mut self, item: [u32; 2]) {
        let at = (self.tag.words() + 2 * self.tag.items()) as usize;
        assert!(self.tag.items() < ITEMS_MAX && at + 2 <= REGISTERS, "no room for an item");
        self.registers[at..at + 2].copy_from_slice(&item);
        self.tag = self.tag.with_items(self.tag.items() + 1);
    }

    /// Declares the ranges that stand in the UTCB for `copy`; in a call only.
    #[must_use]
    pub fn with_ranges(mut self) -> Message {
        self.tag = self.tag.with_ranges();
        self
    }

    /// Takes the strings that stand in the UTCB along.
    #[must_use]
    pub fn with_strings(mut self) -> Message {
        self.tag = self.tag.with_strings();
        self
    }

    /// The tag.
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// What it is about.
    pub const fn label(&self) -> u16 {
        self.tag.label()
    }

    /// The words.
    pub fn words(&self) -> &[u32] {
        &self.registers[..self.tag.words() as usize]
    }

    /// Word `index`, from 0; 0 if there are fewer: a receiver need not trust the sender's count.
    pub fn word(&self, index: usize) -> u32 {
        self.words().get(index).copied().unwrap_or(0)
    }

    /// Capability items. A receiver finds them in the slots that it named, not here.
    pub const fn items(&self) -> u32 {
        self.tag.items()
    }

    /// Message register `index`, 1 to 63: a word, or half of an item.
    pub const fn register(&self, index: usize) -> u32 {
        self.registers[index - 1]
    }

    /// Sets message register `index`, 1 to 63.
    pub const fn set_register(&mut self, index: usize, word: u32) {
        self.registers[index - 1] = word;
    }

    /// What does not travel in the processor's registers, from message register 3 up to `last`.
    #[cfg(target_arch = "x86")]
    pub(crate) fn beyond(&self, last: usize) -> &[u32] {
        &self.registers[2..last]
    }

    /// The same, to be filled.
    #[cfg(target_arch = "x86")]
    pub(crate) fn beyond_mut(&mut self, last: usize) -> &mut [u32] {
        &mut self.registers[2..last]
    }

    /// The last register in use; 0 if there is none but the tag.
    pub const fn last(&self) -> usize {
        let last = (self.tag.words() + 2 * self.tag.items()) as usize;
        if last < REGISTERS { last } else { REGISTERS }
    }
}

/// Bytes as they travel: two words (their number, and one that is the protocol's own), then the bytes.
/// So they lie in the UTCB from MR 3 on, where `PortWrite` looks for them.
pub mod bytes {
    use super::Message;

    /// Bytes in a message, at most.
    pub const MAX: usize = 240;

    /// A message of up to [`MAX`] of `bytes`, and how many that was.
    pub fn encode(label: u16, own: u32, bytes: &[u8]) -> (Message, usize) {
        let count = bytes.len().min(MAX);
        let mut message = Message::of(label, &[count as u32, own]);
        for chunk in bytes[..count].chunks(4) {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            message.push(u32::from_le_bytes(word));
        }
        (message, count)
    }

    /// The bytes of a message. A sender that claims more than it sent is taken at what it sent.
    pub fn decode(message: &Message) -> impl Iterator<Item = u8> + '_ {
        let words = message.words().get(2..).unwrap_or(&[]);
        words.iter().flat_map(|word| word.to_le_bytes()).take(message.word(0) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use freehold_abi::{CapName, Rights};

    #[test]
    fn words_then_items() {
        let mut message = Message::of(7, &[1, 2]);
        message.push(3);
        let item = Item { source: CapName(5), moved: true, rights: Rights::ALL, total: 9 };
        message.push_item(item);
        assert_eq!((message.label(), message.words()), (7, &[1, 2, 3][..]));
        assert_eq!((message.items(), message.last()), (1, 5));
        assert_eq!(Item::decode([message.register(4), message.register(5)]), item);
        assert!(message.tag().is_valid());
        assert_eq!(message.word(9), 0);
    }

    #[test]
    fn full_messages_are_valid() {
        assert!(Message::of(1, &[0; 62]).tag().is_valid());
        let mut message = Message::of(1, &[0; 47]);
        for _ in 0..8 {
            message.push_item(Item { source: CapName(1), moved: false, rights: Rights::NONE, total: 0 });
        }
        assert!(message.tag().is_valid());
        assert_eq!(message.last(), 63);
    }

    #[test]
    fn bytes_come_back_whatever_their_number() {
        let text: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 3, 4, 5, 239, 240] {
            let (message, count) = bytes::encode(1, 0, &text[..length]);
            assert_eq!(count, length);
            assert!(message.tag().is_valid());
            assert_eq!(bytes::decode(&message).collect::<Vec<u8>>(), &text[..length]);
        }
        assert_eq!(bytes::encode(1, 0, &text).1, bytes::MAX);
        assert_eq!(bytes::decode(&Message::of(1, &[1000])).count(), 0, "claims more than it sent");
        assert_eq!(bytes::decode(&Message::of(1, &[1000, 0, 5])).count(), 4);
    }
}
