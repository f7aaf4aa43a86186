//! The packed node of an entry: depth:6 rights:3 kind:4 revoking:1 total:6 credits:12.
//!
//! The code of the total is stored as what it lacks to 63, so that a node without a bound has zeros there.

/// What an entry of a Table or Directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Nothing; the entry is zero.
    Empty = 0,
    /// Root of a donated frame: the entry is zero, the list is that of the object's capabilities.
    Donated = 1,
    /// Root of a further frame of a donated object; the list is empty.
    Part = 2,
    /// Directory: a Table, derived from a container capability.
    Hook = 3,
    /// The kernel's own: a read-only view of a Table, or the page-table area's Table. No node.
    View = 4,
    /// A place in a boot container that has no frame to give: a hole, or kernel memory.
    Hole = 5,
    /// Directory: a table of the kernel's pool (designs with a pool). No node.
    Pool = 6,
    /// Root of a frame of data: the frame's place in its boot container, for ever.
    Root = 8,
    /// A frame derived from another slot.
    Mapping = 9,
}

/// Among the rights of a mapping: it is the only one of its frame, a UTCB's, and stays that: its total of 0 is a bound also
/// where totals are none. It stands in the node, since where that is asked for (a tree's operations) there is no frame
/// table. No update makes such a mapping: of rights it leaves that to write.
pub const SOLE: u8 = 4;

/// The bit that those kinds have, and no others, which hold a frame that mappings can be derived from.
const HOLDS_FRAME: u32 = 8;

/// Bits of packed nodes, for the kernel's short paths.
pub mod bits {
    /// The lowest bit of the rights; the depth is below.
    pub const RIGHTS: u32 = super::RIGHTS;
    /// The kind.
    pub const KIND_MASK: u32 = 15 << super::KIND;
    /// Set in roots and mappings.
    pub const HOLDS_FRAME: u32 = super::HOLDS_FRAME << super::KIND;
    /// Set while a revoke is unfinished.
    pub const REVOKING: u32 = 1 << super::REVOKING;
    /// One of them is set if the total is a bound.
    pub const BOUNDED: u32 = 63 << super::TOTAL;
    /// One credit; there is nothing above the credits.
    pub const CREDIT: u32 = 1 << super::CREDITS;
}

/// A packed node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta(pub u32);

const RIGHTS: u32 = 6;
const KIND: u32 = 9;
const REVOKING: u32 = 13;
const TOTAL: u32 = 14;
const CREDITS: u32 = 20;

impl Meta {
    /// A node with these fields; `code` as in [`total`]; all credits there.
    pub const fn new(depth: u32, rights: u8, kind: Kind, code: u32) -> Meta {
        let credits = if code == total::UNLIMITED_CODE { 0 } else { total::decode(code) };
        Meta(
            depth & 63
                | (rights as u32 & 7) << RIGHTS
                | (kind as u32) << KIND
                | (!code & 63) << TOTAL
                | credits << CREDITS,
        )
    }

    /// Steps from the root.
    #[inline(always)]
    pub const fn depth(self) -> u32 {
        self.0 & 63
    }

    /// Rights.
    pub const fn rights(self) -> u8 {
        (self.0 >> RIGHTS & 7) as u8
    }

    /// What the entry is.
    pub const fn kind(self) -> Kind {
        match self.0 >> KIND & 15 {
            1 => Kind::Donated,
            2 => Kind::Part,
            3 => Kind::Hook,
            4 => Kind::View,
            5 => Kind::Hole,
            6 => Kind::Pool,
            8 => Kind::Root,
            9 => Kind::Mapping,
            _ => Kind::Empty,
        }
    }

    /// Whether it is of this kind.
    #[inline(always)]
    pub const fn is(self, kind: Kind) -> bool {
        self.0 & 15 << KIND == (kind as u32) << KIND
    }

    /// Whether the entry, a root or a mapping, holds a frame that mappings can be derived from.
    #[inline(always)]
    pub const fn holds_frame(self) -> bool {
        self.0 & HOLDS_FRAME << KIND != 0
    }

