//! The operations on derivation trees. Each takes constant time.

use crate::{Link, MAX_DEPTH, UNLIMITED};

/// What a slot stores about its place in a tree, beside the two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Steps from the root, 0 to [`MAX_DEPTH`].
    pub depth: u32,
    /// Rights, a set of bits; children hold subsets.
    pub rights: u8,
    /// A revoke of this node has begun and is not finished.
    pub revoking: bool,
    /// Fixed when the node was made: what deriving from it may cost in all.
    pub total: u32,
    /// What is left of it.
    pub credits: u32,
}

/// Where slots are stored. An implementation only reads and writes fields; it decides nothing.
///
/// What must hold: a field reads as it was last written; [`Slots::put`] writes every field of
/// [`Node`]; totals and credits are stored exactly if the total came from [`Slots::representable`].
pub trait Slots {
    /// The slot behind `slot` in its list.
    fn next(&self, slot: Link) -> Link;
    /// Sets the slot behind.
    fn set_next(&mut self, slot: Link, next: Link);
    /// The slot before `slot` in its list.
    fn prev(&self, slot: Link) -> Link;
    /// Sets the slot before.
    fn set_prev(&mut self, slot: Link, prev: Link);
    /// The other fields.
    fn node(&self, slot: Link) -> Node;
    /// The depth alone.
    fn depth(&self, slot: Link) -> u32 {
        self.node(slot).depth
    }
    /// The flag alone.
    fn is_revoking(&self, slot: Link) -> bool {
        self.node(slot).revoking
    }
    /// The credits alone; `None` if the total is [`UNLIMITED`].
    fn credits(&self, slot: Link) -> Option<u32> {
        let node = self.node(slot);
        (node.total != UNLIMITED).then_some(node.credits)
    }
    /// The credits alone; 0 if the total is [`UNLIMITED`].
    fn credits_left(&self, slot: Link) -> u32 {
        self.credits(slot).unwrap_or(0)
    }
    /// Writes the other fields.
    fn put(&mut self, slot: Link, node: Node);
    /// Writes the credits alone.
    fn set_credits(&mut self, slot: Link, credits: u32);
    /// Writes the flag alone.
    fn set_revoking(&mut self, slot: Link, revoking: bool);
    /// The largest total, at most `total`, that the slot can store.
    fn representable(&self, slot: Link, total: u32) -> u32;
    /// Whether the total of `slot` is a bound. If not, and it cannot pay, it has no bound from then on; what [`phi`] says
    /// holds no more, and revoking takes as long as it takes.
    fn is_bounded(&self, _slot: Link) -> bool {
        true
    }
}

/// Why nothing was derived. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeriveError {
    /// The parent's revoke is not finished.
    Busy,
    /// The parent's depth is [`MAX_DEPTH`].
    TooDeep,
    /// The parent's credits do not pay for one node and its total.
    NoCredits,
}

/// The node has descendants, so it cannot be taken out of the middle of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasDescendants;

/// Makes `root` a list of its own, at depth 0.
pub fn plant<S: Slots>(slots: &mut S, root: Link, rights: u8, total: u32) {
    slots.set_next(root, Link::NONE);
    slots.set_prev(root, Link::NONE);
    let total = slots.representable(root, total);
    let node = Node { depth: 0, rights, revoking: false, total, credits: total };
    slots.put(root, node);
}

/// Whether nothing is derived from `slot`.
pub fn is_leaf<S: Slots>(slots: &S, slot: Link) -> bool {
    let next = slots.next(slot);
    next.is_none() || slots.depth(next) <= slots.depth(slot)
}

/// Makes `slot` whole if nothing is derived from it any more: a mark of being revoked goes, and all
/// credits are back, those included that were lost.
#[inline(always)]
pub fn settle<S: Slots>(slots: &mut S, slot: Link) {
    if slots.is_revoking(slot) || slots.credits(slot).is_some() {
        make_whole(slots, slot);
    }
}

/// The same for a slot that may lack something.
fn make_whole<S: Slots>(slots: &mut S, slot: Link) {
    let mut node = slots.node(slot);
    if (node.revoking || node.credits != node.total) && is_leaf(slots, slot) {
        node.revoking = false;
        node.credits = node.total;
        slots.put(slot, node);
    }
}

