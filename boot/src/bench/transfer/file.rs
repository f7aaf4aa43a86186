//! bench/transfer.json: the figures that are kept in the repository. What else shows figures is made from it.
//!
//! What must hold: cells sorted by name, one a line; nothing in it depends on when or where the run was made,
//! so that the same code on the same emulator writes the same file.

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::cell::Cell;
use super::figures::{Figures, Found, Results};
pub use crate::bench::machine::Machine;

/// Where it is, below the workspace.
pub const PATH: &str = "bench/transfer.json";

/// A cell's line.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Measured {
        bench: &'a str,
        #[serde(flatten)]
        figures: &'a Figures,
    },
    Refused {
        bench: &'a str,
        outcome: &'static str,
        detail: &'a str,
    },
}

/// The file's text.
pub fn write(machine: &Machine, results: &Results) -> String {
    let json = |value: &dyn Fn() -> serde_json::Result<String>| value().expect("plain values");
    let lines: Vec<String> = results
        .iter()
        .map(|(bench, found)| match found {
            Found::Measured(figures) => Line::Measured { bench, figures },
            Found::Refused(detail) => Line::Refused { bench, outcome: "refused", detail },
        })
        .map(|line| json(&|| serde_json::to_string(&line)))
        .collect();
    let machine = json(&|| serde_json::to_string(machine));
    format!("{{\"machine\":{machine},\n\"cells\":[\n{}\n]}}\n", lines.join(",\n"))
}

/// Reads the file's text.
///
/// # Errors
/// It is no such file, a cell is missing or comes twice, or the cells are not sorted.
pub fn read(text: &str) -> Result<(Machine, Results)> {
    let file: Value = serde_json::from_str(text).context("not JSON")?;
    let machine = serde_json::from_value(file["machine"].clone()).context("the machine")?;
    let cells = file["cells"].as_array().context("no cells")?;
    let records: Option<Vec<_>> = cells.iter().map(|cell| cell.as_object().cloned()).collect();
    let records = records.context("a cell is no object")?;
    let names: Vec<_> = records.iter().map(|record| record.get("bench").and_then(Value::as_str)).collect();
    ensure!(names.is_sorted(), "the cells are not sorted");
    let results = Results::read(&records)?;
    ensure!(results.iter().count() == records.len(), "a record of another group");
    let missing = results.missing(Cell::all().chain(Cell::nulls()));
    ensure!(missing.is_empty(), "nothing about {}", missing.join(", "));
    Ok((machine, results))
}

#[cfg(test)]
mod tests {
    use super::super::synthetic;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let (machine, results) = (synthetic::machine(), synthetic::results());
        let text = write(&machine, &results);
        assert_eq!(read(&text).expect("a good file"), (machine, results));
    }

    #[test]
    fn a_file_that_is_not_whole_is_refused() {
        let text = write(&synthetic::machine(), &synthetic::results());
        let lines: Vec<&str> = text.lines().collect();
        let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
        assert!(read(&without(5)).is_err(), "a cell is missing");
        let mut twice = lines.clone();
        twice.insert(5, lines[5]);
        assert!(read(&twice.join("\n")).is_err(), "a cell comes twice");
        let mut swapped = lines.clone();
        swapped.swap(5, 6);
        assert!(read(&swapped.join("\n")).is_err(), "not sorted");
        assert!(read(&text.replace("\"cpu\"", "\"gpu\"")).is_err(), "another machine");
    }
}
