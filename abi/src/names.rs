//! Names of capability slots.

/// The name of a slot in a space: node index (5 bits) << 7 | slot index (7 bits).
///
/// Name 0 is never a capability: it stands for "none", "my own space" or "the reply capability that
/// I hold implicitly", as the call says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct CapName(pub u32);

impl CapName {
    /// No capability.
    pub const NONE: CapName = CapName(0);

    /// The slot `slot` (0–127) of the space's node `node` (0–31).
    pub const fn new(node: u32, slot: u32) -> CapName {
        CapName((node & 31) << 7 | slot & 127)
    }

    /// Only the twelve bits that name a slot.
    pub const fn from_word(word: u32) -> CapName {
        CapName(word & 0xFFF)
    }

    /// The node's index in the space, 0–31.
    pub const fn node(self) -> u32 {
        self.0 >> 7 & 31
    }

    /// The slot's index in the node, 0–127.
    pub const fn slot(self) -> u32 {
        self.0 & 127
    }
}

/// A slot of any space that the caller may edit: space capability (bits 12–23) and name (bits 0–11).
/// Space 0 is the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct SlotRef(pub u32);

impl SlotRef {
    /// The slot `name` of the caller's own space.
    pub const fn own(name: CapName) -> SlotRef {
        SlotRef(name.0 & 0xFFF)
    }

    /// The slot `name` of the space that `space` is a capability to.
    pub const fn of(space: CapName, name: CapName) -> SlotRef {
        SlotRef((space.0 & 0xFFF) << 12 | name.0 & 0xFFF)
    }

    /// The space part; 0 for the caller's own.
    pub const fn space(self) -> CapName {
        CapName(self.0 >> 12 & 0xFFF)
    }

    /// The slot part.
    pub const fn name(self) -> CapName {
        CapName(self.0 & 0xFFF)
    }
}
