//! The designs under comparison (docs/designs.md): which one this boot is, and its calls.
//!
//! What must hold: under `user-tables` nothing here is reached but [`call`], which knows no call, and the items of
//! a message that nobody could send.

mod account;
mod ends;
mod give;
pub mod items;
mod options;
pub mod redirect;
mod steps;
pub mod trust;
mod unmap;

use core::sync::atomic::{AtomicBool, Ordering};

use freehold_abi::Error;
use freehold_abi::designs::{Design, Operation};
use freehold_abi::info::Kernel as Question;
use freehold_mapdb::quota::QuotaFault;
use freehold_mapdb::{Database, MapFault, Pool};

use crate::arch;
use crate::errors::Cause;
use crate::kernel::Kernel;
use crate::multiboot::Loaded;
use crate::println;
use crate::syscall::CallResult;
use crate::thread::ThreadRef;

pub use account::made_space;
pub use ends::{end_frame, end_space};
use options::Options;

/// What a design has of its own.
pub struct State {
    design: Design,
    /// Tables and mapping nodes of the designs with a pool.
    database: Database,
    /// Bytes of the pool.
    pool: u32,
    /// Bytes of it that a space of the first program's making may have.
    quota: u32,
    /// The first program's Directory; 0: it has ended.
    first_space: u32,
    /// Where redirectors receive from.
    doors: trust::Doors,
}

/// The design that the command line asks for: `design=NAME[,OPTION]…`.
///
/// # Panics
/// If there is no such design.
pub fn choose(loaded: &Loaded) -> State {
    let Options { design, pool, quota } = Options::read(loaded);
    if design != Design::UserTables {
        println!("freehold: design {}", design.name());
    }
    State { design, pool, quota, ..State::new() }
}

/// The pool lies at `place`, and the first program, which has the Directory `first_space`, may have all of it.
pub fn found(k: &mut Kernel, place: u32, first_space: u32) {
    k.designs.first_space = first_space;
    k.has_pool = k.designs.has_pool();
    CREDITS.store(k.designs.design != Design::CreditsOff, Ordering::Relaxed);
    if k.designs.has_pool() {
        k.designs.database.pool = Pool::new(place, k.designs.pool);
        account::begin(k, first_space, u32::MAX);
        println!("freehold: a pool of {} KiB for tables and mappings", k.designs.pool >> 10);
    }
    match k.designs.design {
        Design::Redirector => arch::watch(&redirect::WATCHED),
        Design::LocalOnly => arch::watch(&trust::WATCHED),
        _ => {}
    }
}

impl State {
    /// Where the redirectors' endpoints stand, for the short paths.
    pub const DOORS: usize = core::mem::offset_of!(State, doors);

    /// Before boot.
    pub const fn new() -> State {
        State {
            design: Design::UserTables,
            database: Database::nowhere(),
            pool: 0,
            quota: 0,
            first_space: 0,
            doors: trust::Doors::new(),
        }
    }

    /// Bytes to be kept for the pool.
    pub fn pool_bytes(&self) -> u32 {
        self.pool
    }

    /// Whether there is a pool, and so map items.
    #[inline(always)]
    fn has_pool(&self) -> bool {
        self.pool != 0
    }

    /// Whether mapping and unmapping let no interrupts in: kernel-heap's original does not.
    fn is_undivided(&self) -> bool {
        self.design == Design::KernelHeap
    }

    /// What KernelInfo asks about the design.
    pub fn info(&self, question: u32) -> Option<u32> {
        let (bytes, used, peak) = self.database.pool.bytes();
        let answers = [
            (Question::Design, self.design as u32),
            (Question::PoolBytes, bytes),
            (Question::PoolUsed, used),
            (Question::PoolPeak, peak),
        ];
        answers.into_iter().find(|&(known, _)| known as u32 == question).map(|(_, answer)| answer)
    }
}

/// Whether totals are bounds.
static CREDITS: AtomicBool = AtomicBool::new(true);

/// Whether totals are bounds: not under `user-tables,credits=off`.
pub fn has_credits() -> bool {
    CREDITS.load(Ordering::Relaxed)
}

/// Design: a call of the design.
pub fn call(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let operation = t.immediate() & 0xFF;
    let is = |known: Operation| operation == known as u32;
    if !k.designs.has_pool() {
        Err(Error::UnknownCall)
    } else if is(Operation::Give) {
        give::give(k, t)
    } else if is(Operation::Unmap) {
        unmap::unmap(k, t)
    } else if is(Operation::SetQuota) && k.designs.design == Design::KernelQuota {
        account::set_quota(k, t)
    } else if is(Operation::Account) {
        account::account(k, t)
    } else if is(Operation::Distrust) && matches!(k.designs.design, Design::Redirector | Design::LocalOnly) {
        trust::distrust(k, t)
    } else if is(Operation::Propagate) && k.designs.design == Design::Redirector {
        redirect::propagate(k, t)
    } else {
        Err(Error::UnknownCall)
    }
}

impl Cause for MapFault {
    fn cause(self) -> Error {
        match self {
            MapFault::Taken => Error::NoWindow,
            MapFault::TooDeep => Error::TooDeep,
            MapFault::PoolExhausted => Error::PoolExhausted,
            MapFault::OverQuota => Error::OverQuota,
        }
    }
}

impl Cause for QuotaFault {
    fn cause(self) -> Error {
        match self {
            QuotaFault::NotTheGiver => Error::NoRight,
            QuotaFault::OverQuota => Error::OverQuota,
        }
    }
}
