//! Objects, made from frames of the caller's.

use freehold_abi::layout::FRAME;
use freehold_abi::{Call, CapName, Error, SlotRef};

use crate::call;

/// Makes an endpoint, which lives in the slot.
///
/// # Errors
/// Occupied.
pub fn make_endpoint(slot: SlotRef) -> Result<(), Error> {
    call::simple(Call::MakeEndpoint, 0, [slot.0, 0, 0, 0])
}

/// Makes a notification, which lives in the slot.
///
/// # Errors
/// Occupied.
pub fn make_notification(slot: SlotRef) -> Result<(), Error> {
    call::simple(Call::MakeNotification, 0, [slot.0, 0, 0, 0])
}

/// Makes the root at `index` a capability node: slots `node` × 128 and on of `space` ([`CapName::NONE`]: the
/// own one).
///
/// # Errors
/// Occupied; NotRoots, NotData, HasDescendants.
pub fn make_cap_node(container: CapName, index: u32, space: CapName, node: u32) -> Result<(), Error> {
    call::simple(Call::MakeCapNode, 0, [container.0, index, space.0, node])
}

/// Makes the four roots from `index` on a space, whose page-table area begins at `area` (a multiple of
/// 4 MiB) and has room for `pages` Tables, 1 to 1,024.
///
/// # Errors
/// Occupied, BadAddress; Misaligned, NotRoots, NotData, HasDescendants, NoCredits.
pub fn make_space(container: CapName, index: u32, slot: SlotRef, area: u32, pages: u32) -> Result<(), Error> {
    let place = area | pages.wrapping_sub(1) & 0x3FF;
    call::simple(Call::MakeSpace, 0, [container.0, index, slot.0, place])
}

/// The same for a space that does not see its own entries: they show frame numbers. The bound stays, and the
/// area's addresses stay reserved.
///
/// # Errors
/// As [`make_space`].
pub fn make_hidden_space(
    container: CapName,
    index: u32,
    slot: SlotRef,
    area: u32,
    pages: u32,
) -> Result<(), Error> {
    let place = area | pages.wrapping_sub(1) & 0x3FF;
    call::simple(Call::MakeSpace, 1, [container.0, index, slot.0, place])
}

/// Makes the four roots from `index` on a Table. With a `space` it is donated to its area; the first such
/// one is the area's own and gives no capability. `slot` is for the container capability over all of it.
///
/// # Errors
/// Occupied, AreaFull; Misaligned, NotRoots, NotData, HasDescendants, NoCredits.
pub fn make_table(container: CapName, index: u32, slot: SlotRef, space: CapName) -> Result<(), Error> {
    call::simple(Call::MakeTable, 0, [container.0, index, slot.0, space.0])
}

/// Where a thread is made.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPlace {
    /// Container of roots.
    pub container: CapName,
    /// The root that becomes the thread.
    pub thread: u32,
    /// The root that becomes its UTCB.
    pub utcb: u32,
    /// Its space; [`CapName::NONE`]: the own one.
    pub space: CapName,
    /// Where the UTCB is mapped there, a multiple of 4,096.
    pub address: u32,
    /// Whether it may use the FPU.
    pub fpu: bool,
}

/// Makes a thread, stopped; the capability to it goes into `slot`.
///
/// # Errors
/// Occupied, BadAddress, PageTableArea, NoTable; NotRoots, NotData, HasDescendants, NoCredits.
pub fn make_thread(place: ThreadPlace, slot: SlotRef) -> Result<(), Error> {
    let indices = place.thread & 0x3FF | (place.utcb & 0x3FF) << 10;
    let to = place.space.0 | place.address & !(FRAME - 1);
    call::simple(Call::MakeThread, place.fpu as u32, [place.container.0, indices, slot.0, to])
}
