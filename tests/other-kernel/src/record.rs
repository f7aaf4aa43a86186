//! Records: JSON objects, one a line, to the second serial port.

use core::fmt::{self, Write};

use crate::call;
use crate::kernel::Call;

/// Most rounds of a row.
pub const ROUNDS_MAX: usize = 1000;

/// The rounds of a measurement.
pub struct Row {
    name: &'static str,
    first: Option<u32>,
    rounds: [u32; ROUNDS_MAX],
    count: usize,
}

impl Row {
    /// None yet.
    pub fn new(name: &'static str) -> Row {
        Row { name, first: None, rounds: [0; ROUNDS_MAX], count: 0 }
    }

    /// Adds one. The first is told apart: it meets everything for the first time.
    pub fn add(&mut self, took: u32) {
        if self.first.is_none() {
            self.first = Some(took);
        } else if self.count < ROUNDS_MAX {
            self.rounds[self.count] = took;
            self.count += 1;
        }
    }

    /// Writes the record.
    pub fn write(&mut self) {
        let rounds = &mut self.rounds[..self.count];
        rounds.sort_unstable();
        let (n, first) = (rounds.len(), self.first.unwrap_or(0));
        let (min, median, p99, max) =
            (rounds[0], rounds[n / 2], rounds[(n * 99).div_ceil(100) - 1], rounds[n - 1]);
        line(format_args!(
            "{{\"bench\":\"{}\",\"unit\":\"instructions\",\"n\":{n},\"min\":{min},\"median\":{median},\"p99\":{p99},\
             \"max\":{max},\"first\":{first}}}\n",
            self.name
        ));
    }
}

/// The last record.
pub fn closing(name: &str, checks: u32, failed: u32) {
    line(format_args!("{{\"closing\":\"{name}\",\"checks\":{checks},\"failed\":{failed}}}\n"));
}

struct Port;

impl Write for Port {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            call(Call::Write, byte.into());
        }
        Ok(())
    }
}

fn line(text: fmt::Arguments) {
    // The port takes everything.
    let _ = Port.write_fmt(text);
}
