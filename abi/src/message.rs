//! Messages: the tag, the counts, the capability items.
//!
//! A message is MR 0 (the tag), then `words` untyped words, then `items` capability items of two
//! words each. MR 0, 1 and 2 are ESI, EDI and EBP; the rest lie in the UTCB at their own index.

use crate::{CapName, Rights};

/// Untyped words of a message, at most.
pub const WORDS_MAX: u32 = 62;
/// Capability items of a message, at most.
pub const ITEMS_MAX: u32 = 8;

/// Bit of the immediate of Call, Receive and ReplyReceive: strings may arrive, in the UTCB's buffers.
pub const ACCEPT: u32 = 1 << 12;

/// MR 0: label (bits 16–31), ranges flag (bit 15), strings flag (bit 14), items (bits 8–11), words (bits 0–5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tag(pub u32);

impl Tag {
    /// A message of `words` untyped words under `label`.
    pub const fn new(label: u16, words: u32) -> Tag {
        Tag((label as u32) << 16 | words & 63)
    }

    /// The same with `items` capability items behind the words.
    #[must_use]
    pub const fn with_items(self, items: u32) -> Tag {
        Tag(self.0 & !0xF00 | (items & 15) << 8)
    }

    /// The same with the UTCB's ranges declared for `copy` (in a call only).
    #[must_use]
    pub const fn with_ranges(self) -> Tag {
        Tag(self.0 | 1 << 15)
    }

    /// The same with the UTCB's strings.
    #[must_use]
    pub const fn with_strings(self) -> Tag {
        Tag(self.0 | 1 << 14)
    }

    /// What the message is about; only its receiver gives it a meaning.
    pub const fn label(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Untyped words.
    pub const fn words(self) -> u32 {
        self.0 & 63
    }

    /// Capability items.
    pub const fn items(self) -> u32 {
        self.0 >> 8 & 15
    }

    /// Whether the sender declares ranges.
    pub const fn has_ranges(self) -> bool {
        self.0 & 1 << 15 != 0
    }

    /// Whether the message has strings.
    pub const fn has_strings(self) -> bool {
        self.0 & 1 << 14 != 0
    }

    /// Whether the message is nothing but its label and at most the two words in registers.
    pub const fn is_short(self) -> bool {
        self.0 & 0xFFFF <= 2
    }

    /// Whether the counts fit into the message registers and the reserved bits are clear.
    pub const fn is_valid(self) -> bool {
        self.words() <= WORDS_MAX
            && self.items() <= ITEMS_MAX
            && self.words() + 2 * self.items() <= WORDS_MAX + 1
            && self.0 & 0x30C0 == 0
    }
}

/// A capability item, as its sender writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The sender's slot.
    pub source: CapName,
    /// Whether the capability leaves the sender's slot; otherwise a child is derived from it.
    pub moved: bool,
    /// For a copy: the rights of the child, as far as the sender has them.
    pub rights: Rights,
    /// For a copy: the child's total.
    pub total: u32,
}

impl Item {
    /// The two message registers.
    pub const fn encode(self) -> [u32; 2] {
        [self.source.0 & 0xFFF | (self.moved as u32) << 12 | self.rights.bits() << 16, self.total]
    }

    /// Reads two message registers.
    pub const fn decode(words: [u32; 2]) -> Item {
        Item {
            source: CapName(words[0] & 0xFFF),
            moved: words[0] & 1 << 12 != 0,
            rights: Rights::from_bits(words[0] >> 16),
            total: words[1],
        }
    }
}
