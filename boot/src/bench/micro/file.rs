//! bench/baseline.json: the figures that are kept. A test measures anew and fails where one is worse.
//!
//! What must hold: sorted by name, one a line; nothing in it depends on when or where the run was made.

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::figures::{Figures, Results};
use super::rows;
use crate::bench::machine::Machine;

/// Where it is, below the workspace.
pub const PATH: &str = "bench/baseline.json";

#[derive(Serialize)]
struct Line<'a> {
    bench: &'a str,
    #[serde(flatten)]
    figures: &'a Figures,
}

/// The file's text.
pub fn write(machine: &Machine, results: &Results) -> String {
    let lines: Vec<String> = results
        .iter()
        .map(|(bench, figures)| serde_json::to_string(&Line { bench, figures }).expect("plain values"))
        .collect();
    let machine = serde_json::to_string(machine).expect("plain values");
    format!("{{\"machine\":{machine},\n\"figures\":[\n{}\n]}}\n", lines.join(",\n"))
}

/// The figures with what was counted beside instructions, one a line, for who takes records.
pub fn lines(results: &Results) -> String {
    let line = |(bench, figures): (&str, &Figures)| {
        let mut line = serde_json::to_string(&Line { bench, figures }).expect("plain values");
        line = line.replacen("bench", "counted", 1);
        line + "\n"
    };
    results.iter().filter(|(_, figures)| figures.crossings.is_some()).map(line).collect()
}

/// Reads the file's text.
///
/// # Errors
/// It is no such file, or a measurement is missing or comes twice.
pub fn read(text: &str) -> Result<(Machine, Results)> {
    let file: Value = serde_json::from_str(text).context("not JSON")?;
    let machine = serde_json::from_value(file["machine"].clone()).context("the machine")?;
    let lines = file["figures"].as_array().context("no figures")?;
    let records: Option<Vec<_>> = lines.iter().map(|line| line.as_object().cloned()).collect();
    let results = Results::read(&records.context("a line is no object")?)?;
    let missing = results.missing(rows::names());
    ensure!(missing.is_empty(), "nothing about {}", missing.join(", "));
    Ok((machine, results))
}
