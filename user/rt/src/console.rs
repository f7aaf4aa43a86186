//! Lines for people: [`print!`](crate::print) and [`println!`](crate::println), through the endpoint named
//! `console`, or straight to the port in the first program.
//!
//! # Protocol
//! A call with label [`WRITE`]; words as [`message::bytes`](crate::message::bytes) says, its own word 0.
//! The reply has label 0 and no words. The same protocol carries records, on an endpoint of their own.

use core::fmt::{self, Write};

use freehold_abi::info::start::PORTS;
use freehold_abi::{CapName, Error};

use crate::lock::Mutex;
use crate::message::bytes;
use crate::serial::{COM1, COM2, Serial};
use crate::{calls, start};

/// Label of a call that writes bytes.
pub const WRITE: u16 = 1;

/// Where lines go.
#[derive(Clone, Copy, Debug)]
pub enum Sink {
    /// Nowhere: the program was given neither.
    Nowhere,
    /// To whoever serves this endpoint.
    Endpoint(CapName),
    /// To a port.
    Port(Serial),
}

/// One line at a time: held while a line is written to a port.
static PORT: Mutex<()> = Mutex::new(());

impl Sink {
    /// The console of this program.
    pub fn console() -> Sink {
        Sink::named("console", COM1)
    }

    /// The records of this program.
    pub fn records() -> Sink {
        Sink::named("records", COM2)
    }

    fn named(name: &str, port: u16) -> Sink {
        match (start::is_first(), start::capability(name)) {
            (true, _) => Sink::Port(Serial::new(PORTS, port)),
            (false, Some(endpoint)) => Sink::Endpoint(endpoint),
            (false, None) => Sink::Nowhere,
        }
    }

    /// Writes bytes. Up to 240 of them arrive together; longer texts may have others' in between,
    /// unless the server puts lines together.
    ///
    /// # Errors
    /// Those of a call to the endpoint, or of the port.
    pub fn write(self, text: &[u8]) -> Result<(), Error> {
        match self {
            Sink::Nowhere => Ok(()),
            Sink::Port(port) => {
                let _line = PORT.lock();
                port.write(text)
            }
            Sink::Endpoint(endpoint) => {
                let mut rest = text;
                while !rest.is_empty() {
                    let (message, count) = bytes::encode(WRITE, 0, rest);
                    calls::call(endpoint, &message)?;
                    rest = &rest[count..];
                }
                Ok(())
            }
        }
    }

    /// Writes bytes to a port although a line may be under way: last words.
    pub(crate) fn write_at_once(self, text: &[u8]) -> Result<(), Error> {
        match self {
            Sink::Port(port) => port.write(text),
            other => other.write(text),
        }
    }
}

/// Collects text, so that a line is one message.
pub(crate) struct Line {
    sink: Sink,
    at_once: bool,
    bytes: [u8; bytes::MAX],
    length: usize,
}

impl Line {
    pub(crate) const fn new(sink: Sink, at_once: bool) -> Line {
        Line { sink, at_once, bytes: [0; bytes::MAX], length: 0 }
    }

    pub(crate) fn flush(&mut self) -> fmt::Result {
        let text = &self.bytes[..core::mem::take(&mut self.length)];
        let written = if self.at_once { self.sink.write_at_once(text) } else { self.sink.write(text) };
        written.map_err(|_| fmt::Error)
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if self.length == self.bytes.len() {
                self.flush()?;
            }
            let count = rest.len().min(self.bytes.len() - self.length);
            self.bytes[self.length..self.length + count].copy_from_slice(&rest[..count]);
            self.length += count;
            rest = &rest[count..];
        }
        Ok(())
    }
}

/// What the macros call. A console that cannot be reached swallows the text: there is nobody to tell.
#[doc(hidden)]
pub fn print(arguments: fmt::Arguments<'_>) {
    let mut line = Line::new(Sink::console(), false);
    let _ = line.write_fmt(arguments).and_then(|()| line.flush());
}

/// Prints to the console.
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => { $crate::console::print(format_args!($($argument)*)) };
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($argument:tt)*) => { $crate::print!("{}\n", format_args!($($argument)*)) };
}
