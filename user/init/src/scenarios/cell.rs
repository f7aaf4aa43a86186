//! A cell of the table, and its name.

use alloc::format;
use alloc::string::String;

use freehold_protocol::scenario::{CASES, Call, RESIDENCIES, Residency};
use freehold_rt::buffer::{Trust, Way};

use crate::command;

/// Bytes of a directory's entry, about.
const ENTRY: u32 = 20;

/// A cell: numbers as orders have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    case: usize,
    way: usize,
    residency: usize,
    trust: Trust,
}

impl Cell {
    /// All cells of a pair.
    pub fn all(trust: Trust) -> impl Iterator<Item = Cell> {
        let cells = (0..CASES.len()).flat_map(|case| (0..Way::ALL.len()).map(move |way| (case, way)));
        cells.flat_map(move |(case, way)| {
            (0..RESIDENCIES.len()).map(move |residency| Cell { case, way, residency, trust })
        })
    }

    /// The cell of a name, of which parts can be missing at the end: then the caller's memory is resident, the
    /// way is by registers, the pair distrusting. `None`: there is none.
    pub fn named(name: &str) -> Option<Cell> {
        let mut parts = name.split('.');
        let case = parts.next()?;
        let case = CASES.iter().position(|known| known.name == case)?;
        let way = parts.next().unwrap_or(Way::Registers.name());
        let way = Way::ALL.iter().position(|known| known.name() == way)?;
        let residency = parts.next().unwrap_or(RESIDENCIES[0].0);
        let residency = RESIDENCIES.iter().position(|(known, _)| *known == residency)?;
        let trust = parts.next().unwrap_or(Trust::Distrusting.name());
        let trust = [Trust::Trusting, Trust::Distrusting].into_iter().find(|known| known.name() == trust)?;
        parts.next().is_none().then_some(Cell { case, way, residency, trust })
    }

    /// Its name.
    pub fn name(self) -> String {
        let (case, way) = (CASES[self.case].name, self.way().name());
        format!("{case}.{way}.{}.{}", RESIDENCIES[self.residency].0, self.trust.name())
    }

    /// Whether the command line asks for it.
    pub fn is_asked_for(self) -> bool {
        let name = self.name();
        let mut parts = command::values("only=").flat_map(|parts| parts.split(',')).peekable();
        parts.peek().is_none() || parts.any(|part| name.contains(part))
    }

    /// As words of an order.
    pub fn words(self) -> [u32; 3] {
        [self.case as u32, self.way as u32, self.residency as u32]
    }

    /// The way.
    pub fn way(self) -> Way {
        Way::ALL[self.way]
    }

    /// Whose memory is missing.
    pub fn residency(self) -> Residency {
        RESIDENCIES[self.residency].1
    }

    /// Whether the client's memory is missing, and the server's.
    pub fn is_missing(self) -> (bool, bool) {
        match self.residency() {
            Residency::Resident => (false, false),
            Residency::ClientFaults => (true, false),
            Residency::ServerFaults => (false, true),
            Residency::BothFault => (true, true),
        }
    }

    /// Whether the pair trust each other.
    pub fn trust(self) -> Trust {
        self.trust
    }

    /// Bytes that travel, about.
    pub fn bytes(self) -> u32 {
        let case = CASES[self.case];
        if case.call == Call::List { case.size * ENTRY } else { case.size }
    }
}
