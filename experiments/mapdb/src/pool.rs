//! The kernel's pool: memory reserved at boot, in blocks of 8 KiB. A block is a page table with a word for each of its
//! entries, or a slab of mapping nodes.
//!
//! | offset | table | slab |
//! |---|---|---|
//! | 0 | 1,024 hardware entries | first free node (11 bits, in words), used (10), begun (10) |
//! | 4 | | next slab with room, previous one: 16 bits each, numbers of blocks from 1 |
//! | 8 | | 682 nodes of 12 bytes |
//! | 4 KiB | the entries' nodes | |
//!
//! What must hold: every operation takes constant time, but for clearing the entries of a new table; a slab without
//! nodes is no slab any more, so what nodes had can become tables again.

use freehold_user_pagetables::{Memory, Tables, layout};

/// Bytes of a block.
pub const BLOCK: u32 = 8 << 10;
/// Bytes of a mapping node.
pub const NODE: u32 = 12;
/// Nodes of a slab.
pub const SLAB_NODES: u32 = (BLOCK - HEADER) / NODE;
/// The largest pool: nodes name one another by 24 bits, in words.
pub const MOST_BYTES: u32 = 64 << 20;

const HEADER: u32 = 8;
const LINKS: u32 = 4;
const FREE_MASK: u32 = (1 << 11) - 1;
const USED: u32 = 11;
const BEGUN: u32 = 21;

/// What a piece of work will take of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Nodes.
    pub nodes: u32,
    /// Tables.
    pub tables: u32,
}

impl Need {
    /// Both.
    pub const fn and(self, more: Need) -> Need {
        Need { nodes: self.nodes + more.nodes, tables: self.tables + more.tables }
    }

    /// Bytes that are charged for it.
    pub const fn bytes(self) -> u32 {
        self.nodes * NODE + self.tables * BLOCK
    }
}

/// A pool.
#[derive(Debug, Default)]
pub struct Pool {
    pub(crate) base: u32,
    blocks: u32,
    /// Blocks from the first on that have ever been in use.
    begun: u32,
    /// The first block that is free again, which names the next; 0: none.
    free: u32,
    free_blocks: u32,
    /// The first slab with room; 0: none.
    roomy: u32,
    free_nodes: u32,
    used: u32,
    peak: u32,
}

impl Pool {
    /// A pool without memory.
    pub const fn nowhere() -> Pool {
        Pool {
            base: 0,
            blocks: 0,
            begun: 0,
            free: 0,
            free_blocks: 0,
            roomy: 0,
            free_nodes: 0,
            used: 0,
            peak: 0,
        }
    }

    /// The pool of `bytes`, a multiple of [`BLOCK`], at the address `base`, a multiple of that too.
    ///
    /// # Panics
    /// If it is larger than [`MOST_BYTES`].
    pub fn new(base: u32, bytes: u32) -> Pool {
        assert!(bytes <= MOST_BYTES && bytes.is_multiple_of(BLOCK) && base.is_multiple_of(BLOCK));
        let blocks = bytes / BLOCK;
        Pool { base, blocks, free_blocks: blocks, ..Pool::nowhere() }
    }

    /// Bytes in all, bytes in use, and the most that ever were: tables and nodes, not what lies idle in slabs.
    pub fn bytes(&self) -> (u32, u32, u32) {
        (self.blocks * BLOCK, self.used, self.peak)
    }

    /// Whether it has all that.
    #[inline(always)]
    pub fn has(&self, need: Need) -> bool {
        if need.tables > self.free_blocks {
            return false;
        }
        need.nodes <= self.free_nodes
            || need.nodes - self.free_nodes <= (self.free_blocks - need.tables) * SLAB_NODES
    }

    #[inline(always)]
    fn charge(&mut self, bytes: u32) {
        self.used += bytes;
        self.peak = self.peak.max(self.used);
    }

    /// A table whose entries are clear. `None`: nothing is left.
    pub fn take_table<M: Memory>(&mut self, t: &mut Tables<M>) -> Option<u32> {
        let table = self.take_block(t)?;
        t.memory.clear(table, layout::FRAME);
        self.charge(BLOCK);
        Some(table)
    }

