//! What a run found.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rows;
use crate::bench::rounds::Rounds;
use crate::records::Record;

/// What one measurement came to. A record says more, which is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// In what.
    pub unit: String,
    /// What its rounds took.
    #[serde(flatten)]
    pub rounds: Rounds,
    /// The first, cold; it is none of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Loads of CR3 in a round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<u64>,
    /// Times in a round that the processor went from a program into the kernel, or back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossings: Option<u64>,
    /// INVLPGs in a round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invlpg: Option<u64>,
    /// Distinct lines of 64 bytes from which the kernel's instructions came in a round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_lines: Option<u64>,
    /// Distinct lines that the kernel's instructions loaded from or stored to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_lines: Option<u64>,
    /// Operations in a round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<u64>,
    /// Instructions of a round that clear frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clearing: Option<u64>,
}

impl Figures {
    /// Tenths of instructions for one operation, with or without the clearing of frames.
    pub fn tenths(&self, apart: bool) -> u64 {
        self.for_one(self.rounds.median, apart)
    }

    /// The same of the first round.
    pub fn first_tenths(&self, apart: bool) -> Option<u64> {
        self.first.map(|first| self.for_one(first, apart))
    }

    /// What a round does that must not become more.
    pub fn events(&self) -> [(&'static str, u64); 3] {
        let events =
            [("crossings", self.crossings), ("loads of CR3", self.switches), ("invlpg", self.invlpg)];
        events.map(|(what, count)| (what, count.unwrap_or(0)))
    }

    /// Distinct lines that the kernel touches, of code and of data.
    pub fn lines(&self) -> u64 {
        self.code_lines.unwrap_or(0) + self.data_lines.unwrap_or(0)
    }

    fn for_one(&self, round: u64, apart: bool) -> u64 {
        let clearing = if apart { self.clearing.unwrap_or(0) } else { 0 };
        let per = self.per.unwrap_or(1).max(1);
        (round.saturating_sub(clearing) * 10 + per / 2) / per
    }

    fn check(&self) -> Result<()> {
        ensure!(self.unit == "instructions" || self.unit == "bytes", "in {}", self.unit);
        ensure!(self.rounds.min > 0, "it took nothing");
        self.rounds.check()
    }
}

/// The results of a run, or of a part of it, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results(BTreeMap<String, Figures>);

impl Results {
    /// Reads the records of measurements.
    ///
    /// # Errors
    /// One is not known, came already, or is not as it must be.
    pub fn read(records: &[Record]) -> Result<Results> {
        let mut results = BTreeMap::new();
        for record in records {
            let Some(name) = record.get("bench").and_then(Value::as_str) else { continue };
            let figures = || {
                ensure!(rows::names().any(|known| known == name), "there is no such measurement");
                let figures: Figures = serde_json::from_value(Value::Object(record.clone()))?;
                figures.check()?;
                Ok(figures)
            };
            let figures = figures().with_context(|| format!("the record of {name}"))?;
            ensure!(results.insert(name.to_string(), figures).is_none(), "{name} came twice");
        }
        Ok(Results(results))
    }

    /// What a measurement came to.
    pub fn get(&self, name: &str) -> Option<&Figures> {
        self.0.get(name)
    }

    /// The same, to add to it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Figures> {
        self.0.get_mut(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Figures)> {
        self.0.iter().map(|(name, figures)| (name.as_str(), figures))
    }

    /// Those of the given names about which nothing was found.
    pub fn missing(&self, names: impl Iterator<Item = String>) -> Vec<String> {
        names.filter(|name| !self.0.contains_key(name)).collect()
    }

    /// Drops what was not asked for.
    pub fn keep(&mut self, asked_for: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| asked_for(name));
    }
}
