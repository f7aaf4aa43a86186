//! The slots as the derivation trees see them: all of them, and those that are entries of Tables.
//!
//! What must hold: both views read and write the same words in the same way. The list of a frame of data, from its
//! root on, lies in Tables alone, so the second view is enough for it, and need not ask where each slot lies.

use freehold_captree::{Link, Node, Slots, UNLIMITED};

use crate::layout::{self, IN_NODE, IN_TABLE, META, NEXT, PREV};
use crate::tables::{CAP_KIND, CAP_ORIGIN, CAP_REVOKING, CAP_RIGHTS, cap_kind_and_rights};
use crate::{Entry, Memory, Meta, Tables, total};

/// The node in a packed word.
fn unpack(meta: Meta) -> Node {
    Node {
        depth: meta.depth(),
        rights: meta.rights(),
        revoking: meta.revoking(),
        total: meta.total(),
        credits: meta.credits(),
    }
}

/// The packed word of a node; the kind is that of `before`.
fn pack(node: Node, before: Meta) -> Meta {
    let meta = Meta::new(node.depth, node.rights, before.kind(), total::encode(node.total));
    meta.with_revoking(node.revoking).with_credits(node.credits)
}

/// Credits of a packed node; `None`: unlimited.
#[inline(always)]
fn bounded(meta: Meta) -> Option<u32> {
    if meta.is_unlimited() { None } else { Some(meta.credits_left()) }
}

/// The slots of Tables.
pub(crate) struct Entries<'a, M>(pub &'a mut M);

impl<M: Memory> Entries<'_, M> {
    /// The address of a slot.
    #[inline(always)]
    pub fn at(slot: Link) -> u32 {
        debug_assert!(slot.kind() == IN_TABLE);
        slot.word() - IN_TABLE
    }

    /// The packed node.
    #[inline(always)]
    pub fn meta(&self, slot: Link) -> Meta {
        Meta(self.0.load(Self::at(slot) + META))
    }

    /// Sets the packed node.
    #[inline(always)]
    pub fn set_meta(&mut self, slot: Link, meta: Meta) {
        self.0.store(Self::at(slot) + META, meta.0);
    }

    /// The hardware entry.
    #[inline(always)]
    pub fn entry(&self, slot: Link) -> Entry {
        Entry(self.0.load(Self::at(slot)))
    }

    /// Sets the hardware entry, which was not present.
    #[inline(always)]
    pub fn set_entry(&mut self, slot: Link, entry: Entry) {
        self.0.store(Self::at(slot), entry.0);
    }

    /// Empties a slot that is off every list. Returns the entry as it was at the end, accessed and dirty bits included.
    #[inline(always)]
    pub fn empty(&mut self, slot: Link) -> u32 {
        self.set_meta(slot, Meta(0));
        self.0.swap(Self::at(slot), 0)
    }
}

impl<M: Memory> Slots for Entries<'_, M> {
    #[inline(always)]
    fn next(&self, slot: Link) -> Link {
        Link::from_word(self.0.load(Self::at(slot) + NEXT))
    }

    #[inline(always)]
    fn set_next(&mut self, slot: Link, next: Link) {
        self.0.store(Self::at(slot) + NEXT, next.word());
    }

    #[inline(always)]
    fn prev(&self, slot: Link) -> Link {
        Link::from_word(self.0.load(Self::at(slot) + PREV))
    }

    #[inline(always)]
    fn set_prev(&mut self, slot: Link, prev: Link) {
        self.0.store(Self::at(slot) + PREV, prev.word());
    }

    fn node(&self, slot: Link) -> Node {
        unpack(self.meta(slot))
    }

    #[inline(always)]
    fn depth(&self, slot: Link) -> u32 {
        self.meta(slot).depth()
    }

    #[inline(always)]
    fn is_revoking(&self, slot: Link) -> bool {
        self.meta(slot).revoking()
    }

    #[inline(always)]
    fn credits(&self, slot: Link) -> Option<u32> {
        bounded(self.meta(slot))
    }

    #[inline(always)]
    fn credits_left(&self, slot: Link) -> u32 {
        self.meta(slot).credits_left()
    }

    fn put(&mut self, slot: Link, node: Node) {
        self.set_meta(slot, pack(node, self.meta(slot)));
    }

    #[inline(always)]
    fn set_credits(&mut self, slot: Link, credits: u32) {
        self.set_meta(slot, self.meta(slot).with_credits(credits));
    }

    #[inline(always)]
    fn set_revoking(&mut self, slot: Link, revoking: bool) {
        self.set_meta(slot, self.meta(slot).with_revoking(revoking));
    }

    fn representable(&self, _: Link, wanted: u32) -> u32 {
        total::decode(total::encode(wanted))
    }

    fn is_bounded(&self, slot: Link) -> bool {
        self.0.is_bounded() || self.meta(slot).is_sole()
    }
}