/// Why nothing at all can be derived from `parent` at the moment, however small its total: Busy, or
/// TooDeep. For callers with a reason of their own to refuse, which comes behind these.
pub fn barred<S: Slots>(slots: &S, parent: Link) -> Option<DeriveError> {
    let node = slots.node(parent);
    if node.revoking && !is_leaf(slots, parent) {
        return Some(DeriveError::Busy);
    }
    (node.depth >= MAX_DEPTH).then_some(DeriveError::TooDeep)
}

/// Puts `child`, an unlinked slot, behind `parent` as its youngest child, with those of `rights`
/// that the parent has and with the largest representable total not above `total`, which the
/// parent pays for (1 + that). Returns what the total became.
///
/// # Errors
/// [`DeriveError`], in the order of its variants.
pub fn derive<S: Slots>(
    slots: &mut S,
    parent: Link,
    child: Link,
    rights: u8,
    total: u32,
) -> Result<u32, DeriveError> {
    let total = slots.representable(child, total);
    pay(slots, parent, total)?;
    insert(slots, parent, child);
    let above = slots.node(parent);
    let node = Node {
        depth: above.depth + 1,
        rights: above.rights & rights,
        revoking: false,
        total,
        credits: total,
    };
    slots.put(child, node);
    Ok(total)
}

/// The first part of [`derive()`]: `parent` pays for a child with `total`, which the child's slot can store.
///
/// For a store that writes a child's node together with something of its own. It then puts the child behind its
/// parent ([`insert`]) and writes the node that `derive` would have put there; nothing comes between the three.
///
/// # Errors
/// As [`derive()`].
#[inline(always)]
pub fn pay<S: Slots>(slots: &mut S, parent: Link, total: u32) -> Result<(), DeriveError> {
    let credits = slots.credits(parent);
    // `total` is the cost less one, so the comparison cannot overflow.
    if slots.is_revoking(parent) || credits.is_some_and(|credits| credits <= total) {
        return pay_anew(slots, parent, total);
    }
    if slots.depth(parent) >= MAX_DEPTH {
        return Err(DeriveError::TooDeep);
    }
    if let Some(credits) = credits {
        slots.set_credits(parent, credits - total - 1);
    }
    Ok(())
}

/// The same for a parent that cannot pay as it is. If nothing is derived from it any more it is first made whole, as
/// [`settle`] does, but written only when nothing is refused.
#[cold]
fn pay_anew<S: Slots>(slots: &mut S, parent: Link, total: u32) -> Result<(), DeriveError> {
    let mut above = slots.node(parent);
    if is_leaf(slots, parent) {
        above.revoking = false;
        above.credits = above.total;
    }
    if above.revoking {
        return Err(DeriveError::Busy);
    }
    if above.depth >= MAX_DEPTH {
        return Err(DeriveError::TooDeep);
    }
    if above.total != UNLIMITED && above.credits > total {
        above.credits -= total + 1;
    } else if above.total != UNLIMITED {
        if slots.is_bounded(parent) {
            return Err(DeriveError::NoCredits);
        }
        (above.total, above.credits) = (UNLIMITED, UNLIMITED);
    }
    slots.put(parent, above);
    Ok(())
}

/// The second part of [`derive()`]: puts `child`, an unlinked slot, behind `parent`.
#[inline(always)]
pub fn insert<S: Slots>(slots: &mut S, parent: Link, child: Link) {
    let next = slots.next(parent);
    slots.set_next(child, next);
    slots.set_prev(child, parent);
    slots.set_next(parent, child);
    if !next.is_none() {
        slots.set_prev(next, child);
    }
}

/// One step of revoking `slot`: takes the node behind it off the list and returns it, for the
/// caller to empty; its credits and the price of its place go back to `slot`. `None` when there
/// was nothing left to take: then the revoke is complete and all credits are back.
///
/// The flag stands from the first step to the last, so that nothing new can be derived from `slot`
/// by those who hold it. Nodes that others derive further down cost credits that are taken along.
/// If the last descendants leave on their own between two steps, that is the end of the revoke as
/// well: who then derives anew drops the flag. So whoever goes on with a revoke that was interrupted
/// and no longer finds the flag has nothing left to do; one more step would begin another revoke.
pub fn revoke_step<S: Slots>(slots: &mut S, slot: Link) -> Option<Link> {
    let mut above = slots.node(slot);
    let taken = slots.next(slot);
    if taken.is_none() {
        settle(slots, slot);
        return None;
    }
    let below = slots.node(taken);
    if below.depth <= above.depth {
        settle(slots, slot);
        return None;
    }
    if above.total != UNLIMITED {
        let refund = if below.total == UNLIMITED { 0 } else { below.credits };
        above.credits += 1 + refund;
    }
    above.revoking = true;
    slots.put(slot, above);
    unlink(slots, taken);
    Some(taken)
}

