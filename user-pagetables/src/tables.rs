//! All tables of the machine, and the words of their slots.

use freehold_captree::Link;

use crate::frames::TYPES;
use crate::layout::{self, META};
use crate::{Entry, FrameType, Kind, Memory, Meta};

/// Capability slot's packed word: depth:6 rights:3 kind:4 revoking:1 origin:1 uses:6; the first two as in [`Meta`].
pub(crate) const CAP_RIGHTS: u32 = 6;
pub(crate) const CAP_KIND: u32 = 9;
pub(crate) const CAP_REVOKING: u32 = 1 << 13;
pub(crate) const CAP_ORIGIN: u32 = 1 << 14;

/// The bits of a slot's [`layout::SLOT_META`] word for a capability of this kind with these rights.
pub const fn cap_bits(kind: u32, rights: u8) -> u32 {
    kind << CAP_KIND | (rights as u32) << CAP_RIGHTS
}

/// Two kinds, this one and the next, whose rights stand in the word once more, each kind's in a place of its own: so
/// one bit says that a capability is of that kind and has that right.
const USED_KIND: u32 = 4;
const CAP_USES: u32 = 15;

/// The bits of a slot's [`layout::SLOT_META`] word that say, each of them, that the capability is of `kind`, 4 or 5,
/// and has one of `rights`.
pub const fn cap_uses(kind: u32, rights: u8) -> u32 {
    (rights as u32) << (CAP_USES + 3 * (kind - USED_KIND))
}

/// All that the packed word says of a capability's kind and rights.
pub(crate) const fn cap_kind_and_rights(kind: u32, rights: u8) -> u32 {
    let uses = match kind {
        USED_KIND | 5 => cap_uses(kind, rights),
        _ => 0,
    };
    cap_bits(kind, rights) | uses
}

/// What the packed word says besides.
const CAP_OTHER: u32 = ((1 << CAP_RIGHTS) - 1) | CAP_REVOKING | CAP_ORIGIN;

/// Every Table, Directory and capability node, reached through the words of memory.
pub struct Tables<M> {
    /// The words of memory.
    pub memory: M,
    /// Physical address of the Directory that the processor uses.
    pub current: u32,
    pub(crate) frame_table: u32,
    pub(crate) boot_tables: u32,
    pub(crate) blocks: u32,
    pub(crate) counts: [u32; TYPES],
}

impl<M: Memory> Tables<M> {
    /// Where in here the address of the frame table stands, for the kernel's short paths.
    pub const FRAME_TABLE: usize = core::mem::offset_of!(Tables<M>, frame_table);

    /// Bytes that the frame table and the boot containers of `blocks` 4 MiB blocks of RAM take: the
    /// containers (16 KiB each) lie first.
    pub const fn boot_bytes(blocks: u32) -> u32 {
        blocks * (layout::TABLE + layout::ENTRIES * crate::frames::ELEMENT)
    }

    /// In charge of nothing yet.
    pub const fn nowhere(memory: M) -> Tables<M> {
        Tables { memory, current: 0, frame_table: 0, boot_tables: 0, blocks: 0, counts: [0; TYPES] }
    }

    /// Takes charge of `blocks` 4 MiB blocks of memory from physical address 0, with the boot
    /// containers and the frame table at `place` (aligned to 16 KiB, [`Tables::boot_bytes`] long),
    /// which are cleared here. Every frame begins as a hole.
    pub fn new(mut memory: M, blocks: u32, place: u32) -> Tables<M> {
        memory.clear(place, Self::boot_bytes(blocks));
        let mut counts = [0; TYPES];
        counts[FrameType::Hole as usize] = blocks * layout::ENTRIES;
        let frame_table = place + blocks * layout::TABLE;
        let mut tables = Tables { memory, current: 0, frame_table, boot_tables: place, blocks, counts };
        for frame in 0..blocks * layout::ENTRIES {
            let element = frame_table + crate::frames::ELEMENT * frame;
            tables.memory.store(element, FrameType::Hole as u32);
            let root = tables.root(frame << 12);
            tables.set_meta(root, Meta::new(0, 0, Kind::Hole, 0));
        }
        tables
    }

