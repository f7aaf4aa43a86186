//! What stands in for the designs under comparison where they are not compiled in.

use freehold_abi::Error;
use freehold_abi::designs::Design;
use freehold_abi::info::Kernel as Question;

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

    /// What KernelInfo asks about the design.
    pub fn info(&self, question: u32) -> Option<u32> {
        (Question::Design as u32..=Question::PoolPeak as u32).contains(&question).then_some(0)
    }
}

/// Design: there is none.
pub fn call(_: &mut Kernel, _: ThreadRef) -> CallResult {
    Err(Error::UnknownCall)
}
