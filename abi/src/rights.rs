//! Rights: three bits, whose meaning depends on the kind of the capability.

/// A set of rights. Deriving can only remove some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Rights(pub u8);

impl Rights {
    /// No right beyond the object's minimum (read, for memory).
    pub const NONE: Rights = Rights(0);
    /// Memory: mappings may be writable.
    pub const WRITE: Rights = Rights(1);
    /// Container: derive containers and hooks from it.
    pub const SHARE: Rights = Rights(2);
    /// Container: change entries, derive frames out, donate roots. Space: install tables, hooks,
    /// capabilities and threads in it.
    pub const EDIT: Rights = Rights(4);
    /// Endpoint: send and call. Notification: notify.
    pub const SEND: Rights = Rights(1);
    /// Endpoint: receive. Notification: wait.
    pub const RECEIVE: Rights = Rights(2);
    /// Thread: start, stop, read.
    pub const CONTROL: Rights = Rights(1);
    /// Irq: bind and acknowledge. IoPorts: read and write.
    pub const USE: Rights = Rights(1);
    /// Every right.
    pub const ALL: Rights = Rights(7);

    /// From an argument word; only the low three bits count.
    pub const fn from_bits(word: u32) -> Rights {
        Rights((word & 7) as u8)
    }

    /// As an argument word.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// The rights in both sets.
    #[must_use]
    pub const fn and(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }

    /// The rights in either set.
    #[must_use]
    pub const fn or(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}
