//! Lines typed at the first serial port, which interrupts for every byte that arrives.

use alloc::string::String;

use freehold_rt::abi::info::start::{IRQ, PORTS};
use freehold_rt::serial::{COM1, Serial};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, calls, print};

use crate::actor;
use crate::failure::Failure;

/// The interrupt line of the first serial port.
const LINE: u32 = 4;
/// Characters of a line at most; further ones are not taken.
const LENGTH_MAX: usize = 80;

const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7F;
const CANCEL: u8 = 0x15;
const END: u8 = 0x04;

/// The keyboard at the other end of the line. The interrupt line is closed when this is dropped.
pub struct Input {
    port: Serial,
    arrived: Slot,
}

impl Input {
    /// Binds the interrupt, then lets the port interrupt.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open() -> Result<Input, Failure> {
        let input = Input { port: Serial::new(PORTS, COM1), arrived: actor::new_notification()? };
        calls::irq_bind(irq(), input.arrived.name())?;
        input.port.announce_input(true)?;
        Ok(input)
    }

    /// Reads a line, showing what is typed. `None`: Ctrl-D, nothing more comes.
    ///
    /// # Errors
    /// Those of the port and interrupt calls.
    pub fn line(&self) -> Result<Option<String>, Error> {
        let mut line = String::new();
        loop {
            match self.byte()? {
                b'\r' | b'\n' => {
                    print!("\n");
                    return Ok(Some(line));
                }
                END if line.is_empty() => return Ok(None),
                BACKSPACE | DELETE => {
                    rub_out(&mut line);
                }
                CANCEL => while rub_out(&mut line) {},
                byte @ b' '..=b'~' if line.len() < LENGTH_MAX => {
                    line.push(byte.into());
                    print!("{}", char::from(byte));
                }
                _ => {}
            }
        }
    }

    /// The next byte.
    fn byte(&self) -> Result<u8, Error> {
        loop {
            if let Some(byte) = self.port.read()? {
                return Ok(byte);
            }
            // The port is empty, so its line is low, and the next byte raises it: also one that comes
            // before the interrupt is open again, which the controller remembers.
            calls::wait(self.arrived.name())?;
            calls::irq_ack(irq())?;
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // Nothing can be done about a port that does not obey, and the line is closed by what follows.
        let _ = self.port.announce_input(false);
        let _ = calls::irq_unbind(irq());
    }
}

fn irq() -> CapName {
    CapName(IRQ.0 + LINE)
}

/// Takes the last character off the line and off the screen; `false`: there is none.
fn rub_out(line: &mut String) -> bool {
    let any = line.pop().is_some();
    if any {
        print!("\x08 \x08");
    }
    any
}
