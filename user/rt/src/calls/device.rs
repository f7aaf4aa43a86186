//! Interrupt lines and I/O ports.

use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::{Call, CapName, Error};

use crate::{Utcb, call};

/// Bytes that [`port_write`] takes, at most.
pub const PORT_WRITE_MAX: usize = 64;

/// Binds a line to a notification, whose bit of the line's number it then sets, and opens it.
///
/// # Errors
/// BadBinding (bound already, or the kernel's own).
pub fn irq_bind(irq: CapName, notification: CapName) -> Result<(), Error> {
    call::simple(Call::IrqBind, 0, [irq.0, notification.0, 0, 0])
}

/// Closes a line and unbinds it.
///
/// # Errors
/// Only the common ones.
pub fn irq_unbind(irq: CapName) -> Result<(), Error> {
    irq_bind(irq, CapName::NONE)
}

/// Opens a line again after its interrupt has been dealt with.
///
/// # Errors
/// BadBinding (not bound).
pub fn irq_ack(irq: CapName) -> Result<(), Error> {
    call::simple(Call::IrqAck, 0, [irq.0, 0, 0, 0])
}

/// Reads a port; `width` is 1, 2 or 4 bytes.
///
/// # Errors
/// OutOfRange.
pub fn port_in(ports: CapName, port: u16, width: u32) -> Result<u32, Error> {
    call::query(Call::PortIn, 0, [ports.0, port.into(), width, 0]).map(|[_, _, value, _]| value)
}

/// Writes a port; `width` is 1, 2 or 4 bytes.
///
/// # Errors
/// OutOfRange.
pub fn port_out(ports: CapName, port: u16, value: u32, width: u32) -> Result<(), Error> {
    call::simple(Call::PortOut, 0, [ports.0, port.into(), value, width])
}

/// Writes bytes to a port, one behind the other, without waiting in between.
///
/// # Errors
/// OutOfRange.
///
/// # Panics
/// If there are more than 64.
pub fn port_write(ports: CapName, port: u16, bytes: &[u8]) -> Result<(), Error> {
    assert!(bytes.len() <= PORT_WRITE_MAX);
    let utcb = Utcb::current();
    for (index, chunk) in bytes.chunks(4).enumerate() {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        utcb.set(MESSAGE + 3 + index, u32::from_le_bytes(word));
    }
    call::simple(Call::PortWrite, 0, [ports.0, port.into(), bytes.len() as u32, 0])
}
