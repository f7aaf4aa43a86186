//! Page tables that stand on memory their users supplied: layout, frame types, the donated area,
//! and every update that keeps them sound.
//!
//! A page-table entry is the capability slot: beside each hardware table lie the derivation links
//! of its entries, so a mapping costs 16 bytes and no allocation. This crate holds all that the
//! kernel does with frames, tables and directories. It reaches memory only through [`Memory`], so
//! the same code runs on the machine and on the host, against a software MMU.
//!
//! What must hold (docs/invariants.md, checked by [`check`]): a frame has one type (1); links are counted
//! (2); entry and node agree (5); live mappings ≤ 1024 × (T − 1) (7); no table links to itself or its
//! own level (11); a non-present entry is zero (13). What leaves a stale TLB entry says so with a
//! [`Flush`] that must be used (10).
//!
//! | file | what |
//! |---|---|
//! | memory.rs | the words of physical memory |
//! | layout.rs | where entries, sidecars, capability slots and space fields lie |
//! | entry.rs | hardware entries |
//! | meta.rs | the packed node of an entry; totals as 6-bit codes |
//! | frames.rs | the frame table: one type per frame |
//! | tables.rs | the whole, and the words of slots |
//! | slots.rs | the slots as `captree` sees them |
//! | roots.rs | donation and its end |
//! | map.rs | mappings: made, taken back, revoked |
//! | area.rs | hooks and the page-table area |
//! | pooled.rs | directory entries of the kernel's pool |
//! | empty.rs | a dying Table or Directory emptied |
//! | flush.rs | what the TLB may still hold |

#![no_std]
#![forbid(unsafe_code)]

pub mod area;
pub mod check;
pub mod empty;
pub mod entry;
mod flush;
pub mod frames;
pub mod layout;
mod map;
mod memory;
pub mod meta;
mod pooled;
mod roots;
mod slots;
mod tables;

pub use area::AreaError;
pub use entry::Entry;
pub use flush::{Flush, PAGES_MAX, Settled, Tlb};
pub use frames::FrameType;
pub use map::{MapError, Unmapped};
pub use memory::{Budget, Memory, Progress};
pub use meta::{Kind, Meta, Offspring, total};
pub use pooled::{PoolPlace, Seen};
pub use roots::{DonateError, Donation, FreshRoot, frames_of};
pub use tables::{Tables, cap_bits, cap_uses};
