//! A mapping database as L4 has one: who mapped which page on to whom, and tables for it, out of a pool that belongs to
//! the kernel and that nobody in particular pays for.
//!
//! The opponent of `user-pagetables` and `captree`: the designs that are compared with them stand on it. Each frame has
//! a list of its mappings in pre-order, with a depth at each: what was mapped onward from a mapping is the run of deeper
//! nodes behind it. A node is 12 bytes of the pool, a page table 8 KiB: the entries, and the number of each one's node.
//!
//! What must hold (checked by [`check`]): each present entry of a table of the pool has one node, which names it, in the
//! list of its frame; every list is well formed, and begins at depth 0; a mapping can be written only if the one that it
//! was made from can; the counters of the pool and of each space are the numbers of tables and nodes; who gave
//! whom a quota is as in [`quota`].
//!
//! | file | what |
//! |---|---|
//! | pool.rs | blocks, tables, nodes |
//! | list.rs | the list of a frame |
//! | account.rs | what a space has of the pool |
//! | quota.rs | what it may have, and who gave it that |
//! | map.rs | pages mapped onward, and granted |
//! | unmap.rs | mappings taken back |
//! | ends.rs | frames given and taken back, spaces that end |

#![no_std]
#![forbid(unsafe_code)]

mod account;
pub mod check;
mod ends;
mod list;
mod map;
pub mod pool;
pub mod quota;
mod unmap;

pub use account::Account;
pub use list::MAX_DEPTH;
pub use map::Run;
pub use pool::{Need, Pool};
pub use unmap::Pages;

/// Why nothing was mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapFault {
    /// The place is not the pool's: a Table is hooked there, or the page-table area is there.
    Taken,
    /// A page lies as deep in its list as pages can.
    TooDeep,
    /// The pool has no memory left.
    PoolExhausted,
    /// The receiver's space has used up its quota.
    OverQuota,
}

/// The database.
#[derive(Debug)]
pub struct Database {
    /// Where tables and nodes come from.
    pub pool: Pool,
}

impl Database {
    /// A database without a pool.
    pub const fn nowhere() -> Database {
        Database { pool: Pool::nowhere() }
    }
}
