//! What mappings must be: for each frame the list of the slots that hold it, each behind what it was derived from,
//! the youngest first.

use alloc::vec::Vec;

use freehold_abi::layout::MAX_DEPTH;
use freehold_abi::update::TOTAL_UNLIMITED;
use freehold_rt::Error;

/// A slot that holds a frame.
#[derive(Clone, Copy)]
pub struct Node {
    /// Which frame.
    pub frame: usize,
    depth: u32,
    /// Whether it can be written through.
    pub writable: bool,
    /// The bound of what is derived from it, and what is left of that.
    bound: Option<(u32, u32)>,
    /// Accessed and dirty bits.
    pub used: u32,
}

/// All slots, by numbers: the roots of the frames first.
pub struct Model {
    nodes: Vec<Option<Node>>,
    lists: Vec<Vec<usize>>,
}

impl Model {
    /// Roots with these bounds, and so many slots that are empty.
    pub fn new(bounds: &[Option<u32>], empty: usize) -> Model {
        let root = |(frame, bound): (usize, &Option<u32>)| {
            let bound = bound.map(|total| (total, total));
            Some(Node { frame, depth: 0, writable: true, bound, used: 0 })
        };
        let mut nodes: Vec<_> = bounds.iter().enumerate().map(root).collect();
        nodes.resize(bounds.len() + empty, None);
        Model { nodes, lists: (0..bounds.len()).map(|root| alloc::vec![root]).collect() }
    }

    /// What is in a slot.
    pub fn node(&mut self, slot: usize) -> Option<&mut Node> {
        self.nodes[slot].as_mut()
    }

    /// Where the slot stands in its list, and how many behind it were derived from it.
    fn place(&self, slot: usize, node: Node) -> (usize, usize) {
        let list = &self.lists[node.frame];
        let at = list.iter().position(|&other| other == slot).expect("a slot of the list");
        let deeper = |&&other: &&usize| self.nodes[other].is_some_and(|other| other.depth > node.depth);
        (at, list[at + 1..].iter().take_while(deeper).count())
    }

    /// Derives one from another. Totals are those whose codes are their own numbers.
    pub fn derive(&mut self, from: usize, to: usize, write: bool, code: u32) -> Result<(), Error> {
        let parent = self.nodes[from].ok_or(Error::EmptySource)?;
        if self.nodes[to].is_some() {
            return Err(Error::Occupied);
        }
        let (at, _) = self.place(from, parent);
        if parent.depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let (bound, price) = match code {
            TOTAL_UNLIMITED => (None, u32::MAX),
            total => (Some((total, total)), 1 + total),
        };
        let mut rest = parent.bound;
        if let Some((_, left)) = &mut rest {
            *left = left.checked_sub(price).ok_or(Error::NoCredits)?;
        }
        self.nodes[from] = Some(Node { bound: rest, ..parent });
        let writable = parent.writable && write;
        self.nodes[to] =
            Some(Node { frame: parent.frame, depth: parent.depth + 1, writable, bound, used: 0 });
        self.lists[parent.frame].insert(at + 1, to);
        Ok(())
    }

    /// Takes back what was derived from a slot, which then has all that it may derive. Returns whether there was any.
    pub fn revoke(&mut self, slot: usize) -> bool {
        let Some(node) = self.nodes[slot] else { return false };
        let (at, below) = self.place(slot, node);
        for gone in self.lists[node.frame].drain(at + 1..=at + below) {
            self.nodes[gone] = None;
        }
        self.nodes[slot] = Some(Node { bound: node.bound.map(|(total, _)| (total, total)), ..node });
        below != 0
    }

    /// Takes a slot back with what was derived from it. Returns how it was used.
    pub fn unmap(&mut self, slot: usize) -> u32 {
        let Some(node) = self.nodes[slot] else { return 0 };
        let (at, below) = self.place(slot, node);
        if below != 0 {
            self.revoke(slot);
        }
        let before = self.lists[node.frame][at - 1];
        let others = self.nodes[before].map_or(0, |parent| self.place(before, parent).1) > 1;
        if let Some(Node { bound: Some((total, left)), depth, .. }) = &mut self.nodes[before]
            && *depth + 1 == node.depth
        {
            *left = if others { *left + 1 + node.bound.map_or(0, |(total, _)| total) } else { *total };
        }
        self.lists[node.frame].remove(at);
        self.nodes[slot] = None;
        node.used
    }
}
