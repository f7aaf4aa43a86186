//! ia32: from the Pentium on, one processor, the board of a PC.

mod boot;
pub mod console;
pub mod copy;
pub mod cpu;
mod entry;
pub mod exit;
pub mod fastpath;
pub mod fpu;
mod idt;
mod kernel_trap;
mod mem;
pub mod paging;
pub mod pic;
pub mod pit;
mod regs;
mod segments;
mod tasks;
#[cfg(feature = "designs")]
mod watched;
pub mod window;

pub use entry::{enter_user, idle, interrupt_window, stack_unused};
pub use regs::{EFLAGS_USER, Regs, VECTOR_IRQ_BASE, VECTOR_PAGE_FAULT, VECTOR_RESTART, VECTOR_SYSENTER};
pub use segments::{current_directory, current_regs, set_current_regs};
#[cfg(feature = "designs")]
pub use watched::watch;
pub use x86::io;

/// Brings the processor and the interrupt controller into the state that everything else expects:
/// console, segments, gates, SYSENTER, FPU; all interrupt lines masked. To be called once, first.
pub fn init() {
    console::init();
    cpu::init();
    segments::init();
    idt::init();
    entry::init();
    fpu::init();
    pic::init();
}
