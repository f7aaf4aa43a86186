//! The end of a kernel that found a bug in itself: one line, and a status that the host can tell.
//!
//! What must hold: works wherever it is called from, also with the console locked, and ends even
//! if printing panics in turn.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::arch::{console, exit};

/// What is written to the debug exit device; QEMU's exit status becomes 65.
const PANIC_CODE: u8 = 0x20;

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // Load and store, not an exchange: one processor, and interrupts are off in the kernel.
    if !PANICKING.load(Ordering::Relaxed) {
        PANICKING.store(true, Ordering::Relaxed);
        console::print_forced(format_args!("KERNEL PANIC: {}", info.message()));
        if let Some(at) = info.location() {
            console::print_forced(format_args!(" ({}:{})", at.file(), at.line()));
        }
        console::print_forced(format_args!("\n"));
    }
    exit::debug_exit(PANIC_CODE)
}
