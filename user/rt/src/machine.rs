//! The end of the machine, for the program that holds its ports: QEMU's `isa-debug-exit`.

use freehold_abi::info::start::PORTS;

use crate::calls;
use crate::serial::{COM1, COM2, Serial};

/// The device's port. QEMU ends with status 2 × value + 1.
const EXIT: u16 = 0xF4;

/// All is well.
pub const SUCCESS: u8 = 0x10;
/// A claim did not hold.
pub const FAILURE: u8 = 0x11;
/// The first program panicked.
pub const PANIC: u8 = 0x12;

/// Ends the machine once everything written has left it. On a machine without the device, stays here.
pub fn leave(value: u8) -> ! {
    for port in [COM1, COM2] {
        // Nothing is left to be done about a port that fails now.
        let _ = Serial::new(PORTS, port).drain();
    }
    loop {
        let _ = calls::port_out(PORTS, EXIT, value.into(), 1);
    }
}