/// Up to `most` steps of revoking `slot` at once: as many times [`revoke_step`], and the end of the revoke as soon as
/// nothing is left, which takes no step of its own. Each slot that is taken off the list goes to `empty`, which leaves
/// the others alone. Returns the steps, and whether the revoke is complete.
#[inline(always)]
pub fn revoke_steps<S: Slots>(
    slots: &mut S,
    slot: Link,
    most: u32,
    mut empty: impl FnMut(&mut S, Link),
) -> (u32, bool) {
    let depth = slots.depth(slot);
    let (mut left, mut refund) = (most, 0u32);
    let mut behind = slots.next(slot);
    let complete = loop {
        if behind.is_none() || slots.depth(behind) <= depth {
            break true;
        }
        if left == 0 {
            break false;
        }
        left -= 1;
        let taken = behind;
        behind = slots.next(taken);
        // What it has left and the price of its place. Below a node without a bound the sum means nothing.
        refund = refund.wrapping_add(slots.credits_left(taken)).wrapping_add(1);
        slots.set_next(taken, Link::NONE);
        slots.set_prev(taken, Link::NONE);
        empty(slots, taken);
    };
    slots.set_next(slot, behind);
    if !behind.is_none() {
        slots.set_prev(behind, slot);
    }
    let steps = most - left;
    if complete {
        settle(slots, slot);
    } else if steps > 0 {
        if let Some(credits) = slots.credits(slot) {
            slots.set_credits(slot, credits + refund);
        }
        slots.set_revoking(slot, true);
    }
    (steps, complete)
}

/// Takes `slot`, which has no descendant, out of its list. If the slot before it is its parent and
/// is not being revoked, the parent gets back what the slot cost; and all its credits, those included that
/// were lost, if this was the last that was derived from it (the slot before that one is always its parent).
///
/// # Errors
/// [`HasDescendants`]: taking it out would hand them to a sibling.
#[inline(always)]
pub fn remove<S: Slots>(slots: &mut S, slot: Link) -> Result<(), HasDescendants> {
    if !is_leaf(slots, slot) {
        return Err(HasDescendants);
    }
    let before = slots.prev(slot);
    if !before.is_none()
        && let Some(credits) = slots.credits(before)
        && slots.depth(before) + 1 == slots.depth(slot)
        && !slots.is_revoking(before)
    {
        let behind = slots.next(slot);
        let is_last = behind.is_none() || slots.depth(behind) <= slots.depth(before);
        // A leaf's whole total is free again, whatever was lost below it. (Where totals are no bounds it can have lost
        // its own: then that is nothing.)
        let whole = match is_last {
            true => slots.node(before).total,
            false => credits + slots.node(slot).total.wrapping_add(1),
        };
        slots.set_credits(before, whole);
    }
    unlink(slots, slot);
    Ok(())
}

/// Moves the node at `from` to `to`, an unlinked slot that stores the same totals: the same
/// parent, children, rights and credits. `from` is unlinked then.
pub fn relocate<S: Slots>(slots: &mut S, from: Link, to: Link) {
    let (prev, next, node) = (slots.prev(from), slots.next(from), slots.node(from));
    slots.set_prev(to, prev);
    slots.set_next(to, next);
    slots.put(to, node);
    if !prev.is_none() {
        slots.set_next(prev, to);
    }
    if !next.is_none() {
        slots.set_prev(next, to);
    }
    slots.set_prev(from, Link::NONE);
    slots.set_next(from, Link::NONE);
}

/// The most steps that revoking `slot` can take from now on, whatever others do; `None` if its
/// total is unlimited.
pub fn phi<S: Slots>(slots: &S, slot: Link) -> Option<u32> {
    let node = slots.node(slot);
    (node.total != UNLIMITED).then(|| node.total - node.credits)
}

/// Joins the neighbours of `slot` and clears its links.
#[inline(always)]
fn unlink<S: Slots>(slots: &mut S, slot: Link) {
    let (prev, next) = (slots.prev(slot), slots.next(slot));
    if !prev.is_none() {
        slots.set_next(prev, next);
    }
    if !next.is_none() {
        slots.set_prev(next, prev);
    }
    slots.set_prev(slot, Link::NONE);
    slots.set_next(slot, Link::NONE);
}
