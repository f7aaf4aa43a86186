//! What the attacks at the edge of the hardware have in common: touching memory that may not be there, and Tables whose
//! entries they look at.
//!
//! What must hold: evidence is a read or a write that the processor lets through, or an entry that the page-table area
//! shows: never what the kernel says of itself.

pub mod flagged;
pub mod ground;
pub mod probe;

pub use ground::Ground;
pub use probe::guarded;

use freehold_rt::abi::layout::FRAME;
use freehold_rt::abi::update::Update;
use freehold_rt::roots::Extent;
use freehold_rt::{CapName, Rights};

/// First directory index of the 4 MiB pieces that attacks use; the runtime uses none of them.
pub const PIECES: u32 = freehold_rt::layout::OWN / freehold_rt::abi::layout::BLOCK;

/// An update that maps `frames` side by side, to page `page` of `destination` (an address / 4,096, or an index).
pub const fn update(
    frames: Extent,
    destination: CapName,
    page: u32,
    rights: Rights,
    total_code: u32,
) -> Update {
    let Extent { container, first, count } = frames;
    Update { source: container, first, count, destination, page, rights, total_code }
}

/// One of the frames of an extent.
pub const fn one(frames: Extent, index: u32) -> Extent {
    Extent { first: frames.first + index, count: 1, ..frames }
}

/// The page number of an address.
pub const fn page(address: u32) -> u32 {
    address / FRAME
}
