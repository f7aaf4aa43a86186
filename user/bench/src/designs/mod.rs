//! What is measured under every design, by the same names: `design=D` on the command line.
//!
//! What must hold: a row means the same under each of them: what it gives can be used by whoever got it, and cannot once
//! it is taken back, which is tried in every round. How that is done is what the designs differ in: under `user-tables` by
//! mappings that the receiver derives into Tables of its own, under those with a pool by map items. Where a design does
//! not let an ordinary program send these (redirector, local-only, root-only), it asks the first one, as their programs
//! must.
//!
//! | module | rows |
//! |---|---|
//! | [`first`] | `first-service` |
//! | [`stall`] | `stall.K.POLICY` |
//! | [`partner`] | threads that do what they are told |
//! | [`delegate`] | `delegate.N`, `undelegate.N`, `delegate.session.N`, `delegate.hook.1024`, … |
//! | [`missing`] | `string.fault.SIDE.N` |
//! | [`trust`], [`pool`], [`taker`] | what only some designs have |
//! | [`bytes`] | `kernel.bytes.HOW.N`, `space.bytes.HOW.N` |
//! | [`tree`], [`fanout`] | `revoke.FANOUT.DEPTH` |
//! | [`latency`] | `latency.revoke.N` |
//! | [`fresh`] | `delegate.new.1` |
//! | [`items`] | the same by map items; what L4 kernels are measured by: `heap.*` |
//! | [`caller`] | who sends the messages under `redirector` |
//! | [`root`], [`client`] | who is asked for pages, and who asks |
//! | [`own`] | `map.N`, `unmap.N`, `protect.N` |

mod bytes;
pub mod caller;
mod client;
mod delegate;
mod fanout;
mod first;
mod fresh;
mod items;
mod latency;
mod missing;
mod own;
pub mod partner;
mod pool;
mod root;
mod stall;
mod taker;
mod tree;
mod trust;

use freehold_guest_tests::scenario::Part;

use crate::{faults, ipc, line, objects, seed, strings};

/// The name in the closing record.
pub const NAME: &str = "bench-designs";

/// What there is.
pub const PARTS: &[Part] = &[
    ("the first work", first::run),
    ("calls", ipc::null),
    ("messages between spaces", ipc::between_spaces),
    ("strings", strings::run),
    ("strings whose pages are missing", missing::run),
    ("a pager's faults", pager),
    ("spaces", objects::spaces),
    ("map items", items::run),
    ("pages delegated", delegate::run),
    ("a page where there is no table", fresh::run),
    ("pages of one's own", own::run),
    ("memory by mappings", bytes::run),
    ("revoking by fan-out and depth", fanout::run),
    ("clients that stall", stall::run),
    ("who waits while others revoke", latency::run),
];

/// Pages that are given at a time.
const COUNTS: [u32; 6] = [1, 4, 16, 64, 256, 1024];

/// Whether the command line names the design.
pub fn are_compared() -> bool {
    line::value("design=").is_some()
}

/// `fault.pager`; with a pool, [`items`] has it.
fn pager() {
    if !pool::is_there() {
        faults::pager();
    }
}

/// First of 16 directory indices at which nothing is in any space.
fn index() -> u32 {
    640 + seed::shift()
}

/// Rounds with so many pages in each.
fn rounds(pages: u32) -> u32 {
    if pages < 256 { 100 } else { 20 }
}
