//! Leaving the machine: QEMU's isa-debug-exit device, whose exit status is `code << 1 | 1`.

use core::arch::asm;

use x86::io::outb;

use super::console;

/// The port at which the host puts the device.
pub const DEBUG_EXIT_PORT: u16 = 0xF4;
/// The code of a machine on which the kernel cannot run (status 67).
pub(super) const UNFIT_MACHINE_CODE: u8 = 0x21;

/// Ends the run with `code`; where there is no such device, stops for ever.
pub fn debug_exit(code: u8) -> ! {
    console::flush();
    // SAFETY: nothing else is at that port; and nothing comes after this.
    unsafe {
        outb(DEBUG_EXIT_PORT, code);
        loop {
            asm!("cli", "hlt", options(nomem, nostack));
        }
    }
}
