//! Exceptions and interrupts that arrive while the kernel itself runs.
//!
//! What must hold: there are three that are no bug. An interrupt line, because the kernel opens
//! interrupts in one instant of long calls and while idle; a page fault of the copy routine,
//! because user memory can be absent; and the single-step trap behind a SYSENTER that was made
//! with TF set. Everything else is a panic.

use super::pic::LINES;
use super::regs::{VECTOR_IRQ_BASE, VECTOR_PAGE_FAULT};
use super::{copy, cpu, entry};
use crate::arch::kernel_note_irq;

const DEBUG: u32 = 1;
const EFLAGS_TF: u32 = 1 << 8;
/// Place of EAX among what PUSHA pushes.
const EAX: usize = 7;

/// What lies on the kernel stack: pushed by PUSHA, the stub, the processor (which, without a
/// change of privilege, pushes no stack pointer).
#[repr(C)]
pub(super) struct KernelFrame {
    registers: [u32; 8],
    vector: u32,
    error: u32,
    eip: u32,
    cs: u32,
    eflags: u32,
}

/// Called by the entry code with the frame that it will return through.
pub(super) extern "C" fn on_kernel_trap(frame: &mut KernelFrame) {
    match frame.vector {
        VECTOR_PAGE_FAULT if copy::may_fault(frame.eip) => {
            frame.eip = copy::landing();
            frame.registers[EAX] = frame.error;
        }
        // The program gets no trap at all: a call counts as part of the step.
        DEBUG if entry::is_single_steppable(frame.eip) => frame.eflags &= !EFLAGS_TF,
        vector if vector.wrapping_sub(VECTOR_IRQ_BASE) < LINES => {
            kernel_note_irq(vector - VECTOR_IRQ_BASE);
        }
        vector => panic!(
            "exception {vector} in the kernel: error {:#x}, EIP {:#010x}, CR2 {:#010x}",
            frame.error,
            frame.eip,
            cpu::cr2(),
        ),
    }
}
