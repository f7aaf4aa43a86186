//! bench/latency.json: what was found, by scenario.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::seen::{Seen, Stretch};
use crate::bench::machine::Machine;

/// Where it is, below the workspace.
pub const PATH: &str = "bench/latency.json";

/// What was found in all scenarios.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// By scenario.
    pub scenarios: BTreeMap<String, Found>,
    /// The longest of each kind, and its scenario; the longest first.
    pub kinds: Vec<(String, Stretch)>,
}

/// What was found in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Stretches.
    pub count: u64,
    /// The longest.
    pub longest: Stretch,
}

#[derive(Serialize, Deserialize)]
struct Scenario {
    latency: String,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize, Deserialize)]
struct Kind {
    scenario: String,
    #[serde(flatten)]
    stretch: Stretch,
}

impl Results {
    /// Adds what was seen of a scenario.
    pub fn add(&mut self, scenario: &str, seen: Seen) {
        let longest = seen.stretches[0].clone();
        self.scenarios.insert(scenario.into(), Found { count: seen.count, longest });
        for stretch in seen.stretches {
            match self.kinds.iter_mut().find(|(_, known)| known.kind() == stretch.kind()) {
                // Of equals the first by name, so that the order in which boots end does not matter.
                Some(known) if (stretch.length, known.0.as_str()) > (known.1.length, scenario) => {
                    *known = (scenario.into(), stretch);
                }
                Some(_) => {}
                None => self.kinds.push((scenario.into(), stretch)),
            }
        }
        self.kinds
            .sort_by(|(_, one), (_, other)| (other.length, one.kind()).cmp(&(one.length, other.kind())));
    }

    /// The longest of all, and its scenario.
    pub fn longest(&self) -> Option<(&str, &Stretch)> {
        self.kinds.first().map(|(scenario, stretch)| (scenario.as_str(), stretch))
    }
}

/// A line for each scenario.
pub fn lines(results: &Results) -> String {
    scenarios(results).map(|line| line + "\n").collect()
}

fn scenarios(results: &Results) -> impl Iterator<Item = String> {
    results.scenarios.iter().map(|(name, found)| {
        let line = Scenario { latency: name.clone(), found: found.clone() };
        serde_json::to_string(&line).expect("plain values")
    })
}

/// The file's text.
pub fn write(machine: &Machine, results: &Results) -> String {
    let machine = serde_json::to_string(machine).expect("plain values");
    let kinds = results.kinds.iter().map(|(scenario, stretch)| {
        let line = Kind { scenario: scenario.clone(), stretch: stretch.clone() };
        serde_json::to_string(&line).expect("plain values")
    });
    format!(
        "{{\"machine\":{machine},\n\"scenarios\":[\n{}\n],\n\"kinds\":[\n{}\n]}}\n",
        scenarios(results).collect::<Vec<_>>().join(",\n"),
        kinds.collect::<Vec<_>>().join(",\n")
    )
}

/// Reads the file's text.
///
/// # Errors
/// It is no such file.
pub fn read(text: &str) -> Result<(Machine, Results)> {
    let file: Value = serde_json::from_str(text).context("not JSON")?;
    let machine = serde_json::from_value(file["machine"].clone()).context("the machine")?;
    let scenarios: Vec<Scenario> = serde_json::from_value(file["scenarios"].clone()).context("scenarios")?;
    let kinds: Vec<Kind> = serde_json::from_value(file["kinds"].clone()).context("kinds")?;
    let results = Results {
        scenarios: scenarios.into_iter().map(|line| (line.latency, line.found)).collect(),
        kinds: kinds.into_iter().map(|line| (line.scenario, line.stretch)).collect(),
    };
    Ok((machine, results))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lengths: &[(&str, u64)]) -> Seen {
        let stretch = |&(function, length): &(&str, u64)| Stretch {
            length,
            from: "a call".into(),
            within: vec![(function.into(), length)],
        };
        Seen { count: 7, stretches: lengths.iter().map(stretch).collect() }
    }

    #[test]
    fn the_longest_of_each_kind_does_not_depend_on_the_order() {
        let boots = [("b", seen(&[("x", 9), ("y", 5)])), ("a", seen(&[("x", 9)])), ("c", seen(&[("y", 6)]))];
        let (mut one, mut other) = (Results::default(), Results::default());
        boots.iter().for_each(|(name, seen)| one.add(name, seen.clone()));
        boots.iter().rev().for_each(|(name, seen)| other.add(name, seen.clone()));
        assert_eq!(one, other);
        let kinds: Vec<_> = one.kinds.iter().map(|(name, stretch)| (name.as_str(), stretch.length)).collect();
        assert_eq!(kinds, [("a", 9), ("c", 6)]);
        assert_eq!(one.scenarios["b"].longest.length, 9);
    }
}