    /// 4 MiB blocks of memory in charge.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Frames in charge, holes included.
    pub fn frame_count(&self) -> u32 {
        self.blocks * layout::ENTRIES
    }

    /// The boot container of a block.
    pub fn boot_table(&self, block: u32) -> u32 {
        self.boot_tables + block * layout::TABLE
    }

    /// Whether the Table is a boot container, whose slots are roots.
    pub fn is_boot_table(&self, table: u32) -> bool {
        table >= self.boot_tables && table < self.frame_table
    }

    /// The root of the frame at `frame`: arithmetic, no lookup.
    pub fn root(&self, frame: u32) -> Link {
        let number = frame >> 12;
        layout::in_table(self.boot_table(number / layout::ENTRIES), number % layout::ENTRIES)
    }

    /// The frame whose root lies in entry `index` of a boot container.
    pub fn frame_of_root(&self, root: Link) -> u32 {
        let block = (layout::table_of(root.address()) - self.boot_tables) / layout::TABLE;
        (block * layout::ENTRIES + layout::index_of(root.address())) << 12
    }

    /// The hardware entry of a slot in a Table or Directory.
    pub fn entry(&self, slot: Link) -> Entry {
        Entry(self.memory.load(slot.address()))
    }

    /// The packed node of a slot in a Table or Directory.
    pub fn meta(&self, slot: Link) -> Meta {
        Meta(self.memory.load(slot.address() + META))
    }

    pub(crate) fn set_meta(&mut self, slot: Link, meta: Meta) {
        self.memory.store(slot.address() + META, meta.0);
    }

    /// The kind of the capability in a slot of a capability node; 0 is an empty slot.
    pub fn cap_kind(&self, slot: Link) -> u32 {
        self.memory.load(slot.address() + layout::SLOT_META) >> CAP_KIND & 15
    }

    /// The rights of the capability in a slot of a capability node.
    pub fn cap_rights(&self, slot: Link) -> u8 {
        (self.memory.load(slot.address() + layout::SLOT_META) >> CAP_RIGHTS & 7) as u8
    }

    /// Whether an object lives in this slot, so that it cannot move.
    pub fn cap_is_origin(&self, slot: Link) -> bool {
        self.memory.load(slot.address() + layout::SLOT_META) & CAP_ORIGIN != 0
    }

    /// Whether the capability in a slot is of `kind` and allows `rights`.
    #[inline(always)]
    pub fn cap_allows(&self, slot: Link, kind: u32, rights: u8) -> bool {
        let word = self.memory.load(slot.address() + layout::SLOT_META);
        word & cap_bits(15, rights) == cap_bits(kind, rights)
    }

    /// Names the kind of the capability in a slot, and whether an object lives in it.
    pub fn set_cap_kind(&mut self, slot: Link, kind: u32, origin: bool) {
        let at = slot.address() + layout::SLOT_META;
        let word = self.memory.load(at);
        let origin = if origin { CAP_ORIGIN } else { 0 };
        let bits = cap_kind_and_rights(kind & 15, (word >> CAP_RIGHTS & 7) as u8);
        self.memory.store(at, word & CAP_OTHER & !CAP_ORIGIN | bits | origin);
    }

    /// A field of a capability slot: [`layout::OBJECT`], [`layout::BADGE`] or [`layout::SPARE`].
    pub fn cap_field(&self, slot: Link, field: u32) -> u32 {
        self.memory.load(slot.address() + field)
    }

    /// Sets such a field.
    pub fn set_cap_field(&mut self, slot: Link, field: u32, word: u32) {
        self.memory.store(slot.address() + field, word);
    }

    /// The largest total that nodes in the object at `object` may have: what its memory was lent with.
    pub fn total_limit(&self, object: u32) -> u32 {
        self.meta(self.root(object)).total()
    }
}
