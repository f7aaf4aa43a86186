//! Questions to the kernel.

use freehold_abi::info::{Kernel, Kind, SPACE_SUMMARY};
use freehold_abi::{Call, CapName, Error, Rights, SlotRef};

use crate::call;

/// A space in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceSummary {
    /// Tables donated to it, T. It can hold 1,024 × (T − 1) mappings.
    pub tables: u32,
    /// Address of its page-table area.
    pub area: u32,
    /// Tables that the area has room for.
    pub area_pages: u32,
    /// Threads.
    pub threads: u32,
    /// Capability nodes.
    pub nodes: u32,
}

/// A Table of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableInfo {
    /// Live entries.
    pub live: u32,
    /// Hooks on it.
    pub hooks: u32,
    /// Number of its first frame.
    pub frame: u32,
}

/// A slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapInfo {
    /// What it holds.
    pub kind: Kind,
    /// What that allows.
    pub rights: Rights,
    /// Steps from the root of its derivation tree.
    pub depth: u32,
    /// Its total.
    pub total: u32,
    /// Credits left of it. Revoking takes at most `total − credits` steps.
    pub credits: u32,
    /// Badge, range or ports.
    pub badge: u32,
}

/// A space in numbers; [`CapName::NONE`]: the own one.
///
/// # Errors
/// Only the common ones.
pub fn space_summary(space: CapName) -> Result<SpaceSummary, Error> {
    let [tables, area, threads, nodes] = call::query(Call::SpaceInfo, 0, [space.0, SPACE_SUMMARY, 0, 0])?;
    Ok(SpaceSummary { tables, area: area & !0xFFF, area_pages: (area & 0xFFF) + 1, threads, nodes })
}

/// Table `index` of a space, 0 being the area's own.
///
/// # Errors
/// OutOfRange.
pub fn space_table(space: CapName, index: u32) -> Result<TableInfo, Error> {
    let [live, hooks, frame, _] = call::query(Call::SpaceInfo, 0, [space.0, index, 0, 0])?;
    Ok(TableInfo { live, hooks, frame })
}

/// What is in a slot.
///
/// # Errors
/// Only the common ones; an empty slot is no error.
pub fn cap_info(slot: SlotRef) -> Result<CapInfo, Error> {
    let [word, total, credits, badge] = call::query(Call::CapInfo, 0, [slot.0, 0, 0, 0])?;
    let (kind, rights) = (Kind::from_bits(word & 0xFF), Rights::from_bits(word >> 8));
    Ok(CapInfo { kind, rights, depth: word >> 16, total, credits, badge })
}

/// A number about the kernel.
///
/// # Errors
/// None for the questions in [`Kernel`].
pub fn kernel_info(question: Kernel) -> Result<u32, Error> {
    call::query(Call::KernelInfo, 0, [0, question as u32, 0, 0]).map(|[answer, ..]| answer)
}

/// How many frames have the type with this number (docs/calls.md).
///
/// # Errors
/// OutOfRange if there is no such type.
pub fn frames_of_type(kind: u32) -> Result<u32, Error> {
    let question = Kernel::FrameType as u32 + kind;
    call::query(Call::KernelInfo, 0, [0, question, 0, 0]).map(|[answer, ..]| answer)
}
