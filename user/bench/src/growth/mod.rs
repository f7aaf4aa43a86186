//! The same operations with more of everything around: what must cost the same must stay the same.

pub mod depth;
pub mod live;
pub mod sleeper;
pub mod spaces;
pub mod threads;

use alloc::format;
use alloc::string::String;

use crate::measure::wanted;

/// The name of a measurement with `count` of something around.
fn name(prefix: &str, count: u32) -> String {
    format!("{prefix}.{count}")
}

/// Whether one with any of these counts is asked for.
fn any_wanted(prefix: &str, counts: &[u32]) -> bool {
    counts.iter().any(|&count| wanted(&name(prefix, count)))
}
