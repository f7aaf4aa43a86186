//! The records of an experiment, by who was measured and what.
//!
//! What must hold: a record that is not understood is counted, not passed over silently; what was not measured is
//! absent, never zero.

mod attack;
mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use freehold_abi::designs::Design;
use serde_json::Value;

pub use attack::{Attack, Outcome};
pub use row::{Row, Take};

use super::derived::transfers;
use crate::bench::transfer::figures::Results;
use crate::records::{self, Record};

/// The file in an experiment's directory.
pub const FILE: &str = "records.jsonl";

/// The pool with which the original was attacked, in bytes.
const POOL: u64 = 16 << 20;

/// All that was measured.
#[derive(Debug, Default)]
pub struct Data {
    /// Who was measured: designs in their order, then other kernels.
    pub subjects: Vec<String>,
    /// On what.
    pub setup: Setup,
    /// Attacks, without their controls.
    pub attacks: Vec<Attack>,
    /// Attacks on builds that miss a defence.
    pub controls: Vec<Attack>,
    /// The records, as they are in the file.
    pub records: Vec<Record>,
    /// Records of measurements or attacks that are not as they must be.
    pub unknown: usize,
    rows: BTreeMap<String, BTreeMap<String, Row>>,
    transfers: BTreeMap<String, Results>,
}

/// On what the records were taken: every value that occurs.
#[derive(Debug, Default)]
pub struct Setup {
    /// The sources' commits.
    pub commits: BTreeSet<String>,
    /// The emulator's versions.
    pub emulators: BTreeSet<String>,
    /// Seeds of the order and layout.
    pub seeds: BTreeSet<String>,
    /// Repetitions, by their numbers.
    pub repetitions: BTreeSet<String>,
    /// Boots, by their names.
    pub boots: BTreeSet<String>,
}

impl Data {
    /// Reads an experiment's records.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no JSON object.
    pub fn read(dir: &Path) -> Result<Data> {
        let path = dir.join(FILE);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let records = records::parse(&text).map_err(|bad| anyhow!("{}: {bad}", path.display()))?;
        Ok(Data::of(records))
    }

    /// Sorts records.
    pub fn of(records: Vec<Record>) -> Data {
        let mut data = Data::default();
        let mut subjects = BTreeSet::new();
        for record in &records {
            data.setup.add(record);
            // What tells of checks and boots is no measurement.
            if !record.contains_key("bench") && !record.contains_key("attack") {
                continue;
            }
            let Some((subject, pool)) = subject(record) else {
                data.unknown += 1;
                continue;
            };
            if record.contains_key("attack") {
                let Some(attack) = Attack::read(record, subject, pool) else {
                    data.unknown += 1;
                    continue;
                };
                subjects.insert(order(&attack.subject));
                if attack.control.is_some() { &mut data.controls } else { &mut data.attacks }.push(attack);
            } else if let Some(take) = Take::read(record, pool) {
                subjects.insert(order(&subject));
                let name = text(record, "bench").unwrap_or_default();
                data.rows.entry(subject).or_default().entry(name).or_default().add(take);
            } else {
                data.unknown += 1;
            }
        }
        data.subjects = subjects.into_iter().map(|(_, subject)| subject).collect();
        let moved = data.subjects.iter();
        let moved = moved.filter_map(|subject| Some((subject.clone(), transfers(data.rows(subject))?)));
        data.transfers = moved.collect();
        data.records = records;
        data
    }

    /// A row of somebody's; `None`: not measured.
    pub fn row(&self, subject: &str, name: &str) -> Option<&Row> {
        self.rows.get(subject)?.get(name)
    }

    /// All rows of somebody's, by name.
    pub fn rows(&self, subject: &str) -> impl Iterator<Item = (&str, &Row)> {
        self.rows.get(subject).into_iter().flatten().map(|(name, row)| (name.as_str(), row))
    }

