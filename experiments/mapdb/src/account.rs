//! What a space has of the pool: counted in its Directory, so that it ends with it.

use freehold_user_pagetables::layout::{POOL_MAPPINGS, POOL_QUOTA, POOL_TABLES};
use freehold_user_pagetables::{Memory, Tables};

use crate::pool::{BLOCK, NODE, Need};
use crate::{Database, MapFault};

/// What a space has of the pool, and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Tables.
    pub tables: u32,
    /// Mappings: nodes.
    pub mappings: u32,
    /// Bytes that it may have.
    pub quota: u32,
}

impl Account {
    /// What `directory` has.
    #[inline(always)]
    pub fn of<M: Memory>(t: &Tables<M>, directory: u32) -> Account {
        Account {
            tables: t.space_field(directory, POOL_TABLES),
            mappings: t.space_field(directory, POOL_MAPPINGS),
            quota: t.space_field(directory, POOL_QUOTA),
        }
    }

    /// Bytes that are charged to it.
    pub const fn bytes(self) -> u32 {
        self.tables * BLOCK + self.mappings * NODE
    }

    /// Bytes that it may still have.
    pub const fn left(self) -> u32 {
        self.quota.saturating_sub(self.bytes())
    }
}

impl Database {
    /// Whether the pool has `need`, and the space of `directory` may have `charged`.
    ///
    /// # Errors
    /// PoolExhausted, OverQuota.
    pub fn afford<M: Memory>(
        &self,
        t: &Tables<M>,
        directory: u32,
        need: Need,
        charged: Option<Need>,
    ) -> Result<(), MapFault> {
        if charged.is_some_and(|charged| charged.bytes() > Account::of(t, directory).left()) {
            return Err(MapFault::OverQuota);
        }
        if self.pool.has(need) { Ok(()) } else { Err(MapFault::PoolExhausted) }
    }

    /// Charges a mapping to the space of `directory`.
    #[inline(always)]
    pub(crate) fn charge_mapping<M: Memory>(&mut self, t: &mut Tables<M>, directory: u32) {
        let before = t.space_field(directory, POOL_MAPPINGS);
        t.memory.store(directory + POOL_MAPPINGS, before + 1);
    }

    /// Takes a charge back.
    #[inline(always)]
    pub(crate) fn uncharge_mapping<M: Memory>(&mut self, t: &mut Tables<M>, directory: u32) {
        let before = t.space_field(directory, POOL_MAPPINGS);
        t.memory.store(directory + POOL_MAPPINGS, before - 1);
    }

    /// Gives entry `index` of a Directory, which is free for it, a table.
    #[cold]
    pub(crate) fn new_table<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        directory: u32,
        index: u32,
    ) -> Option<u32> {
        let table = self.pool.take_table(t)?;
        t.put_pool_table(directory, index, table);
        let before = t.space_field(directory, POOL_TABLES);
        t.memory.store(directory + POOL_TABLES, before + 1);
        Some(table)
    }

    /// Takes an empty table back.
    pub(crate) fn drop_table<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        directory: u32,
        index: u32,
        table: u32,
    ) -> freehold_user_pagetables::Flush {
        let flush = t.take_pool_table(directory, index);
        self.pool.give_table(t, table);
        let before = t.space_field(directory, POOL_TABLES);
        t.memory.store(directory + POOL_TABLES, before - 1);
        flush
    }
}
