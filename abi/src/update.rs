//! Updates: ranges of mappings to be made, up to 15 in a call.

use crate::{CapName, Rights};

/// Updates that one call takes from the message registers.
pub const UPDATES_MAX: u32 = 15;
/// First message register that holds an update; each takes four.
pub const UPDATES_AT: usize = 3;

/// Totals of mappings are named by a 6-bit code; this one means "no bound".
pub const TOTAL_UNLIMITED: u32 = 63;

/// One range of mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Container (with Edit) that the frames come from.
    pub source: CapName,
    /// First entry in the container's range.
    pub first: u32,
    /// Entries, 1–1,024.
    pub count: u32,
    /// A space (with Edit): `page` is an address divided by 4,096. A container (with Edit): `page`
    /// is an index in its range.
    pub destination: CapName,
    /// Where the first mapping goes.
    pub page: u32,
    /// Rights of the mappings ([`Rights::WRITE`] or none).
    pub rights: Rights,
    /// Code of the total of each new node; 0 lets nothing be derived from it.
    pub total_code: u32,
}

impl Update {
    /// The four message registers.
    pub const fn encode(self) -> [u32; 4] {
        [
            self.source.0 & 0xFFF,
            self.first & 0x3FF | (self.count.wrapping_sub(1) & 0x3FF) << 10,
            self.destination.0 & 0xFFF,
            self.page << 12 | (self.total_code & 63) << 3 | self.rights.bits(),
        ]
    }

    /// Reads four message registers.
    pub const fn decode(words: [u32; 4]) -> Update {
        Update {
            source: CapName(words[0] & 0xFFF),
            first: words[1] & 0x3FF,
            count: (words[1] >> 10 & 0x3FF) + 1,
            destination: CapName(words[2] & 0xFFF),
            page: words[3] >> 12,
            rights: Rights::from_bits(words[3]),
            total_code: words[3] >> 3 & 63,
        }
    }
}
