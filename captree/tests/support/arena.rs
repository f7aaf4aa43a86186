//! Slots for tests: two stores with different fields, as in the kernel. What must hold: a slot keeps
//! what was written, and nobody writes what a slot cannot store.

use freehold_captree::{Link, Node, Slots, UNLIMITED};

/// Kind of a slot that stores every total.
pub const EXACT: u32 = 3;
/// Kind of a slot that stores the totals in [`COARSE_TOTALS`] and no others.
pub const COARSE: u32 = 1;
/// What a coarse slot can store beside [`UNLIMITED`].
pub const COARSE_TOTALS: [u32; 6] = [0, 1, 2, 3, 6, 20];

/// A node that is no node: what an unused slot reads as.
pub const EMPTY: Node = Node { depth: 0, rights: 0, revoking: false, total: 0, credits: 0 };

/// A fixed number of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arena {
    cells: Vec<(Link, Link, Node)>,
    coarse_every: usize,
    /// Whether totals are bounds.
    pub bounded: bool,
}

impl Arena {
    /// `count` unused slots, of which every `coarse_every`th is coarse (0: none).
    pub fn new(count: usize, coarse_every: usize) -> Arena {
        Arena { cells: vec![(Link::NONE, Link::NONE, EMPTY); count], coarse_every, bounded: true }
    }

    /// The slot with this number.
    pub fn link(&self, number: usize) -> Link {
        let coarse = self.coarse_every != 0 && number % self.coarse_every == self.coarse_every - 1;
        Link::new(4 * number as u32 + 0x1000, if coarse { COARSE } else { EXACT })
    }

    /// The number of this slot.
    pub fn number(&self, link: Link) -> usize {
        let number = (link.address() as usize - 0x1000) / 4;
        assert_eq!(link, self.link(number), "a link names a slot with its right kind");
        number
    }

    /// Makes a slot read as unused.
    pub fn erase(&mut self, link: Link) {
        let number = self.number(link);
        self.cells[number] = (Link::NONE, Link::NONE, EMPTY);
    }

    fn cell(&mut self, link: Link) -> &mut (Link, Link, Node) {
        let number = self.number(link);
        &mut self.cells[number]
    }
}

impl Slots for Arena {
    fn next(&self, slot: Link) -> Link {
        self.cells[self.number(slot)].0
    }

    fn set_next(&mut self, slot: Link, next: Link) {
        self.cell(slot).0 = next;
    }

    fn prev(&self, slot: Link) -> Link {
        self.cells[self.number(slot)].1
    }

    fn set_prev(&mut self, slot: Link, prev: Link) {
        self.cell(slot).1 = prev;
    }

    fn node(&self, slot: Link) -> Node {
        self.cells[self.number(slot)].2
    }

    fn put(&mut self, slot: Link, node: Node) {
        assert_eq!(self.representable(slot, node.total), node.total, "{slot:?} cannot store {node:?}");
        assert!(node.depth <= freehold_captree::MAX_DEPTH, "{slot:?} cannot store {node:?}");
        assert!(node.credits <= node.total, "{slot:?}: credits out of nothing, {node:?}");
        self.cell(slot).2 = node;
    }

    fn set_credits(&mut self, slot: Link, credits: u32) {
        let node = &mut self.cell(slot).2;
        assert!(node.total != UNLIMITED && credits <= node.total, "{slot:?}: {credits} credits, {node:?}");
        node.credits = credits;
    }

    fn set_revoking(&mut self, slot: Link, revoking: bool) {
        self.cell(slot).2.revoking = revoking;
    }

    fn representable(&self, slot: Link, total: u32) -> u32 {
        if slot.kind() == EXACT || total == UNLIMITED {
            return total;
        }
        COARSE_TOTALS.into_iter().filter(|&stored| stored <= total).max().unwrap_or(0)
    }

    fn is_bounded(&self, _: Link) -> bool {
        self.bounded
    }
}