impl<M: Memory> Tables<M> {
    /// The packed word of a slot, wherever it lies.
    #[inline(always)]
    pub(crate) fn packed(&self, slot: Link) -> Meta {
        let field = if slot.kind() == IN_NODE { layout::SLOT_META } else { META };
        Meta(self.memory.load(slot.address() + field))
    }
}

impl<M: Memory> Slots for Tables<M> {
    #[inline(always)]
    fn next(&self, slot: Link) -> Link {
        let field = if slot.kind() == IN_NODE { layout::SLOT_NEXT } else { NEXT };
        Link::from_word(self.memory.load(slot.address() + field))
    }

    #[inline(always)]
    fn set_next(&mut self, slot: Link, next: Link) {
        let field = if slot.kind() == IN_NODE { layout::SLOT_NEXT } else { NEXT };
        self.memory.store(slot.address() + field, next.word());
    }

    #[inline(always)]
    fn prev(&self, slot: Link) -> Link {
        let field = if slot.kind() == IN_NODE { layout::SLOT_PREV } else { PREV };
        Link::from_word(self.memory.load(slot.address() + field))
    }

    #[inline(always)]
    fn set_prev(&mut self, slot: Link, prev: Link) {
        let field = if slot.kind() == IN_NODE { layout::SLOT_PREV } else { PREV };
        self.memory.store(slot.address() + field, prev.word());
    }

    fn node(&self, slot: Link) -> Node {
        if slot.kind() == IN_NODE {
            let word = self.memory.load(slot.address() + layout::SLOT_META);
            return Node {
                depth: word & 63,
                rights: (word >> CAP_RIGHTS & 7) as u8,
                revoking: word & CAP_REVOKING != 0,
                total: self.memory.load(slot.address() + layout::TOTAL),
                credits: self.memory.load(slot.address() + layout::CREDITS),
            };
        }
        unpack(self.meta(slot))
    }

    // Depth and rights lie alike in both kinds of packed words.
    #[inline(always)]
    fn depth(&self, slot: Link) -> u32 {
        self.packed(slot).depth()
    }

    #[inline(always)]
    fn is_revoking(&self, slot: Link) -> bool {
        match slot.kind() {
            IN_NODE => self.packed(slot).0 & CAP_REVOKING != 0,
            _ => self.packed(slot).revoking(),
        }
    }

    #[inline(always)]
    fn credits(&self, slot: Link) -> Option<u32> {
        match slot.kind() {
            IN_NODE if self.memory.load(slot.address() + layout::TOTAL) == UNLIMITED => None,
            IN_NODE => Some(self.memory.load(slot.address() + layout::CREDITS)),
            _ => bounded(self.packed(slot)),
        }
    }

    fn put(&mut self, slot: Link, node: Node) {
        if slot.kind() == IN_NODE {
            let at = slot.address() + layout::SLOT_META;
            let word = self.memory.load(at);
            let revoking = if node.revoking { CAP_REVOKING } else { 0 };
            let bits = cap_kind_and_rights(word >> CAP_KIND & 15, node.rights & 7);
            self.memory.store(at, word & CAP_ORIGIN | node.depth & 63 | bits | revoking);
            self.memory.store(slot.address() + layout::TOTAL, node.total);
            self.memory.store(slot.address() + layout::CREDITS, node.credits);
            return;
        }
        self.set_meta(slot, pack(node, self.meta(slot)));
    }

    #[inline(always)]
    fn set_credits(&mut self, slot: Link, credits: u32) {
        if slot.kind() == IN_NODE {
            return self.memory.store(slot.address() + layout::CREDITS, credits);
        }
        let meta = self.meta(slot).with_credits(credits);
        self.set_meta(slot, meta);
    }

    #[inline(always)]
    fn set_revoking(&mut self, slot: Link, revoking: bool) {
        if slot.kind() == IN_NODE {
            let at = slot.address() + layout::SLOT_META;
            let word = self.memory.load(at) & !CAP_REVOKING;
            return self.memory.store(at, word | if revoking { CAP_REVOKING } else { 0 });
        }
        let meta = self.meta(slot).with_revoking(revoking);
        self.set_meta(slot, meta);
    }

    fn representable(&self, slot: Link, wanted: u32) -> u32 {
        match slot.kind() {
            IN_NODE => wanted,
            _ => total::decode(total::encode(wanted)),
        }
    }

    fn is_bounded(&self, slot: Link) -> bool {
        self.memory.is_bounded() || slot.kind() == IN_TABLE && self.packed(slot).is_sole()
    }
}
