//! What a run found: for each cell figures, or the reason why that way is not possible there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cell::{Cell, GROUP, Residency, Trust, Way};
use crate::bench::rounds::Rounds;
pub use crate::bench::text::grouped;
use crate::records::Record;

/// What one cell costs. A round is one request, from the client's call until it has its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Instructions of its rounds.
    #[serde(flatten)]
    pub rounds: Rounds,
    /// Bytes of the request and the reply.
    pub bytes: u64,
    /// Messages in a round, of all parties.
    pub messages: u64,
    /// Changes from one space to another in a round.
    pub switches: u64,
    /// Page faults of the client that its pager dealt with in a round.
    pub client_faults: u64,
    /// Page faults of the server that its pager dealt with in a round.
    pub server_faults: u64,
    /// Times that the client had to try again in a round.
    pub retries: u64,
    /// Pages that came into the client's memory in a round, by faults or because its program asked for them.
    pub client_pages: u64,
    /// Pages that came into the server's memory.
    pub server_pages: u64,
    /// Of the instructions, those of the server's own work on the request, whatever the way.
    pub work: u64,
}

impl Figures {
    fn check(&self) -> Result<()> {
        ensure!(self.rounds.min > 0, "it took nothing");
        self.rounds.check()
    }
}

/// What became of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It was measured.
    Measured(Figures),
    /// It is not possible, and why.
    Refused(String),
}

/// The results of a run, or of a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    cells: BTreeMap<String, Found>,
}

impl Results {
    /// Reads the records of the group. What others call by names of their own is passed over.
    ///
    /// # Errors
    /// A record of the group names no cell or one that came already, or is not as it must be.
    pub fn read(records: &[Record]) -> Result<Results> {
        let mut results = Results::default();
        for record in records {
            let Some(name) = record.get("bench").and_then(Value::as_str) else { continue };
            if name.starts_with(GROUP) {
                results.add(record, name).with_context(|| format!("the record of {name}"))?;
            }
        }
        Ok(results)
    }

    fn add(&mut self, record: &Record, name: &str) -> Result<()> {
        ensure!(Cell::parse(name).is_some(), "there is no such cell");
        let found = match record.get("outcome").map(|outcome| outcome.as_str().unwrap_or_default()) {
            None => {
                ensure!(record.get("unit").is_none_or(|unit| unit == "instructions"), "not in instructions");
                let figures: Figures = serde_json::from_value(Value::Object(record.clone()))?;
                figures.check()?;
                Found::Measured(figures)
            }
            Some("refused") => {
                let detail = record.get("detail").and_then(Value::as_str).unwrap_or_default();
                ensure!(!detail.is_empty(), "refused without a reason");
                Found::Refused(detail.into())
            }
            Some(_) => bail!("not measured: {}", Value::Object(record.clone())),
        };
        ensure!(self.cells.insert(name.into(), found).is_none(), "it came twice");
        Ok(())
    }

    /// Drops the cells that were not asked for.
    pub fn keep(&mut self, asked_for: impl Fn(Cell) -> bool) {
        self.cells.retain(|name, _| Cell::parse(name).is_some_and(&asked_for));
    }

    /// Names of those cells, among the given ones, about which nothing was found.
    pub fn missing(&self, cells: impl Iterator<Item = Cell>) -> Vec<String> {
        cells.map(|cell| cell.to_string()).filter(|name| !self.cells.contains_key(name)).collect()
    }

    /// What became of each cell, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Found)> {
        self.cells.iter().map(|(name, found)| (name.as_str(), found))
    }

    /// What became of a cell; `None` if nothing is known about it.
    pub fn found(&self, cell: Cell) -> Option<&Found> {
        self.cells.get(&cell.to_string())
    }

    /// The figures of a cell; `None` if it was refused or not run.
    pub fn figures(&self, cell: Cell) -> Option<&Figures> {
        match self.found(cell) {
            Some(Found::Measured(figures)) => Some(figures),
            _ => None,
        }
    }

    /// What a request of the case costs, in instructions: the median.
    pub fn cost(&self, case: &'static str, way: Way, residency: Residency, trust: Trust) -> Option<u64> {
        self.figures(Cell { case, way, residency, trust }).map(|figures| figures.rounds.median)
    }

    /// The cheapest way that is possible, and its cost.
    pub fn cheapest(&self, case: &'static str, residency: Residency, trust: Trust) -> Option<(Way, u64)> {
        let costs = Way::ALL.iter().filter_map(|&way| Some((way, self.cost(case, way, residency, trust)?)));
        costs.min_by_key(|(_, cost)| *cost)
    }

    /// The server's own work on a request of the case: what is left where nothing is in its way.
    pub fn work(&self, case: &'static str) -> Option<u64> {
        let resident = Cell::of_case(case).filter(|cell| cell.residency == Residency::Resident);
        resident.filter_map(|cell| self.figures(cell)).map(|figures| figures.work).min()
    }

    /// What an empty call by registers costs.
    pub fn null(&self, trust: Trust) -> Option<u64> {
        let cell = Cell::nulls().find(|cell| cell.trust == trust)?;
        self.figures(cell).map(|figures| figures.rounds.median)
    }

    /// The bytes that a case moves, request and reply.
    pub fn bytes(&self, case: &'static str) -> Option<u64> {
        Cell::of_case(case).find_map(|cell| self.figures(cell)).map(|figures| figures.bytes)
    }

    /// The size of a case's buffer, which is what its name says; entries have the bytes that were measured.
    pub fn size(&self, case: &'static str) -> Option<u64> {
        let bytes = self.bytes(case)?;
        let (scenario, size) = case.split_once('-')?;
        match (scenario, size.strip_suffix('k')) {
            ("readdir", _) => Some(bytes),
            (_, Some(kib)) => Some(kib.parse::<u64>().ok()? * 1024),
            (_, None) => size.parse().ok(),
        }
    }
}

