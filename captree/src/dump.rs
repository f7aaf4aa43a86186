//! Trees as text, one node a line, two spaces a level: for golden tests and for people.

use core::fmt;

use crate::{Link, Slots, UNLIMITED};

/// Displays the tree of a root. A line reads `slot rights credits/total`, with ` revoking` behind
/// it while a revoke is unfinished.
pub struct Dump<'a, S: Slots>(pub &'a S, pub Link);

impl<S: Slots> fmt::Display for Dump<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dump(slots, mut at) = *self;
        while !at.is_none() {
            let node = slots.node(at);
            write!(f, "{:indent$}{at:?} {:03b} ", "", node.rights, indent = 2 * node.depth as usize)?;
            match node.total {
                UNLIMITED => write!(f, "unlimited")?,
                total => write!(f, "{}/{total}", node.credits)?,
            }
            writeln!(f, "{}", if node.revoking { " revoking" } else { "" })?;
            at = slots.next(at);
        }
        Ok(())
    }
}
