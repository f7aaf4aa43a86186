//! A serial port (16550), through a capability to I/O ports.
//!
//! What must hold: one thread at a time uses a port. Bytes are written in chunks that fit into the
//! chip's FIFO, each when the one before has left it.

use freehold_abi::{CapName, Error};

use crate::calls;

/// First port: lines for people.
pub const COM1: u16 = 0x3F8;
/// Second port: records.
pub const COM2: u16 = 0x2F8;

/// Bytes that the FIFO holds.
const FIFO: usize = 16;

// Registers, from the first port on (PC16550D data sheet, table II).
const DATA: u16 = 0;
const INTERRUPT_ENABLE: u16 = 1;
const FIFO_CONTROL: u16 = 2;
const LINE_CONTROL: u16 = 3;
const MODEM_CONTROL: u16 = 4;
const LINE_STATUS: u16 = 5;

const RECEIVED: u32 = 1;
const FIFO_EMPTY: u32 = 1 << 5;
const IDLE: u32 = 1 << 6;

/// A serial port.
#[derive(Clone, Copy, Debug)]
pub struct Serial {
    ports: CapName,
    base: u16,
}

impl Serial {
    /// The port whose registers begin at `base`.
    pub const fn new(ports: CapName, base: u16) -> Serial {
        Serial { ports, base }
    }

    /// 115,200 bits a second, eight data bits, no parity, one stop bit; FIFOs on, no interrupts.
    ///
    /// # Errors
    /// Those of the port calls.
    pub fn init(self) -> Result<(), Error> {
        let settings = [
            (INTERRUPT_ENABLE, 0),
            (LINE_CONTROL, 0x80),
            (DATA, 1),
            (INTERRUPT_ENABLE, 0),
            (LINE_CONTROL, 3),
            (FIFO_CONTROL, 7),
            (MODEM_CONTROL, 3),
        ];
        settings.into_iter().try_for_each(|(register, value)| self.set(register, value))
    }

    /// Writes bytes, waiting for the port.
    ///
    /// # Errors
    /// Those of the port calls.
    pub fn write(self, bytes: &[u8]) -> Result<(), Error> {
        for chunk in bytes.chunks(FIFO) {
            self.wait_for(FIFO_EMPTY)?;
            calls::port_write(self.ports, self.base, chunk)?;
        }
        Ok(())
    }

    /// Waits until everything has left the port.
    ///
    /// # Errors
    /// Those of the port calls.
    pub fn drain(self) -> Result<(), Error> {
        self.wait_for(IDLE)
    }

    /// A byte that has arrived, if any.
    ///
    /// # Errors
    /// Those of the port calls.
    pub fn read(self) -> Result<Option<u8>, Error> {
        if self.get(LINE_STATUS)? & RECEIVED == 0 {
            return Ok(None);
        }
        self.get(DATA).map(|byte| Some(byte as u8))
    }

    /// Whether the port interrupts when a byte arrives. It does so again for the next byte once
    /// [`Serial::read`] has found nothing more.
    ///
    /// # Errors
    /// Those of the port calls.
    pub fn announce_input(self, on: bool) -> Result<(), Error> {
        // A PC's interrupt line passes through the port's second output (OUT2).
        self.set(MODEM_CONTROL, if on { 0xB } else { 3 })?;
        self.set(INTERRUPT_ENABLE, on.into())
    }

    fn wait_for(self, status: u32) -> Result<(), Error> {
        while self.get(LINE_STATUS)? & status == 0 {}
        Ok(())
    }

    fn get(self, register: u16) -> Result<u32, Error> {
        calls::port_in(self.ports, self.base + register, 1)
    }

    fn set(self, register: u16, value: u32) -> Result<(), Error> {
        calls::port_out(self.ports, self.base + register, value, 1)
    }
}
