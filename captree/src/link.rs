//! Links: how one slot names another.

use core::fmt;

/// The name of a slot: an address divisible by four, and in its low two bits a kind (1–3) that
/// says how the slot stores its fields. The zero word is no slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Link(u32);

impl Link {
    /// No slot.
    pub const NONE: Link = Link(0);

    /// The slot of `kind` at `address`, of which only the bits above the lowest two count.
    pub const fn new(address: u32, kind: u32) -> Link {
        Link(address & !3 | kind & 3)
    }

    /// From a stored word.
    pub const fn from_word(word: u32) -> Link {
        Link(word)
    }

    /// As a stored word.
    pub const fn word(self) -> u32 {
        self.0
    }

    /// The address.
    pub const fn address(self) -> u32 {
        self.0 & !3
    }

    /// The kind.
    pub const fn kind(self) -> u32 {
        self.0 & 3
    }

    /// Whether this is no slot.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}.{}", self.address(), self.kind())
    }
}
