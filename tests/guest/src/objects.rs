//! Endpoints and notifications for tests.

use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, calls};

/// An endpoint that lives in a slot of the program's own; it ends when the slot is dropped.
///
/// # Panics
/// If there is no slot.
pub fn endpoint() -> Slot {
    let slot = Slot::take().expect("a slot");
    calls::make_endpoint(slot.reference()).expect("an endpoint");
    slot
}

/// A notification, likewise.
///
/// # Panics
/// If there is no slot.
pub fn notification() -> Slot {
    let slot = Slot::take().expect("a slot");
    calls::make_notification(slot.reference()).expect("a notification");
    slot
}

/// A capability derived from `source` into a slot of the program's own.
///
/// # Panics
/// If the kernel refuses.
pub fn derived(source: CapName, rights: Rights, argument: u32, total: u32) -> Slot {
    let slot = Slot::take().expect("a slot");
    calls::derive(source, slot.reference(), rights, argument, total).expect("a derived capability");
    slot
}

/// What is in a slot of the program's own.
///
/// # Panics
/// If there is no such slot.
pub fn info(name: CapName) -> calls::CapInfo {
    calls::cap_info(freehold_rt::SlotRef::own(name)).expect("a slot")
}
