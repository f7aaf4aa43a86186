//! The invariants of a tree as one predicate (docs/invariants.md: 3, 4, 7, 8).

use crate::{Link, MAX_DEPTH, Slots, UNLIMITED};

/// What is wrong with a tree, and at which slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// (3) The root has something before it, or a depth other than 0.
    Root(Link),
    /// (3) The slot behind does not point back.
    Back(Link),
    /// (3) The slot is more than one deeper than the slot before it, and neither it nor an ancestor
    /// of it lost its parent to an unfinished revoke.
    Depth(Link),
    /// (4) The slot has a right that its parent lacks.
    Rights(Link),
    /// (7) The slot has more credits than its total, or its children cost more than it paid.
    Credits(Link),
    /// (7) The slot has no bound although its parent has one.
    Unlimited(Link),
}

/// Walks the tree of `root` and returns the number of its nodes.
///
/// # Errors
/// The first [`Fault`] found.
pub fn tree<S: Slots>(slots: &S, root: Link) -> Result<usize, Fault> {
    let top = slots.node(root);
    if !slots.prev(root).is_none() || top.depth != 0 {
        return Err(Fault::Root(root));
    }
    // The ancestors of the slot at hand. During a revoke a node can have lost its parent: the
    // deepest node above it that is still there takes the parent's place.
    let mut path = [Link::NONE; MAX_DEPTH as usize + 1];
    let mut spent = [0u64; MAX_DEPTH as usize + 1];
    let (mut at, mut count) = (root, 0);
    let mut before = Link::NONE;
    let mut top_of_path = 0usize;
    loop {
        let node = slots.node(at);
        if slots.prev(at) != before {
            return Err(Fault::Back(at));
        }
        if node.depth > MAX_DEPTH || (count > 0 && node.depth == 0) {
            return Err(Fault::Depth(at));
        }
        if node.credits > node.total {
            return Err(Fault::Credits(at));
        }
        if count > 0 {
            while slots.node(path[top_of_path]).depth >= node.depth {
                settle_account(slots, path[top_of_path], spent[top_of_path])?;
                top_of_path -= 1;
            }
            let parent = path[top_of_path];
            let above = slots.node(parent);
            if above.depth + 1 != node.depth && !above.revoking {
                return Err(Fault::Depth(at));
            }
            if node.rights & !above.rights != 0 {
                return Err(Fault::Rights(at));
            }
            if above.total != UNLIMITED && node.total == UNLIMITED {
                return Err(Fault::Unlimited(at));
            }
            spent[top_of_path] += 1 + u64::from(node.total);
            top_of_path += 1;
        }
        path[top_of_path] = at;
        spent[top_of_path] = 0;
        count += 1;
        before = at;
        at = slots.next(at);
        if at.is_none() {
            break;
        }
    }
    for level in 0..=top_of_path {
        settle_account(slots, path[level], spent[level])?;
    }
    Ok(count)
}

/// Whether what `slot` spent on its children fits into what it no longer has.
fn settle_account<S: Slots>(slots: &S, slot: Link, spent: u64) -> Result<(), Fault> {
    let node = slots.node(slot);
    if node.total != UNLIMITED && spent > u64::from(node.total - node.credits) {
        return Err(Fault::Credits(slot));
    }
    Ok(())
}
