//! Mode `latency`: how long the kernel keeps interrupts off.
//!
//! `kernel=PATH` is its file, whose symbols say where the processor enters it. The first line that is written says how
//! many stretches there were; then comes the longest, and others of at least `floor=N` instructions: see
//! [`Stretches::longest`].

use std::io::Write;
use std::sync::Mutex;

use anyhow::{Context, Result};
use iced_x86::Mnemonic;
use object::{Object, ObjectSymbol};
use serde::Serialize;

use crate::arguments::Arguments;
use crate::code::Code;
use crate::stretches::{Address, Step, Stretches};
use crate::watch::{Access, Watch};

/// Where a program's own instructions lead, SYSENTER and INT.
const CALLS: [&str; 2] = ["sysenter_entry", "int_call_entry"];
/// Where exceptions and interrupts lead: a row of stubs up to another one, and every other whose name ends so.
const ROW: [&str; 2] = ["trap_stubs", "fpu_stub"];
const STUB: &str = "_stub";
/// Bytes from one stub of the row to the next.
const STUB_BYTES: usize = 16;

/// The mode.
pub struct Latency {
    entries: Entries,
    state: Mutex<State>,
}

/// Where the processor enters the kernel.
struct Entries {
    calls: [Address; 2],
    /// Sorted.
    events: Vec<Address>,
}

struct State {
    stretches: Stretches,
    out: std::fs::File,
}

/// The first line.
#[derive(Serialize)]
struct Sum {
    stretches: u64,
}

/// The line of a stretch.
#[derive(Serialize)]
struct Line<'a> {
    length: u64,
    first: Address,
    /// Each instruction, and how often it was executed.
    executed: Vec<(&'a Address, &'a u64)>,
}

impl Entries {
    /// Looks the names up in a kernel's file.
    fn read(file: &[u8]) -> Result<Entries> {
        let file = object::File::parse(file)?;
        let symbol = |name: &str| -> Result<Address> {
            let symbol = file.symbol_by_name(name).with_context(|| format!("it has no symbol {name}"))?;
            Ok(symbol.address() as Address)
        };
        let others = file.symbols().filter(|symbol| symbol.name().is_ok_and(|name| name.ends_with(STUB)));
        let row = (symbol(ROW[0])?..symbol(ROW[1])?).step_by(STUB_BYTES);
        let mut events: Vec<Address> = row.chain(others.map(|symbol| symbol.address() as Address)).collect();
        events.sort_unstable();
        Ok(Entries { calls: [symbol(CALLS[0])?, symbol(CALLS[1])?], events })
    }

    fn step(&self, code: &Code) -> Step {
        // Nearly all of the kernel's code lies behind its entries.
        let may_be_stub = self.events.last().is_some_and(|last| code.address <= *last);
        match code.instruction.mnemonic() {
            Mnemonic::Sti => Step::Sti,
            Mnemonic::Cli => Step::Cli,
            Mnemonic::Iretd => Step::Iret,
            _ if self.calls.contains(&code.address) => Step::Called,
            _ if may_be_stub && self.events.binary_search(&code.address).is_ok() => Step::Event,
            _ => Step::Plain,
        }
    }
}

impl Latency {
    /// Takes the arguments.
    ///
    /// # Errors
    /// The file cannot be made, the kernel's cannot be read, or the floor is no number.
    pub fn new(arguments: &Arguments) -> Result<Latency> {
        let floor = arguments.numbers("floor")?.first().copied().context("floor=N is missing")?;
        let kernel = arguments.get("kernel").context("kernel=PATH is missing")?;
        let file = std::fs::read(kernel).with_context(|| format!("cannot read {kernel}"))?;
        let entries = Entries::read(&file).with_context(|| format!("{kernel} is no kernel of this kind"))?;
        let state = State { stretches: Stretches::new(floor.into()), out: arguments.out()? };
        Ok(Latency { entries, state: Mutex::new(state) })
    }
}

impl State {
    fn write(&mut self) -> Result<()> {
        let mut text = serde_json::to_string(&Sum { stretches: self.stretches.count() })? + "\n";
        for stretch in self.stretches.longest() {
            let executed = stretch.executed.iter().collect();
            let line = Line { length: stretch.length, first: stretch.first, executed };
            text += &serde_json::to_string(&line)?;
            text.push('\n');
        }
        Ok(self.out.write_all(text.as_bytes())?)
    }
}

impl Watch for Latency {
    fn executes(&self, code: &'static Code) {
        let step = self.entries.step(code);
        self.state.lock().expect("nothing panics that holds it").stretches.executes(code.address, step);
    }

    fn accesses(&self, _: &'static Code, _: &dyn Fn() -> Access) {}

    fn wants_executions(&self, code: &Code) -> bool {
        code.is_kernel()
    }

    fn wants_accesses(&self, _: &Code) -> bool {
        false
    }

    fn ends(&self) {
        let mut state = self.state.lock().expect("nothing panics that holds it");
        state.write().expect("the file can be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_apart_by_place_and_by_what_they_do() {
        let entries = Entries {
            calls: [0xC000_1000, 0xC000_2000],
            events: vec![0xC000_3000, 0xC000_3010, 0xC000_3300],
        };
        let at = |address| entries.step(&Code::decode(address, &[0x6A, 0x00]));
        assert_eq!([0xC000_1000, 0xC000_2000].map(at), [Step::Called; 2]);
        assert_eq!([0xC000_3000, 0xC000_3010, 0xC000_3300].map(at), [Step::Event; 3]);
        assert_eq!([0xC000_2FF0, 0xC000_3002, 0xC000_3310, 0xC000_1002].map(at), [Step::Plain; 4]);
        let is = |byte| entries.step(&Code::decode(0xC000_5000, &[byte]));
        assert_eq!([0xFB, 0xFA, 0xCF, 0x90].map(is), [Step::Sti, Step::Cli, Step::Iret, Step::Plain]);
    }

    #[test]
    fn a_file_that_is_no_kernel_is_refused() {
        assert!(Entries::read(b"no ELF file").is_err());
    }
}