    /// The median of a row; `None`: not measured.
    pub fn median(&self, subject: &str, name: &str) -> Option<f64> {
        Some(self.row(subject, name)?.summary()?.median)
    }

    /// What was found about moving buffers; `None`: nothing.
    pub fn transfers(&self, subject: &str) -> Option<&Results> {
        self.transfers.get(subject)
    }

    /// The rows `prefix.N`, by N.
    pub fn series(&self, subject: &str, prefix: &str) -> Vec<(u64, &Row)> {
        let number = |name: &str| name.strip_prefix(prefix)?.strip_prefix('.')?.parse().ok();
        let mut rows: Vec<(u64, &Row)> =
            self.rows(subject).filter_map(|(name, row)| Some((number(name)?, row))).collect();
        rows.sort_by_key(|(number, _)| *number);
        rows
    }

    /// The rows `prefix.A.B`, by A and B.
    pub fn grid(&self, subject: &str, prefix: &str) -> Vec<((u64, u64), &Row)> {
        let numbers = |name: &str| {
            let (one, other) = name.strip_prefix(prefix)?.strip_prefix('.')?.split_once('.')?;
            Some((one.parse().ok()?, other.parse().ok()?))
        };
        let mut rows: Vec<((u64, u64), &Row)> =
            self.rows(subject).filter_map(|(name, row)| Some((numbers(name)?, row))).collect();
        rows.sort_by_key(|(numbers, _)| *numbers);
        rows
    }

    /// What came of an attack on somebody, with the pool that the original had, else with the largest.
    pub fn attacks_on<'a>(&'a self, subject: &'a str, attack: &'a str) -> impl Iterator<Item = &'a Attack> {
        let all =
            move || self.attacks.iter().filter(move |one| one.subject == subject && one.attack == attack);
        let original = all().map(|one| one.pool).find(|pool| *pool == Some(POOL));
        let pool = original.or_else(|| all().map(|one| one.pool).max()).flatten();
        all().filter(move |one| one.pool == pool)
    }

    /// What came of all attacks on somebody, of each with that pool.
    pub fn all_attacks_on<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Attack> {
        self.attack_names().into_iter().flat_map(move |attack| self.attacks_on(subject, attack))
    }

    /// The worst outcome of an attack on somebody; `None`: not measured.
    pub fn worst(&self, subject: &str, attack: &str) -> Option<Outcome> {
        self.attacks_on(subject, attack).map(|one| one.outcome).max()
    }

    /// The names of the attacks that were made, in the order of the first record of each.
    pub fn attack_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for attack in &self.attacks {
            if !names.contains(&attack.attack.as_str()) {
                names.push(&attack.attack);
            }
        }
        names
    }
}

impl Setup {
    fn add(&mut self, record: &Record) {
        let sets = [
            (&mut self.commits, "commit"),
            (&mut self.emulators, "qemu"),
            (&mut self.seeds, "seed"),
            (&mut self.repetitions, "rep"),
            (&mut self.boots, "boot"),
        ];
        for (set, field) in sets {
            set.extend(text(record, field));
        }
    }
}

/// A field as text, numbers too.
fn text(record: &Record, field: &str) -> Option<String> {
    match record.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A field that is a number.
fn figure(record: &Record, field: &str) -> Option<f64> {
    record.get(field)?.as_f64()
}

/// Who was measured, and with what pool: another kernel's label, or the design, of whose options only those are part
/// of its name that make another design of it.
fn subject(record: &Record) -> Option<(String, Option<u64>)> {
    if let Some(label) = text(record, "label") {
        return Some((label, None));
    }
    let design = text(record, "design")?;
    let mut name = String::new();
    let said = record.get("pool").and_then(|pool| pool.as_u64().or_else(|| size(pool.as_str()?)));
    let mut pool = said.or_else(|| record.get("pool_bytes")?.as_u64().filter(|bytes| *bytes > 0));
    for part in design.split(',') {
        match part.split_once('=') {
            Some(("pool", text)) => pool = size(text),
            Some(("quota", _)) => {}
            _ if name.is_empty() => name.push_str(part),
            _ => name = format!("{name},{part}"),
        }
    }
    Some((name, pool))
}

/// A size as the command line has it: bytes, or with K or M.
fn size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 10),
        None => text.strip_suffix(['M', 'm']).map_or((text, 0), |digits| (digits, 20)),
    };
    digits.parse::<u64>().ok()?.checked_shl(shift)
}

