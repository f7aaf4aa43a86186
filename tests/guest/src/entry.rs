//! The entry into the kernel that the runtime does not use where there is SYSENTER: no short path takes it.

use freehold_attacks::edge::flagged::{FLAT, Flagged};
use freehold_rt::abi::Call;
use freehold_rt::call::Registers;

/// [`enter`](freehold_rt::call::enter), by the instruction that every processor has.
pub fn enter_by_interrupt(eax: u32, registers: Registers) -> (u32, Registers) {
    let mut call = Flagged::new(Call::Null, registers, (0, FLAT), true);
    call.eax = eax;
    (call.enter(), call.registers)
}
