//! What stands in for the designs under comparison where they are not compiled in.

use freehold_abi::Error;
use freehold_abi::designs::Design;
use freehold_abi::info::Kernel as Question;
use freehold_user_pagetables::Progress;

use crate::kernel::Kernel;
use crate::multiboot::Loaded;
use crate::syscall::CallResult;
use crate::thread::ThreadRef;

/// Nothing.
pub struct State;

/// The design is `user-tables`.
///
/// # Panics
/// If the command line asks for another.
pub fn choose(loaded: &Loaded) -> State {
    let asked = loaded.value("design=").unwrap_or(Design::UserTables.name());
    assert!(asked == Design::UserTables.name(), "this kernel was built without the design {asked}");
    State
}

impl State {
    /// Before boot.
    pub const fn new() -> State {
        State
    }

    /// There is no pool.
    pub fn pool_bytes(&self) -> u32 {
        0
    }

    /// What KernelInfo asks about the design.
    pub fn info(&self, question: u32) -> Option<u32> {
        (Question::Design as u32..=Question::PoolPeak as u32).contains(&question).then_some(0)
    }
}

/// There is nothing to be found.
pub fn found(_: &mut Kernel, _: u32, _: u32) {}

/// Design: there is none.
pub fn call(_: &mut Kernel, _: ThreadRef) -> CallResult {
    Err(Error::UnknownCall)
}

/// Nothing is to be done for a space that is made.
pub fn made_space(_: &mut Kernel, _: ThreadRef, _: u32) {}

/// Nothing is to be done for a space that ends.
pub fn end_space(_: &mut Kernel, _: u32) -> Progress {
    Progress::Done
}

/// There is no such frame.
pub fn end_frame(_: &mut Kernel, _: u32) -> Progress {
    Progress::Done
}

/// Map items, of which there are none.
pub mod items {
    use super::{Error, Kernel, ThreadRef};
    use crate::items::Named;

    /// Nobody can send one.
    ///
    /// # Errors
    /// BadItem.
    pub fn transfer(_: &mut Kernel, _: ThreadRef, _: ThreadRef, _: &Named) -> Result<(), Error> {
        Err(Error::BadItem)
    }

    /// Nobody can send one.
    ///
    /// # Errors
    /// BadItem.
    pub fn check(_: &mut Kernel, _: ThreadRef, _: ThreadRef, _: &Named) -> Result<(), Error> {
        Err(Error::BadItem)
    }

    /// Items of a pager's answer are ignored.
    ///
    /// # Errors
    /// None.
    pub fn answer(_: &mut Kernel, _: ThreadRef, _: ThreadRef) -> Result<(), Error> {
        Ok(())
    }
}

/// There is no redirector.
pub mod redirect {
    use super::{Kernel, ThreadRef};

    /// Nobody waits without a capability to do so.
    pub fn arrive(_: &mut Kernel, _: ThreadRef, _: ThreadRef) -> bool {
        false
    }

    /// Items are what they are.
    pub fn recall(_: ThreadRef) {}
}

/// Everybody is trusted.
pub mod trust {
    use super::Kernel;
    use freehold_captree::Link;

    /// It is no redirector's.
    pub fn endpoint_ends(_: &mut Kernel, _: Link) {}
}

/// Totals are bounds.
pub fn has_credits() -> bool {
    true
}
