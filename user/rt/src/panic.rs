//! Panics: a line, then an end that others notice.
//!
//! The first program ends the machine. Any other tells its parent (the capability named `exit`) and
//! executes an undefined instruction, so that the thread's pager hears of it; without one it stops.

use core::arch::asm;
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::{Line, Sink};
use crate::{machine, start};

/// Set by the first panic: one that comes from reporting it ends at once.
static PANICKED: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if !PANICKED.swap(true, Ordering::Relaxed) {
        let mut line = Line::new(Sink::console(), true);
        // Whether it could be written or not, this is the end.
        let _ = writeln!(line, "{info}").and_then(|()| line.flush());
        start::tell_parent(start::EXIT_PANIC);
    }
    if start::is_first() {
        machine::leave(machine::PANIC);
    }
    // SAFETY: raises an exception, and does not come back.
    unsafe { asm!("ud2", options(noreturn)) }
}
