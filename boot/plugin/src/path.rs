//! Mode `path`: what happens in each section that a program times.
//!
//! A section begins and ends where a program reads the cycle counter with a mark ([`Kind::Opens`], [`Kind::Closes`]).
//! Sections are numbered from 0 in the order in which they end. The file has a line for each, a JSON object with its
//! number and its [`Counts`]; and, of the sections whose numbers `paths=N+N…` names, before it
//! a line for each instruction of its path.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use serde::Serialize;

use crate::arguments::Arguments;
use crate::code::{Code, Kind};
use crate::section::{Counts, Section};
use crate::watch::{Access, Watch};

/// The mode.
pub struct Path {
    /// Whether a section is open: what is asked before anything else, at every instruction.
    is_open: AtomicBool,
    state: Mutex<State>,
    /// The sections whose paths are wanted.
    paths: BTreeSet<u32>,
}

struct State {
    /// The number of the next section that ends.
    number: u32,
    section: Option<Section<'static>>,
    out: File,
}

/// The line of a section.
#[derive(Serialize)]
struct Line {
    section: u32,
    #[serde(flatten)]
    counts: Counts,
}

/// The line of an instruction.
#[derive(Serialize)]
struct Step {
    path: u32,
    address: u32,
    /// How often it was executed, one time behind the other.
    times: u64,
    text: String,
}

impl Path {
    /// Takes the arguments.
    ///
    /// # Errors
    /// The file cannot be made, or the numbers are none.
    pub fn new(arguments: &Arguments) -> Result<Path> {
        let state = State { number: 0, section: None, out: arguments.out()? };
        let paths = arguments.numbers("paths")?.into_iter().collect();
        Ok(Path { is_open: AtomicBool::new(false), state: Mutex::new(state), paths })
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.state.lock().expect("nothing panics that holds it"))
    }
}

impl State {
    /// Writes what the section came to.
    fn close(&mut self) -> Result<()> {
        let Some(section) = self.section.take() else { return Ok(()) };
        let mut text = String::new();
        for (code, times) in section.path().into_iter().flatten() {
            let step = Step { path: self.number, address: code.address, times, text: code.text() };
            text += &serde_json::to_string(&step)?;
            text.push('\n');
        }
        text += &serde_json::to_string(&Line { section: self.number, counts: section.counts() })?;
        text.push('\n');
        self.number += 1;
        Ok(self.out.write_all(text.as_bytes())?)
    }
}

impl Watch for Path {
    fn executes(&self, code: &'static Code) {
        let is_open = self.is_open.load(Ordering::Relaxed);
        if !is_open && code.kind != Kind::Opens {
            return;
        }
        self.with(|state| match code.kind {
            // Not counted: the reading has taken place before what it opens.
            Kind::Opens => {
                state.section = Some(Section::new(self.paths.contains(&state.number)));
                self.is_open.store(true, Ordering::Relaxed);
            }
            kind => {
                if let Some(section) = &mut state.section {
                    section.executes(code);
                }
                if kind == Kind::Closes {
                    state.close().expect("the file can be written");
                    self.is_open.store(false, Ordering::Relaxed);
                }
            }
        });
    }

    fn accesses(&self, _: &'static Code, look: &dyn Fn() -> Access) {
        if self.is_open.load(Ordering::Relaxed) {
            self.with(|state| {
                if let Some(section) = &mut state.section {
                    let access = look();
                    section.accesses(access.physical, access.size);
                }
            });
        }
    }

    fn wants_accesses(&self, code: &Code) -> bool {
        code.accesses > 0
    }

    fn ends(&self) {}
}
