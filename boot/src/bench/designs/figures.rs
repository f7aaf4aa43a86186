//! What was found, by design and by name; and how it is kept in bench/designs.json.
//!
//! What must hold: sorted, one figure a line; nothing depends on when or where the run was made.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bench::machine::Machine;
use crate::bench::micro::counts::Counts;
use crate::bench::rounds::Rounds;
use crate::records::Record;

/// Where it is, below the workspace.
pub const PATH: &str = "bench/designs.json";

/// What one measurement came to under one design. A record says more, which is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// In what.
    pub unit: String,
    /// What its rounds took.
    #[serde(flatten)]
    pub rounds: Rounds,
    /// Operations in a round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<u64>,
    /// Loads of CR3 in a round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<u64>,
    /// Times that the processor went from a program into the kernel, or back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossings: Option<u64>,
    /// INVLPGs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invlpg: Option<u64>,
    /// Nodes that a revoke takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descendants: Option<u64>,
    /// Most steps that whoever derived them allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phi: Option<u64>,
    /// Rounds that ended by their time limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<u64>,
}

impl Figures {
    /// Tenths for one operation.
    pub fn tenths(&self) -> u64 {
        let per = self.per.unwrap_or(1).max(1);
        (self.rounds.median * 10 + per / 2) / per
    }
}

/// Figures by name.
pub type ByName = BTreeMap<String, Figures>;

/// Those of all designs, in the order in which they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results(pub Vec<(String, ByName)>);

#[derive(Serialize, Deserialize)]
struct Line {
    bench: String,
    design: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Deserialize)]
struct Kept {
    machine: Machine,
    figures: Vec<Line>,
}

impl Results {
    /// A figure.
    pub fn get(&self, design: &str, name: &str) -> Option<&Figures> {
        self.0.iter().find(|(known, _)| known == design)?.1.get(name)
    }
}

/// Reads the records of a boot under a design.
///
/// # Errors
/// One is of another design, came already, or is not as it must be.
pub fn of_records(records: &[Record], design: &str) -> Result<ByName> {
    let mut all = BTreeMap::new();
    for record in records {
        let Some(name) = record.get("bench").and_then(Value::as_str) else { continue };
        let line: Line = serde_json::from_value(Value::Object(record.clone()))
            .with_context(|| format!("the record of {name}"))?;
        ensure!(line.design == design, "{name}: of {}, not of {design}", line.design);
        let figures = line.figures;
        figures.rounds.check().with_context(|| name.to_string())?;
        ensure!(figures.unit == "bytes" || figures.rounds.min > 0, "{name}: it took nothing");
        ensure!(all.insert(line.bench, figures).is_none(), "{name} came twice");
    }
    Ok(all)
}

/// Adds what the plugin saw.
pub fn add(figures: &mut ByName, counts: &BTreeMap<String, Counts>) {
    for (name, counts) in counts {
        if let Some(figures) = figures.get_mut(name) {
            (figures.crossings, figures.invlpg) = (Some(counts.crossings), Some(counts.invlpg));
        }
    }
}

/// The lines, one for each figure.
pub fn lines(results: &Results) -> Vec<String> {
    let of = |(design, figures): &(String, ByName)| {
        let line = |(bench, figures): (&String, &Figures)| {
            let line = Line { bench: bench.clone(), design: design.clone(), figures: figures.clone() };
            serde_json::to_string(&line).expect("plain values")
        };
        figures.iter().map(line).collect::<Vec<_>>()
    };
    results.0.iter().flat_map(of).collect()
}

/// The file's text.
pub fn write(machine: &Machine, results: &Results) -> String {
    let machine = serde_json::to_string(machine).expect("plain values");
    format!("{{\"machine\":{machine},\n\"figures\":[\n{}\n]}}\n", lines(results).join(",\n"))
}

/// Reads the file's text.
///
/// # Errors
/// It is no such file.
pub fn read(text: &str) -> Result<(Machine, Results)> {
    let kept: Kept = serde_json::from_str(text).context("not as it is written")?;
    let mut results = Results::default();
    for Line { bench, design, figures } in kept.figures {
        if results.0.last().is_none_or(|(last, _)| *last != design) {
            results.0.push((design, BTreeMap::new()));
        }
        results.0.last_mut().expect("just made").1.insert(bench, figures);
    }
    Ok((kept.machine, results))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records;

    fn record(design: &str, median: u64) -> Vec<Record> {
        let text = format!(
            "{{\"bench\":\"map.4\",\"design\":\"{design}\",\"unit\":\"instructions\",\"n\":2,\"min\":40,\
             \"median\":{median},\"p99\":50,\"max\":50,\"per\":4,\"own\":2}}\n"
        );
        records::parse(&text).expect("a record")
    }

    #[test]
    fn figures_are_of_their_design_and_in_order() {
        let figures = of_records(&record("kernel-heap", 42), "kernel-heap").expect("figures");
        assert_eq!(figures["map.4"].tenths(), 105);
        assert!(of_records(&record("kernel-heap", 42), "redirector").is_err());
        assert!(of_records(&record("kernel-heap", 51), "kernel-heap").is_err());
        let twice = [record("kernel-heap", 42), record("kernel-heap", 42)].concat();
        assert!(of_records(&twice, "kernel-heap").is_err());
    }

    #[test]
    fn what_is_kept_is_read_as_it_was_written() {
        let of =
            |design: &str| (design.to_string(), of_records(&record(design, 41), design).expect("figures"));
        let results = Results(vec![of("user-tables"), of("kernel-heap")]);
        let machine = Machine {
            qemu: "1".into(),
            rustc: "2".into(),
            profile: "release".into(),
            cpu: "x".into(),
            memory_mib: 1,
            design: "all".into(),
            unit: "instructions".into(),
        };
        assert_eq!(read(&write(&machine, &results)).expect("as written"), (machine, results));
    }
}
