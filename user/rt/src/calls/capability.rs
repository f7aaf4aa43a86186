//! Capabilities: derived, moved, deleted, revoked.

use freehold_abi::layout::UNLIMITED;
use freehold_abi::{Call, CapName, Error, Rights, SlotRef};

use crate::call;

/// What can be derived from each frame of memory that is lent, and so how long taking it back can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lend {
    code: u32,
    total: u32,
}

impl Lend {
    /// No bound.
    pub const UNLIMITED: Lend = Lend { code: freehold_abi::update::TOTAL_UNLIMITED, total: UNLIMITED };
    /// The largest bound that there is: 4,095 derivations of each frame.
    pub const LARGEST: Lend = Lend { code: 62, total: 4095 };

    /// At most `total` derivations of each frame, 1 to 46.
    ///
    /// # Panics
    /// For other numbers.
    pub const fn exactly(total: u32) -> Lend {
        assert!(total >= 1 && total <= 46);
        Lend { code: total, total }
    }

    /// The total of each frame.
    pub const fn total(self) -> u32 {
        self.total
    }
}

/// The argument that names a range of a container: `first` counts in the source's own range.
pub const fn range(first: u32, count: u32) -> u32 {
    first & 0x3FF | (count.wrapping_sub(1) & 0x3FF) << 10
}

/// The argument that names I/O ports, the last one included.
pub const fn ports(first: u16, last: u16) -> u32 {
    first as u32 | (last as u32) << 16
}

/// Derives a child of `source` into an empty slot, with those of `rights` that the source has.
/// `argument`: a badge (0 keeps the source's), a [`range`], or [`ports`]. `total` bounds what can be
/// derived from the child, and costs the source as much, and one more.
///
/// # Errors
/// Occupied, Badged, OutOfRange, Busy, TooDeep, NoCredits; WrongKind for a reply capability. For Edit on
/// roots use [`lend`].
pub fn derive(
    source: CapName,
    slot: SlotRef,
    rights: Rights,
    argument: u32,
    total: u32,
) -> Result<(), Error> {
    call::simple(Call::Derive, rights.bits(), [source.0, slot.0, argument, total])
}

/// [`derive()`] of a container. If the source is over roots and `rights` contain Edit, the range is lent:
/// whoever gets the capability can make objects and mappings of these frames, each of them with the total
/// that `lend` says.
///
/// # Errors
/// As [`derive()`]; HasDescendants if something of the range is in use; NoCredits if the source's own frames
/// were lent with less.
pub fn lend(
    source: CapName,
    slot: SlotRef,
    rights: Rights,
    argument: u32,
    lend: Lend,
    total: u32,
) -> Result<(), Error> {
    let immediate = rights.bits() | lend.code << 3;
    call::simple(Call::Derive, immediate, [source.0, slot.0, argument, total])
}

/// Moves a capability to an empty slot, with all that was derived from it.
///
/// # Errors
/// Occupied, Unmovable, NoCredits.
pub fn relocate(from: SlotRef, to: SlotRef) -> Result<(), Error> {
    call::simple(Call::Move, 0, [from.0, to.0, 0, 0])
}

/// Empties a slot, having revoked what was derived from it. An object that lives there ends.
///
/// # Errors
/// Only the common ones; an empty slot is none.
pub fn delete(slot: SlotRef) -> Result<(), Error> {
    call::simple(Call::Delete, 0, [slot.0, 0, 0, 0])
}

/// Takes back all that was derived from a capability.
///
/// # Errors
/// WrongKind for a reply capability; an empty slot is none.
pub fn revoke(slot: SlotRef) -> Result<(), Error> {
    call::simple(Call::Revoke, 0, [slot.0, 0, 0, 0])
}
