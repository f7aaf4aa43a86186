//! Memory over both models: pages obtained, mapped again, passed to the accomplice and back, taken away.
//!
//! What must hold: both models do the same to the same addresses. With a pool (pool.rs) pages come from the root by map
//! items and go on by map items; without (tables.rs) they are the program's own frames, and mappings stand in Tables that
//! the space which receives them has made. The accomplice runs [`serve()`] (or [`serve_one`] in a loop of its own).
//!
//! Addresses are multiples of a page, from [`rt::layout::OWN`](freehold_rt::layout::OWN) on; `pages` in a row lie in one block of 4 MiB. With a pool
//! they are a power of two, and the addresses multiples of their size.

mod fill;
mod pool;
mod serve;
mod tables;

use freehold_rt::Error;
use freehold_rt::calls::Stop;
use freehold_rt::memory::MapError;

use crate::kit::Kit;
use pool::Pool;
use tables::Tables;

pub use fill::{Filled, Whose};
pub use pool::with_item;
pub use serve::{Server, serve, serve_one};

/// What the partner is asked, and what it answers. Labels of messages between the two programs; an attack's own begin at
/// [`OTHER`](message::OTHER).
pub mod message {
    /// Answer: DONE with an item, the capability to the partner's space, with Edit.
    pub const SPACE: u16 = 1;
    /// `[block]`: answer: DONE with an item, the container of the Table at that block of 4 MiB, made if there is none.
    pub const TABLE: u16 = 2;
    /// With a map item. Answer: DONE.
    pub const TAKE: u16 = 3;
    /// `[from, to, pages]`: answer: DONE with a map item of the partner's pages at `from`, for `to`.
    pub const BACK: u16 = 4;
    /// `[at, pages]`: the partner gives its pages up. Answer: DONE, FAILED.
    pub const DROP: u16 = 5;
    /// `[address]`: answer: DONE `[word]`; FAILED if the partner has nothing there.
    pub const READ: u16 = 6;
    /// `[address, word]`: answer: DONE; FAILED if the partner cannot write there.
    pub const WRITE: u16 = 7;
    /// The first label that is an attack's own.
    pub const OTHER: u16 = 0x100;
}

/// Why something was not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel refused, after so many pages.
    Kernel(Error, u32),
    /// The own memory, or slots, are used up.
    Exhausted,
    /// The partner, or the root, refused.
    Partner(Option<Error>),
}

impl Refusal {
    /// The kernel's error, if it was that.
    pub fn error(self) -> Option<Error> {
        match self {
            Refusal::Kernel(error, _) => Some(error),
            Refusal::Partner(error) => error,
            Refusal::Exhausted => None,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Exhausted => "own memory used up",
            other => other.error().map_or("refused", Error::name),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Kernel(error, 0)
    }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        Refusal::Kernel(stop.error, stop.done)
    }
}

impl From<MapError> for Refusal {
    fn from(error: MapError) -> Refusal {
        match error {
            MapError::Kernel(error) => Refusal::Kernel(error, 0),
            MapError::OutOfMemory | MapError::OutOfSlots => Refusal::Exhausted,
        }
    }
}

/// The attacker's memory and its way to the accomplice's.
pub struct World {
    model: Model,
    /// Without a pool: code of the totals of the mappings that are made from now on (`abi::update`): 0, as at first, lets
    /// nothing be derived from them. A child's has to be lower than its parent's.
    pub total_code: u32,
}

enum Model {
    Tables(Tables),
    Pool(Pool),
}

impl World {
    /// For a program that may pass pages to its partner, which serves.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn new(kit: &Kit) -> Result<World, Refusal> {
        let model = if kit.design.has_pool() {
            Model::Pool(Pool::new(kit)?)
        } else {
            Model::Tables(Tables::new(kit))
        };
        Ok(World { model, total_code: 0 })
    }

    /// A page of memory at `address`, writable and clear: an own frame, or one of the root's.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn obtain(&mut self, address: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(tables) => tables.obtain(address, self.total_code),
            Model::Pool(pool) => pool.obtain(address),
        }
    }

    /// Page `index` of those that the root lends, at `address`: without a pool one of `kit.lent`, else one of the root's.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn borrow(&mut self, kit: &Kit, index: u32, address: u32) -> Result<(), Refusal> {
        self.borrow_for(kit, index, address, Whose::Own)
    }

    /// The same in one of the two spaces. With a pool the root maps for who asks, and for nobody else.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn borrow_for(&mut self, kit: &Kit, index: u32, address: u32, whose: Whose) -> Result<(), Refusal> {
        match (&mut self.model, whose) {
            (Model::Tables(tables), whose) => {
                let lent = kit.lent.ok_or(Refusal::Partner(None))?;
                tables.map_from((lent, index), address, whose, self.total_code)
            }
            (Model::Pool(pool), Whose::Own) => pool.obtain(address),
            (Model::Pool(_), Whose::Partners) => Err(Refusal::Partner(None)),
        }
    }

    /// Maps own pages again, in the own space.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn alias(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(tables) => tables.alias(from, to, pages, self.total_code),
            Model::Pool(pool) => pool.alias(from, to, pages),
        }
    }

    /// Maps own pages in the partner's space.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn delegate(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(tables) => tables.delegate(from, to, pages, self.total_code),
            Model::Pool(pool) => pool.delegate(from, to, pages),
        }
    }

    /// Moves own pages to the partner's space, with their place in the derivation. Only map items can.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn grant(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(_) => Err(Error::UnknownCall.into()),
            Model::Pool(pool) => pool.grant(from, to, pages),
        }
    }

    /// Maps the partner's pages in the own space.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn delegate_back(&mut self, from: u32, to: u32, pages: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(tables) => tables.delegate_back(from, to, pages, self.total_code),
            Model::Pool(pool) => pool.delegate_back(from, to, pages),
        }
    }

    /// Takes back all that was mapped onward from own pages; they stay.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn revoke(&mut self, at: u32, pages: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(tables) => tables.revoke(at, pages),
            Model::Pool(pool) => pool.unmap(at, pages, false),
        }
    }

    /// Takes own pages away, and all that was mapped onward from them.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn forget(&mut self, at: u32, pages: u32) -> Result<(), Refusal> {
        match &mut self.model {
            Model::Tables(tables) => tables.forget(at, pages),
            Model::Pool(pool) => pool.unmap(at, pages, true),
        }
    }
}
