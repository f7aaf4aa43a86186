//! Where lists begin and end: frames given and taken back, spaces that end.

use freehold_user_pagetables::layout::{self, POOL_CURSOR, POOL_FIELD_COUNT, POOL_FIELDS, POOL_TABLES};
use freehold_user_pagetables::{Budget, Donation, Entry, Flush, Memory, PoolPlace, Progress, Tables};

use crate::pool::Need;
use crate::unmap::NODE_UNITS;
use crate::{Database, MapFault, Pages, quota};

impl Database {
    /// What it takes of the pool to give a space a page at `address`.
    ///
    /// # Errors
    /// Taken: something is there, or nothing can be.
    pub fn survey_gift<M: Memory>(
        &self,
        t: &Tables<M>,
        directory: u32,
        address: u32,
    ) -> Result<Need, MapFault> {
        match t.pool_place(directory, address >> 22) {
            PoolPlace::Free => Ok(Need { nodes: 1, tables: 1 }),
            PoolPlace::Table(table) if t.memory.load(table + (address >> 10 & 0xFFC)) == 0 => {
                Ok(Need { nodes: 1, tables: 0 })
            }
            _ => Err(MapFault::Taken),
        }
    }

    /// Makes a frame the pool's to map: its first mapping is at `address` of a space. It was surveyed, and the pool has
    /// what it takes.
    ///
    /// # Errors
    /// PoolExhausted, if the pool has not.
    pub fn give<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        donation: Donation,
        (directory, address): (u32, u32),
        writable: bool,
    ) -> Result<Flush, MapFault> {
        let index = address >> 22;
        let table = match t.pool_place(directory, index) {
            PoolPlace::Table(table) => table,
            PoolPlace::Free => self.new_table(t, directory, index).ok_or(MapFault::PoolExhausted)?,
            PoolPlace::Taken => return Err(MapFault::Taken),
        };
        let node = self.pool.take_node(t).ok_or(MapFault::PoolExhausted)?;
        let (frame, entry) = (donation.frame(), table + (address >> 10 & 0xFFC));
        let flush = t.donate(donation);
        self.begin(t, frame, node);
        self.bind(t, node, entry);
        t.memory.store(entry, Entry::user(frame, writable).0);
        self.charge_mapping(t, directory);
        Ok(flush)
    }

    /// Takes back every mapping of a frame that is being taken back, the first first: nothing is mapped onward from it
    /// any more.
    pub fn end_frame<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        frame: u32,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let mut flush = Flush::None;
        while let Some(first) = self.first(t, frame) {
            if !budget.spend(NODE_UNITS) {
                return (Progress::Preempted, flush);
            }
            flush = flush.and(self.take(t, first));
        }
        (Progress::Done, flush)
    }

    /// Takes back all that a space that ends has of the pool, and all that hangs on it. Its giver has its quota back
    /// then, not before: until then it is charged with what is left. Its fields are clear.
    pub fn end_space<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        directory: u32,
        budget: &mut impl Budget,
    ) -> (Progress, Flush) {
        let mut flush = Flush::None;
        if quota::pass_on(t, directory, budget) == Progress::Preempted {
            return (Progress::Preempted, flush);
        }
        let mut index = t.space_field(directory, POOL_CURSOR);
        while t.space_field(directory, POOL_TABLES) != 0 {
            if !budget.spend(1) {
                return (Progress::Preempted, flush);
            }
            if let PoolPlace::Table(table) = t.pool_place(directory, index) {
                let pages = Pages { directory, address: index << 22, count: layout::ENTRIES };
                let (progress, due) = self.unmap(t, pages, true, &mut 0, budget);
                flush = flush.and(due);
                if progress == Progress::Preempted {
                    return (progress, flush);
                }
                flush = flush.and(self.drop_table(t, directory, index, table));
            }
            index += 1;
            t.memory.store(directory + POOL_CURSOR, index);
        }
        quota::give_up(t, directory);
        t.memory.clear(directory + POOL_FIELDS, 4 * POOL_FIELD_COUNT);
        (Progress::Done, flush)
    }
}
