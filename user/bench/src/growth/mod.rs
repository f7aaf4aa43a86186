//! The same operations with more of everything around: what must cost the same must stay the same.

pub mod depth;
pub mod live;
pub mod sleeper;
pub mod spaces;
pub mod threads;

use alloc::format;
use alloc::string::String;

use crate::measure::wanted;

/// The names of a measurement with so many around, of which at least one is asked for; none else.
fn names(prefix: &str, counts: &[u32]) -> Option<impl Fn(u32) -> String> {
    let name = |count: u32| format!("{prefix}.{count}");
    counts.iter().any(|&count| wanted(&name(count))).then_some(()).map(|()| {
        let prefix = String::from(prefix);
        move |count: u32| format!("{prefix}.{count}")
    })
}
