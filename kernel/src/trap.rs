//! Exceptions and interrupts that arrive in user mode.
//!
//! What must hold: whatever a program does, the fault is its own: its pager hears of it, or it
//! itself by upcall, or it stops. Nothing that a program can raise ends here in a panic.

use freehold_abi::fault::{ACCESS_PRESENT, ACCESS_WRITE, EXCEPTION, PAGE_FAULT};

use crate::arch::{VECTOR_IRQ_BASE, VECTOR_PAGE_FAULT, cpu, pic};
use crate::kernel::Kernel;
use crate::thread::{FaultMessage, ThreadRef, reg};
use crate::{pager, units, upcall};

/// Entry point: an exception or interrupt while the current thread ran.
#[unsafe(no_mangle)]
extern "C" fn kernel_trap() {
    let (k, thread) = Kernel::enter();
    let vector = thread.get(reg::VECTOR);
    match vector.wrapping_sub(VECTOR_IRQ_BASE) {
        line if line < pic::LINES => units::note_irq(line),
        _ => fault(k, thread, message(thread, vector)),
    }
    k.leave();
}

/// Entry point: an interrupt in the window between two units of work, or while idle.
#[unsafe(no_mangle)]
extern "C" fn kernel_note_irq(line: u32) {
    units::note_irq(line);
}

fn fault(k: &mut Kernel, t: ThreadRef, message: FaultMessage) {
    if !upcall::begin(t, &message) {
        pager::report(k, t, message);
    }
}

fn message(t: ThreadRef, vector: u32) -> FaultMessage {
    let (error, eip) = (t.get(reg::ERROR), t.get(reg::EIP));
    if vector == VECTOR_PAGE_FAULT {
        let access = error & (ACCESS_PRESENT | ACCESS_WRITE);
        return FaultMessage { label: PAGE_FAULT, count: 3, words: [cpu::cr2(), access, eip, 0, 0] };
    }
    let words = [vector, error, eip, t.get(reg::ESP), t.get(reg::EFLAGS)];
    FaultMessage { label: EXCEPTION, count: 5, words }
}
