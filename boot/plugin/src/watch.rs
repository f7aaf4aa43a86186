//! What a mode of the plugin is to the emulator.

use crate::code::Code;

/// What a mode does with what the guest executes. There is one processor, so the calls come one at a time.
pub trait Watch: Send + Sync + 'static {
    /// An instruction is about to be executed. Of an instruction that is repeated this is called for each iteration.
    fn executes(&self, code: &'static Code);

    /// The instruction that was executed last has loaded or stored; `look` finds out where, which takes time.
    fn accesses(&self, code: &'static Code, look: &dyn Fn() -> Access);

    /// Whether the executions of this instruction are of interest. Asked when it is translated.
    fn wants_executions(&self, _: &Code) -> bool {
        true
    }

    /// Whether the accesses of this instruction are of interest. Asked when it is translated.
    fn wants_accesses(&self, code: &Code) -> bool;

    /// The emulator ends.
    fn ends(&self);
}

/// An access to memory.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// Where it is in memory, or in a device.
    pub physical: u64,
    /// Bytes.
    pub size: u32,
}
