//! The designs under comparison (docs/designs.md): which one a kernel was booted with, and what the others than
//! [`Design::UserTables`] add to the calls.
//!
//! What must hold: under `user-tables` nothing of this exists: the call [`Call::Design`](crate::Call::Design) is
//! UnknownCall, and a message with a map item is BadItem.

/// How the kernel bounds, or does not bound, what mappings cost it. `design=NAME[,OPTION]…` on its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Design {
    /// Every space stands on Tables of its own. The default.
    UserTables = 0,
    /// The same with derivation credits switched off: every total is unlimited. `user-tables,credits=off`.
    CreditsOff = 1,
    /// L4's model: map items in messages; tables and mapping nodes come from a pool of the kernel's. Option `pool=`.
    KernelHeap = 2,
    /// The same with a quota of that pool for each space. Options `pool=`, `quota=`.
    KernelQuota = 3,
    /// As kernel-heap; messages that leave an untrusted space go through a redirector thread. Option `pool=`.
    Redirector = 4,
    /// As kernel-heap; the kernel refuses map items between spaces where the sender's is untrusted. Option `pool=`.
    LocalOnly = 5,
    /// As kernel-heap; only threads of the first program's space can send map items. Option `pool=`.
    RootOnly = 6,
}

impl Design {
    /// Every design, in the order of their numbers.
    pub const ALL: [Design; 7] = [
        Design::UserTables,
        Design::CreditsOff,
        Design::KernelHeap,
        Design::KernelQuota,
        Design::Redirector,
        Design::LocalOnly,
        Design::RootOnly,
    ];

    /// The name on the command line and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Design::UserTables => "user-tables",
            Design::CreditsOff => "user-tables,credits=off",
            Design::KernelHeap => "kernel-heap",
            Design::KernelQuota => "kernel-quota",
            Design::Redirector => "redirector",
            Design::LocalOnly => "local-only",
            Design::RootOnly => "root-only",
        }
    }

    /// The design with this number.
    pub const fn from_number(number: u32) -> Option<Design> {
        if number < Design::ALL.len() as u32 { Some(Design::ALL[number as usize]) } else { None }
    }

    /// Whether map items exist, and a pool that pays for them.
    pub const fn has_pool(self) -> bool {
        !matches!(self, Design::UserTables | Design::CreditsOff)
    }
}

/// What [`Call::Design`](crate::Call::Design) does: bits 8–15 of EAX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Operation {
    /// EBX container of roots (Edit), ESI first index | (count − 1) << 10, EDI space (Edit; 0: own), EBP page address |
    /// rights: the frames become roots of the mapping database, mapped there, side by side. Reclaim ends that.
    Give = 0,
    /// EBX [`Fpage`], ESI [`FLUSH`] or 0: takes back what was mapped onward from these pages of the own space (FLUSH: and
    /// the pages themselves): all of it, or, with rights in the fpage, only the right to write. EDI 0; out: pages done.
    Unmap = 1,
    /// EBX space (Edit), ESI endpoint (Send; 0: trusted again; [`UNTRUSTED`]: no endpoint): the space is untrusted from now
    /// on. Its messages to other spaces, and its replies, go to that endpoint first (redirector).
    Distrust = 2,
    /// ESI status: the message that the caller has received as a redirector goes on to whom it was for, with its sender's
    /// badge (0), or its sender gets that error. EBX: what to receive from then, as by Receive (0: nothing) (redirector).
    Propagate = 3,
    /// EBX space (Edit), ESI bytes: what the space may have of the pool, out of the caller's own; back to it when the space
    /// ends. Only the space's giver, the first who gave it any, or the first program, which becomes it (kernel-quota).
    SetQuota = 4,
    /// EBX space (Edit; 0: own). Out: EBX bytes of the pool that are charged to it, ESI its quota, EDI its tables in the
    /// pool, EBP its mappings of the pool's.
    Account = 5,
}

