//! The designs under comparison (docs/designs.md): which one this boot is, and its calls.
//!
//! What must hold: under `user-tables` nothing here is reached but [`call`], which knows no call, and the items of
//! a message that nobody could send.

use freehold_abi::Error;
use freehold_abi::designs::Design;
use freehold_abi::info::Kernel as Question;

use crate::kernel::Kernel;
use crate::multiboot::Loaded;
use crate::println;
use crate::syscall::CallResult;
use crate::thread::ThreadRef;

/// What a design has of its own.
pub struct State {
    design: Design,
}

/// The design that the command line asks for: `design=NAME[,OPTION]…`.
///
/// # Panics
/// If there is no such design.
pub fn choose(loaded: &Loaded) -> State {
    let asked = loaded.value("design=").unwrap_or(Design::UserTables.name());
    let design = Design::ALL.into_iter().find(|design| design.name() == asked);
    let design = design.unwrap_or_else(|| panic!("there is no design {asked}"));
    if design != Design::UserTables {
        println!("freehold: design {asked}");
    }
    State { design }
}

impl State {
    /// Before boot.
    pub const fn new() -> State {
        State { design: Design::UserTables }
    }

    /// What KernelInfo asks about the design.
    pub fn info(&self, question: u32) -> Option<u32> {
        match question {
            question if question == Question::Design as u32 => Some(self.design as u32),
            question if (Question::PoolBytes as u32..=Question::PoolPeak as u32).contains(&question) => Some(0),
            _ => None,
        }
    }
}

/// Design: a call of the design.
pub fn call(_: &mut Kernel, _: ThreadRef) -> CallResult {
    Err(Error::UnknownCall)
}