    /// Gives a table back.
    pub fn give_table<M: Memory>(&mut self, t: &mut Tables<M>, table: u32) {
        self.used -= BLOCK;
        self.give_block(t, table);
    }

    fn take_block<M: Memory>(&mut self, t: &mut Tables<M>) -> Option<u32> {
        if self.free_blocks == 0 {
            return None;
        }
        self.free_blocks -= 1;
        if self.free == 0 {
            self.begun += 1;
            return Some(self.base + (self.begun - 1) * BLOCK);
        }
        let block = self.free;
        self.free = t.memory.load(block);
        Some(block)
    }

    fn give_block<M: Memory>(&mut self, t: &mut Tables<M>, block: u32) {
        t.memory.store(block, self.free);
        self.free = block;
        self.free_blocks += 1;
    }

    /// A node; what is in it is nothing. `None`: nothing is left.
    #[inline(always)]
    pub(crate) fn take_node<M: Memory>(&mut self, t: &mut Tables<M>) -> Option<u32> {
        let slab = if self.roomy == 0 { self.new_slab(t)? } else { self.roomy };
        let mut head = t.memory.load(slab) + (1 << USED);
        let node = match head & FREE_MASK {
            0 => {
                let begun = head >> BEGUN;
                head += 1 << BEGUN;
                slab + HEADER + begun * NODE
            }
            free => {
                let node = slab + 4 * free;
                head = head & !FREE_MASK | t.memory.load(node);
                node
            }
        };
        t.memory.store(slab, head);
        if head >> USED & 0x3FF == SLAB_NODES {
            self.leave_roomy(t, slab);
        }
        self.free_nodes -= 1;
        self.charge(NODE);
        Some(node)
    }

    #[cold]
    fn new_slab<M: Memory>(&mut self, t: &mut Tables<M>) -> Option<u32> {
        let slab = self.take_block(t)?;
        t.memory.store(slab, 0);
        self.enter_roomy(t, slab);
        self.free_nodes += SLAB_NODES;
        Some(slab)
    }

    /// Gives a node back.
    #[inline(always)]
    pub(crate) fn give_node<M: Memory>(&mut self, t: &mut Tables<M>, node: u32) {
        let slab = node & !(BLOCK - 1);
        let head = t.memory.load(slab);
        t.memory.store(node, head & FREE_MASK);
        let was = head >> USED & 0x3FF;
        t.memory.store(slab, (head & !FREE_MASK | ((node - slab) / 4)) - (1 << USED));
        self.free_nodes += 1;
        self.used -= NODE;
        if was == SLAB_NODES {
            self.enter_roomy(t, slab);
        } else if was == 1 {
            self.leave_roomy(t, slab);
            self.free_nodes -= SLAB_NODES;
            self.give_block(t, slab);
        }
    }

    fn number(&self, slab: u32) -> u32 {
        if slab == 0 { 0 } else { (slab - self.base) / BLOCK + 1 }
    }

    fn slab(&self, number: u32) -> u32 {
        if number == 0 { 0 } else { self.base + (number - 1) * BLOCK }
    }

    #[cold]
    fn enter_roomy<M: Memory>(&mut self, t: &mut Tables<M>, slab: u32) {
        t.memory.store(slab + LINKS, self.number(self.roomy));
        if self.roomy != 0 {
            let links = t.memory.load(self.roomy + LINKS);
            t.memory.store(self.roomy + LINKS, links | self.number(slab) << 16);
        }
        self.roomy = slab;
    }

    #[cold]
    fn leave_roomy<M: Memory>(&mut self, t: &mut Tables<M>, slab: u32) {
        let links = t.memory.load(slab + LINKS);
        let (next, previous) = (self.slab(links & 0xFFFF), self.slab(links >> 16));
        if next != 0 {
            let links = t.memory.load(next + LINKS);
            t.memory.store(next + LINKS, links & 0xFFFF | self.number(previous) << 16);
        }
        if previous == 0 {
            self.roomy = next;
        } else {
            let links = t.memory.load(previous + LINKS);
            t.memory.store(previous + LINKS, links & !0xFFFF | self.number(next));
        }
    }
}

const _: () = assert!(SLAB_NODES < 1 << 10 && BLOCK / 4 <= 1 << 11 && MOST_BYTES / BLOCK < 1 << 16);
