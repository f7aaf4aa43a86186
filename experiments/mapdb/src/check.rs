//! What must hold, as a predicate. For tests: it looks at everything, and takes as long as that takes.

use freehold_user_pagetables::layout::{self, POOL_MAPPINGS, POOL_TABLES};
use freehold_user_pagetables::{Entry, FrameType, Memory, PoolPlace, Tables};

use crate::Database;
use crate::list::NODE_OF;
use crate::pool::{BLOCK, NODE};
use crate::quota::is_well_given;

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The list of this frame is not well formed.
    List(u32),
    /// A node's entry leads elsewhere, or names another node.
    Entry(u32),
    /// A mapping of this frame can be written though the one that it was made from cannot.
    Rights(u32),
    /// A space's counters are not what it has.
    Account(u32),
    /// A space's giver does not know of it, or it of those that it gave to.
    Quota(u32),
    /// The pool's counter is not what is in use, or an entry has no node.
    Used,
}

impl Database {
    /// Checks every list, table and account. `settled`: no work is unfinished. What was taken back in part has nodes
    /// whose parents are gone already: they hang on what stands before them, and go with it.
    ///
    /// # Errors
    /// The first thing found [`Broken`].
    pub fn check<M: Memory>(&self, t: &Tables<M>, settled: bool) -> Result<(), Broken> {
        let (mut nodes, mut tables, mut entries) = (0, 0, 0);
        for frame in (0..t.frame_count()).map(|number| number << 12) {
            match t.nature(frame) {
                FrameType::Pooled => nodes += self.check_list(t, frame, settled)?,
                FrameType::Directory => {
                    let (found, mappings) = self.check_space(t, frame)?;
                    (tables, entries) = (tables + found, entries + mappings);
                }
                _ => {}
            }
        }
        let (_, used, _) = self.pool.bytes();
        if nodes == entries && used == tables * BLOCK + nodes * NODE { Ok(()) } else { Err(Broken::Used) }
    }

    fn check_list<M: Memory>(&self, t: &Tables<M>, frame: u32, settled: bool) -> Result<u32, Broken> {
        // Whether what is open at each depth can be written.
        let mut writable = [true; 256];
        let (mut before, mut at, mut nodes) = (None, self.first(t, frame), 0);
        let dying = t.frame_type(frame) != FrameType::Pooled;
        while let Some(node) = at {
            let depth = self.depth(t, node) as usize;
            let deepest = before.map_or(0, |before| self.depth(t, before) as usize + 1);
            let fits = (depth <= deepest || !settled) && (depth == 0) == before.is_none();
            if self.previous(t, node) != before || !(fits || dying) {
                return Err(Broken::List(frame));
            }
            let place = self.entry_of(t, node);
            let entry = Entry(t.memory.load(place));
            if !entry.is_present() || entry.address() != frame || self.node_of(t, place) != node {
                return Err(Broken::Entry(place));
            }
            if depth != 0 && entry.is_writable() && !writable[depth - 1] && settled {
                return Err(Broken::Rights(frame));
            }
            writable[depth] = entry.is_writable();
            nodes += 1;
            (before, at) = (at, self.next(t, node));
        }
        Ok(nodes)
    }

    /// The tables and the mappings of a space.
    fn check_space<M: Memory>(&self, t: &Tables<M>, directory: u32) -> Result<(u32, u32), Broken> {
        let (mut tables, mut mappings) = (0, 0);
        for index in 0..layout::USER_TABLES {
            let PoolPlace::Table(table) = t.pool_place(directory, index) else { continue };
            tables += 1;
            for entry in (table..table + NODE_OF).step_by(4) {
                mappings += u32::from(t.memory.load(entry) != 0);
            }
        }
        let counted = [POOL_TABLES, POOL_MAPPINGS].map(|field| t.space_field(directory, field));
        if !is_well_given(t, directory) {
            return Err(Broken::Quota(directory));
        }
        if counted == [tables, mappings] { Ok((tables, mappings)) } else { Err(Broken::Account(directory)) }
    }
}
