//! Up to which size which way costs least. Generated data: `./x bench transfer` writes this file from what it
//! measured; do not edit it.
//!
//! These rows are the expectation that stood here before the first measurement, not figures.

use super::Trust::{Distrusting, Trusting};
use super::Way::{Pull, Registers, Touched};
use super::choose::Direction::{Receive, Send};
use super::choose::Row;

/// The rows.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    Row { direction: Send, trust: Trusting, resident: true, up_to: 228, way: Registers },
    Row { direction: Send, trust: Trusting, resident: true, up_to: u32::MAX, way: Touched },
    Row { direction: Send, trust: Trusting, resident: false, up_to: 228, way: Registers },
    Row { direction: Send, trust: Trusting, resident: false, up_to: u32::MAX, way: Touched },
    Row { direction: Send, trust: Distrusting, resident: true, up_to: 228, way: Registers },
    Row { direction: Send, trust: Distrusting, resident: true, up_to: u32::MAX, way: Touched },
    Row { direction: Send, trust: Distrusting, resident: false, up_to: 228, way: Registers },
    Row { direction: Send, trust: Distrusting, resident: false, up_to: u32::MAX, way: Pull },
    Row { direction: Receive, trust: Trusting, resident: true, up_to: 240, way: Registers },
    Row { direction: Receive, trust: Trusting, resident: true, up_to: u32::MAX, way: Touched },
    Row { direction: Receive, trust: Trusting, resident: false, up_to: 240, way: Registers },
    Row { direction: Receive, trust: Trusting, resident: false, up_to: u32::MAX, way: Touched },
    Row { direction: Receive, trust: Distrusting, resident: true, up_to: 240, way: Registers },
    Row { direction: Receive, trust: Distrusting, resident: true, up_to: u32::MAX, way: Touched },
    Row { direction: Receive, trust: Distrusting, resident: false, up_to: 240, way: Registers },
    Row { direction: Receive, trust: Distrusting, resident: false, up_to: u32::MAX, way: Pull },
];