/// [`Operation::Unmap`]: the own mapping goes too.
pub const FLUSH: u32 = 1;
/// [`Operation::Distrust`]: untrusted, without a redirector.
pub const UNTRUSTED: u32 = u32::MAX;

/// A flexpage: 2ⁿ pages of a space, at a multiple of their size: address | n << 4 | rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fpage(pub u32);

impl Fpage {
    /// No page at all: a receive window that takes nothing.
    pub const NONE: Fpage = Fpage(0);
    /// All addresses, with every right.
    pub const WHOLE: Fpage = Fpage::new(0, 20, 1);

    /// `1 << log2` pages from `address` on, with [`Rights`](crate::Rights) bits.
    pub const fn new(address: u32, log2: u32, rights: u32) -> Fpage {
        Fpage(address & !0xFFF | (log2 & 31) << 4 | 1 << 3 | rights & 7)
    }

    /// Whether it names pages.
    pub const fn is_some(self) -> bool {
        self.0 & 1 << 3 != 0
    }

    /// log2 of its pages, at most 20.
    pub const fn log2(self) -> u32 {
        let log2 = self.0 >> 4 & 31;
        if log2 > 20 { 20 } else { log2 }
    }

    /// Its first address, rounded down to its size.
    pub const fn address(self) -> u32 {
        self.0 & !self.offsets()
    }

    /// The bits of an address within it; 2²⁰ pages are all 4 GiB.
    pub const fn offsets(self) -> u32 {
        u32::MAX >> (20 - self.log2())
    }

    /// Rights bits.
    pub const fn rights(self) -> u32 {
        self.0 & 7
    }
}

/// An item of a message that maps pages instead of passing a capability on. Its first word is told from a capability
/// item's by bit 13.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapItem {
    /// The sender's pages.
    pub fpage: Fpage,
    /// Which pages of the receiver's window they go to if that is larger, in pages; L4's send base.
    pub hot_spot: u32,
    /// The sender's mappings go, the receiver's take their places in the derivation.
    pub grant: bool,
}

impl MapItem {
    const MAP: u32 = 1 << 13;
    const GRANT: u32 = 1 << 14;

    /// The two message registers.
    pub const fn encode(self) -> [u32; 2] {
        let spot = self.hot_spot & 0xFFF | (self.hot_spot >> 12 & 0xFF) << 16;
        [spot | MapItem::MAP | if self.grant { MapItem::GRANT } else { 0 }, self.fpage.0]
    }

    /// Reads two message registers; `None`: they are a capability item.
    pub const fn decode(words: [u32; 2]) -> Option<MapItem> {
        if words[0] & MapItem::MAP == 0 {
            return None;
        }
        let hot_spot = words[0] & 0xFFF | (words[0] >> 16 & 0xFF) << 12;
        Some(MapItem { fpage: Fpage(words[1]), hot_spot, grant: words[0] & MapItem::GRANT != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_item_is_read_as_it_was_written_and_is_no_capability_item() {
        for hot_spot in [0, 1, 0xFFF, 0x1000, 0xF_FFFF] {
            for grant in [false, true] {
                let item = MapItem { fpage: Fpage::new(0x8040_0000, 10, 1), hot_spot, grant };
                assert_eq!(MapItem::decode(item.encode()), Some(item));
            }
        }
        let rights = crate::Rights::ALL;
        let item =
            crate::message::Item { source: crate::CapName(0xFFF), moved: true, rights, total: u32::MAX };
        assert_eq!(MapItem::decode(item.encode()), None);
    }

    #[test]
    fn an_fpage_begins_at_a_multiple_of_its_size() {
        assert_eq!(Fpage::new(0x8040_3000, 10, 0).address(), 0x8040_0000);
        assert_eq!((Fpage::WHOLE.address(), Fpage::WHOLE.log2()), (0, 20));
        assert!(!Fpage::NONE.is_some() && Fpage::new(0, 0, 0).is_some());
    }
}
