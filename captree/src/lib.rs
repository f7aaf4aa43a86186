//! Capability derivation trees: who got what from whom, and how much work taking it back can be.
//!
//! One list per object, in pre-order, with a depth at each node: the descendants of a node are the
//! run of deeper nodes behind it. A node is stored wherever its capability is (an entry of a page
//! table, a slot of a capability node); this crate sees slots only through [`Slots`], so it has no
//! memory of its own, allocates nothing and knows no hardware.
//!
//! What must hold (docs/invariants.md, checked by [`check`]):
//!  - every list is well formed, and the run behind n is exactly n's live descendants (3);
//!  - the rights of a child are among its parent's (4);
//!  - credits are never created: the children of n cost Σ(1 + total) ≤ total(n) − credits(n) (7);
//!  - revoking n takes at most Φ(n) = total − credits steps, and leaves n with no descendant and
//!    all its credits (8).

#![no_std]
#![forbid(unsafe_code)]

pub mod check;
pub mod dump;
mod link;
mod tree;

pub use link::Link;
pub use tree::{
    DeriveError, HasDescendants, Node, Slots, barred, derive, insert, is_leaf, pay, phi, plant, relocate,
    remove, revoke_step, revoke_steps, settle,
};

/// Deepest node of a tree; a root has depth 0. Six bits of a slot hold a depth.
pub const MAX_DEPTH: u32 = 63;

/// The total that means "no bound": deriving costs nothing, and revoking takes as long as it takes.
pub const UNLIMITED: u32 = u32::MAX;