/// By what subjects are sorted.
fn order(subject: &str) -> (usize, String) {
    let place = Design::ALL.iter().position(|design| design.name() == subject);
    (place.unwrap_or(Design::ALL.len()), subject.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(lines: &[&str]) -> Data {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Data::of(records::parse(&text).expect("records"))
    }

    #[test]
    fn records_are_sorted_by_who_and_what() {
        let data = data(&[
            r#"{"bench":"map.16","design":"zircon","label":"zircon","unit":"instructions","n":1,"min":9,"median":9,"p99":9,"max":9}"#,
            r#"{"bench":"map.16","design":"kernel-heap,pool=16M","unit":"instructions","n":1,"min":5,"median":5,"p99":5,"max":5,"rep":0,"commit":"c","seed":7,"qemu":"7.2"}"#,
            r#"{"bench":"map.16","design":"kernel-heap,pool=16M","unit":"instructions","n":1,"min":7,"median":7,"p99":7,"max":7,"rep":1}"#,
            r#"{"bench":"map.4","design":"user-tables,credits=off","unit":"instructions","n":1,"min":3,"median":3,"p99":3,"max":3}"#,
            r#"{"attack":"mapping-flood","design":"kernel-heap","attackers":4,"outcome":"broken","detail":"x"}"#,
            r#"{"attack":"mapping-flood","design":"kernel-heap","attackers":1,"outcome":"held","detail":""}"#,
            r#"{"attack":"mapping-flood","design":"user-tables","attackers":1,"outcome":"broken","control":"no-check","detail":""}"#,
            r#"{"closing":"bench","checks":1,"failed":0}"#,
            r#"{"part":1}"#,
            r#"{"bench":"map.1","design":"kernel-heap","unit":"instructions","min":3,"median":2}"#,
        ]);
        assert_eq!(data.subjects, ["user-tables", "user-tables,credits=off", "kernel-heap", "zircon"]);
        assert_eq!(data.median("kernel-heap", "map.16"), Some(6.0));
        assert_eq!(data.median("kernel-heap", "map.4"), None);
        assert_eq!(data.series("kernel-heap", "map").len(), 1);
        assert_eq!(data.worst("kernel-heap", "mapping-flood"), Some(Outcome::Broken));
        assert_eq!((data.attacks.len(), data.controls.len(), data.unknown), (2, 1, 1));
        assert!(data.setup.commits.contains("c") && data.setup.seeds.contains("7"));
    }

    #[test]
    fn the_rows_of_the_largest_pool_count() {
        let line = |pool: &str, value: u32| {
            format!(
                r#"{{"bench":"map.1","design":"kernel-heap","pool":"{pool}","unit":"instructions","n":1,"min":{value},"median":{value},"p99":{value},"max":{value}}}"#
            )
        };
        let lines = [line("4M", 5), line("16M", 7), line("8M", 6)];
        let data = data(&lines.each_ref().map(String::as_str));
        assert_eq!(data.median("kernel-heap", "map.1"), Some(7.0));
    }

    #[test]
    fn options_that_make_no_other_design_are_no_part_of_the_name() {
        let of = |design: &str| {
            let mut record = Record::new();
            record.insert("design".into(), design.into());
            subject(&record).expect("a design")
        };
        assert_eq!(of("user-tables,credits=off"), ("user-tables,credits=off".into(), None));
        assert_eq!(of("kernel-quota,pool=16M,quota=128K"), ("kernel-quota".into(), Some(16 << 20)));
    }
}
