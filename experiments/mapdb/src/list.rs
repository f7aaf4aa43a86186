//! The list of a frame: nodes in pre-order, with a depth at each.
//!
//! | word | bits | what |
//! |---|---|---|
//! | 0 | 0–23, 24–31 | the next node, the depth |
//! | 1 | 0–23 | the previous node; 0: it is the first, and the frame's element names it |
//! | 2 | | the address of the entry |
//!
//! Nodes are named by their distance from the pool's beginning, in words; no node is at 0.

use freehold_user_pagetables::{Entry, Flush, Memory, Tables, layout};

use crate::Database;

/// The greatest depth: one more would not fit into its eight bits.
pub const MAX_DEPTH: u32 = 255;

const NAME: u32 = (1 << 24) - 1;
const DEPTH: u32 = 24;
const PREVIOUS: u32 = 4;
const ENTRY: u32 = 8;
/// From an entry to the name of its node.
pub(crate) const NODE_OF: u32 = layout::FRAME;

impl Database {
    #[inline(always)]
    pub(crate) fn name(&self, node: u32) -> u32 {
        (node - self.pool.base) / 4
    }

    #[inline(always)]
    pub(crate) fn named(&self, name: u32) -> u32 {
        self.pool.base + 4 * name
    }

    /// The node of the present entry at `entry`.
    #[inline(always)]
    pub(crate) fn node_of<M: Memory>(&self, t: &Tables<M>, entry: u32) -> u32 {
        self.named(t.memory.load(entry + NODE_OF))
    }

    /// Its depth.
    #[inline(always)]
    pub(crate) fn depth<M: Memory>(&self, t: &Tables<M>, node: u32) -> u32 {
        t.memory.load(node) >> DEPTH
    }

    /// The node behind.
    #[inline(always)]
    pub(crate) fn next<M: Memory>(&self, t: &Tables<M>, node: u32) -> Option<u32> {
        match t.memory.load(node) & NAME {
            0 => None,
            name => Some(self.named(name)),
        }
    }

    /// The node before.
    pub(crate) fn previous<M: Memory>(&self, t: &Tables<M>, node: u32) -> Option<u32> {
        match t.memory.load(node + PREVIOUS) {
            0 => None,
            name => Some(self.named(name)),
        }
    }

    /// The address of a node's entry.
    #[inline(always)]
    pub(crate) fn entry_of<M: Memory>(&self, t: &Tables<M>, node: u32) -> u32 {
        t.memory.load(node + ENTRY)
    }

    /// The first node of a frame's list.
    pub(crate) fn first<M: Memory>(&self, t: &Tables<M>, frame: u32) -> Option<u32> {
        match t.aux(frame) {
            0 => None,
            name => Some(self.named(name)),
        }
    }

    /// The entry at `entry` and a node are each other's.
    #[inline(always)]
    pub(crate) fn bind<M: Memory>(&mut self, t: &mut Tables<M>, node: u32, entry: u32) {
        t.memory.store(node + ENTRY, entry);
        t.memory.store(entry + NODE_OF, self.name(node));
    }

    /// Makes `node` the first of a frame without any, at depth 0.
    pub(crate) fn begin<M: Memory>(&mut self, t: &mut Tables<M>, frame: u32, node: u32) {
        debug_assert!(t.aux(frame) == 0);
        t.memory.store(node, 0);
        t.memory.store(node + PREVIOUS, 0);
        t.set_aux(frame, self.name(node));
    }

    /// Puts `node` behind `parent`, one deeper.
    #[inline(always)]
    pub(crate) fn insert<M: Memory>(&mut self, t: &mut Tables<M>, parent: u32, node: u32) {
        let word = t.memory.load(parent);
        debug_assert!(word >> DEPTH < MAX_DEPTH);
        let name = self.name(node);
        t.memory.store(node, word + (1 << DEPTH));
        t.memory.store(node + PREVIOUS, self.name(parent));
        t.memory.store(parent, word & !NAME | name);
        if word & NAME != 0 {
            t.memory.store(self.named(word & NAME) + PREVIOUS, name);
        }
    }

    /// Takes `node`, whose entry led to `frame`, off its list.
    #[inline(always)]
    fn remove<M: Memory>(&mut self, t: &mut Tables<M>, frame: u32, node: u32) {
        let next = t.memory.load(node) & NAME;
        let previous = t.memory.load(node + PREVIOUS);
        if previous == 0 {
            t.set_aux(frame, next);
        } else {
            let previous = self.named(previous);
            t.memory.store(previous, t.memory.load(previous) & !NAME | next);
        }
        if next != 0 {
            t.memory.store(self.named(next) + PREVIOUS, previous);
        }
    }

    /// Empties the entry of `node` and gives the node back. Nothing must hang on it, or all that does must go too.
    #[inline(always)]
    pub(crate) fn take<M: Memory>(&mut self, t: &mut Tables<M>, node: u32) -> Flush {
        let entry = self.entry_of(t, node);
        let was = Entry(t.memory.swap(entry, 0));
        self.remove(t, was.address(), node);
        self.pool.give_node(t, node);
        let seen = t.seen(entry);
        self.uncharge_mapping(t, seen.directory);
        due(t, was, seen)
    }
}

/// What is due when the entry that is seen there was `was` and has lost something: nothing, unless the processor uses
/// that Directory and has used the entry.
#[inline(always)]
pub(crate) fn due<M: Memory>(t: &Tables<M>, was: Entry, seen: freehold_user_pagetables::Seen) -> Flush {
    match was.0 & Entry::ACCESSED != 0 && seen.directory == t.current {
        true => Flush::Pages(seen.address, 1),
        false => Flush::None,
    }
}
