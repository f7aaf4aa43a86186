//! The frames that the pager maps from: containers, taken as one row.

use freehold_protocol::pager::FRAMES;
use freehold_rt::roots::Extent;
use freehold_rt::{CapName, SlotRef, calls, start};

/// The containers, in order, with their entries.
pub struct Frames([Option<Extent>; FRAMES.len()]);

impl Frames {
    /// Those that the pager was given.
    pub fn given() -> Frames {
        Frames(FRAMES.map(|name| start::capability(name).map(extent)))
    }

    /// Frame `index` of the row, alone.
    pub fn get(&self, index: u32) -> Option<Extent> {
        let mut rest = index;
        for extent in self.0.iter().flatten() {
            match rest.checked_sub(extent.count) {
                None => return Some(Extent { first: rest, count: 1, ..*extent }),
                Some(behind) => rest = behind,
            }
        }
        None
    }
}

fn extent(container: CapName) -> Extent {
    // What a container covers stands in its capability: first entry, entries − 1 << 10.
    let entries = calls::cap_info(SlotRef::own(container)).map_or(0, |info| (info.badge >> 10) + 1);
    Extent { container, first: 0, count: entries }
}