/// How often `part` goes into `whole`, to one digit behind the point, or none from ten on.
pub fn times(whole: u64, part: u64) -> String {
    let tenths = (u128::from(whole) * 10 + u128::from(part) / 2) / u128::from(part.max(1));
    let mut text = String::new();
    let written = if tenths < 100 {
        write!(text, "{}.{}", tenths / 10, tenths % 10)
    } else {
        write!(text, "{}", (tenths + 5) / 10)
    };
    written.expect("a string takes everything");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records;

    const MEASURED: &str = r#"{"bench":"transfer.open-64.wired.resident.trusting","design":"user-tables","unit":"instructions","n":8,"min":1,"median":2,"p99":3,"max":4,"bytes":76,"messages":1,"switches":2,"client_faults":5,"server_faults":6,"retries":7,"client_pages":8,"server_pages":9,"work":1}"#;
    const REFUSED: &str = r#"{"bench":"transfer.open-64.container.resident.distrusting","design":"user-tables","outcome":"refused","detail":"why"}"#;

    fn read(lines: &[&str]) -> Result<Results> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Results::read(&records::parse(&text).expect("records"))
    }

    #[test]
    fn measured_and_refused_cells_are_read() {
        let other = r#"{"bench":"ipc.null","n":1}"#;
        let closing = r#"{"closing":"x","checks":1,"failed":0}"#;
        let results = read(&[MEASURED, other, REFUSED, closing]).expect("good records");
        assert_eq!(results.iter().count(), 2);
        let cell = Cell::parse("transfer.open-64.wired.resident.trusting").expect("a cell");
        let expected = Figures {
            rounds: Rounds { n: 8, min: 1, median: 2, p99: 3, max: 4 },
            bytes: 76,
            messages: 1,
            switches: 2,
            client_faults: 5,
            server_faults: 6,
            retries: 7,
            client_pages: 8,
            server_pages: 9,
            work: 1,
        };
        assert_eq!(results.found(cell), Some(&Found::Measured(expected)));
        let cell = Cell::parse("transfer.open-64.container.resident.distrusting").expect("a cell");
        assert_eq!(results.found(cell), Some(&Found::Refused("why".into())));
        assert_eq!(results.figures(cell), None);
        assert_eq!(results.bytes("open-64"), Some(76));
        assert_eq!(results.size("open-64"), Some(64));
        assert_eq!(results.work("open-64"), Some(1));
        assert_eq!(results.missing(Cell::of_case("open-64")).len(), 46);
    }

    #[test]
    fn what_is_not_as_it_must_be_is_refused() {
        for (old, new) in [
            ("open-64", "open-65"),
            ("\"n\":8", "\"n\":0"),
            ("\"median\":2", "\"median\":9"),
            ("\"min\":1", "\"min\":-1"),
            ("\"work\"", "\"other\""),
            ("instructions", "nanoseconds"),
        ] {
            assert!(read(&[&MEASURED.replace(old, new)]).is_err(), "{new}");
        }
        for (old, new) in [("\"refused\"", "\"failed\""), ("\"why\"", "\"\""), ("\"refused\"", "1")] {
            assert!(read(&[&REFUSED.replace(old, new)]).is_err(), "{new}");
        }
        assert!(read(&[MEASURED, MEASURED]).is_err(), "twice");
    }

    #[test]
    fn numbers_are_written_for_reading() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!([times(3, 2), times(199, 20), times(200, 19), times(1, 3)], ["1.5", "10", "11", "0.3"]);
    }
}