    /// Whether it is a mapping that stays the only one of its frame.
    pub const fn is_sole(self) -> bool {
        self.is(Kind::Mapping) && self.rights() & SOLE != 0
    }

    /// The same with another kind.
    #[must_use]
    pub const fn with_kind(self, kind: Kind) -> Meta {
        Meta(self.0 & !(15 << KIND) | (kind as u32) << KIND)
    }

    /// Whether a revoke is unfinished.
    #[inline(always)]
    pub const fn revoking(self) -> bool {
        self.0 & 1 << REVOKING != 0
    }

    /// The same with the flag set or clear.
    #[must_use]
    pub const fn with_revoking(self, revoking: bool) -> Meta {
        Meta(self.0 & !(1 << REVOKING) | (revoking as u32) << REVOKING)
    }

    /// Code of the total.
    pub const fn code(self) -> u32 {
        !self.0 >> TOTAL & 63
    }

    /// The total itself.
    pub const fn total(self) -> u32 {
        total::decode(self.code())
    }

    /// Whether the total is no bound.
    #[inline(always)]
    pub const fn is_unlimited(self) -> bool {
        self.0 & 63 << TOTAL == 0
    }

    /// Credits left.
    pub const fn credits(self) -> u32 {
        match self.code() {
            total::UNLIMITED_CODE => u32::MAX,
            _ => self.0 >> CREDITS,
        }
    }

    /// Credits left; an unlimited node keeps none.
    #[inline(always)]
    pub const fn credits_left(self) -> u32 {
        self.0 >> CREDITS
    }

    /// The same with other credits, at most 4,095; an unlimited node keeps none.
    #[must_use]
    pub const fn with_credits(self, credits: u32) -> Meta {
        match self.code() {
            total::UNLIMITED_CODE => self,
            _ => Meta(self.0 & !(0xFFF << CREDITS) | (credits & 0xFFF) << CREDITS),
        }
    }
}

/// What the nodes of mappings have in common that are made by one update.
#[derive(Clone, Copy, Debug)]
pub struct Offspring {
    /// The bits that they take over from their parents: depth, and the rights that they may have.
    inherited: u32,
    /// What is added to these: one step, and all else.
    own: u32,
}

impl Offspring {
    /// Nodes of `kind`, of total `code`, with those of `rights` that their parents have.
    pub const fn new(rights: u8, kind: Kind, code: u32) -> Offspring {
        Offspring { inherited: 63 | (rights as u32 & 7) << RIGHTS, own: Meta::new(1, 0, kind, code).0 }
    }

    /// The node of a child of `parent`, whose depth is not the greatest.
    #[inline(always)]
    pub const fn of(self, parent: Meta) -> Meta {
        Meta((parent.0 & self.inherited) + self.own)
    }
}

/// Totals as 6-bit codes: 0–46 exact, then growing to 4,095; the last code is unlimited.
pub mod total {
    use freehold_captree::UNLIMITED;

    /// The code that means no bound.
    pub const UNLIMITED_CODE: u32 = 63;
    const EXACT: u32 = 46;
    const GROWING: [u32; 16] =
        [56, 64, 96, 128, 192, 256, 384, 512, 640, 768, 1024, 1536, 2048, 2560, 3072, 4095];

    /// The total that a code stands for.
    pub const fn decode(code: u32) -> u32 {
        match code & 63 {
            UNLIMITED_CODE => UNLIMITED,
            code if code <= EXACT => code,
            code => GROWING[(code - EXACT - 1) as usize],
        }
    }

    /// The code of the largest total, at most `total`, that has one.
    pub const fn encode(total: u32) -> u32 {
        if total == UNLIMITED {
            return UNLIMITED_CODE;
        }
        if total <= EXACT {
            return total;
        }
        let mut code = UNLIMITED_CODE - 1;
        while code > EXACT && decode(code) > total {
            code -= 1;
        }
        code
    }
}
