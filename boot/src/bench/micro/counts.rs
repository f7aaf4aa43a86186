//! What the emulator's plugin saw of the sections that the guest timed, put beside what the guest measured.
//!
//! What must hold: both saw the same. A section has as many instructions as the cycle counter says, and loads CR3 as often
//! as the kernel says. The guest tells of two sections of each measurement, by their numbers: the first round, and one
//! that took what the median says.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::figures::{Figures, Results};
use crate::records::{self, Record};

/// What was counted in a section; see the plugin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counts {
    /// Instructions, the section's own included.
    pub instructions: u64,
    /// Of these, the kernel's.
    pub kernel: u64,
    /// From program to kernel, and from kernel to program.
    pub crossings: u64,
    /// Loads of CR3.
    pub cr3: u64,
    /// INVLPGs.
    pub invlpg: u64,
    /// Lines from which the kernel's instructions came.
    pub code_lines: u64,
    /// Lines that they reached.
    pub data_lines: u64,
}

/// What the record of a measurement says of its sections.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sections {
    /// The number of a section that took what the median says.
    pub section: u32,
    /// The number of the first.
    pub first_section: u32,
    /// Instructions of a section that are its own, and none of the measurement's.
    pub own: u64,
    /// Instructions of the measurement, of the section that took what the median says.
    pub median: u64,
    /// Of the first one.
    pub first: u64,
    /// Loads of CR3 in a round.
    pub switches: u64,
}

impl Sections {
    /// Those of a record, and the measurement's name; `None`: it is no such record.
    ///
    /// # Errors
    /// It is not as it must be.
    pub fn of(record: &Record) -> Result<Option<(&str, Sections)>> {
        let Some(name) = record.get("bench").and_then(Value::as_str) else { return Ok(None) };
        if !record.contains_key("section") {
            return Ok(None);
        }
        let sections = serde_json::from_value(Value::Object(record.clone()));
        Ok(Some((name, sections.with_context(|| format!("the sections of {name}"))?)))
    }
}

/// Adds what the plugin saw to the figures.
///
/// # Errors
/// It has seen something else than the guest.
pub fn add(results: &mut Results, records: &[Record], seen: &str) -> Result<()> {
    for (name, counts) in by_name(records, seen)? {
        let figures = results.get_mut(&name).with_context(|| format!("{name} has no figures"))?;
        *figures = Figures {
            crossings: Some(counts.crossings),
            invlpg: Some(counts.invlpg),
            code_lines: Some(counts.code_lines),
            data_lines: Some(counts.data_lines),
            ..figures.clone()
        };
    }
    Ok(())
}

/// What the plugin saw of the section of each measurement that took what the median says.
///
/// # Errors
/// It has seen something else than the guest.
pub fn by_name(records: &[Record], seen: &str) -> Result<BTreeMap<String, Counts>> {
    let counted = read(seen)?;
    let mut all = BTreeMap::new();
    for record in records {
        let Some((name, sections)) = Sections::of(record)? else { continue };
        let compare = || {
            agreed(&counted, sections.first_section, sections.first + sections.own)?;
            let counts = agreed(&counted, sections.section, sections.median + sections.own)?;
            ensure!(
                counts.cr3 == sections.switches,
                "the plugin saw {} loads of CR3, the kernel counted {}",
                counts.cr3,
                sections.switches
            );
            Ok(counts)
        };
        all.insert(name.to_string(), compare().with_context(|| name.to_string())?);
    }
    Ok(all)
}

/// The counts of a section, of which the guest says that it has so many instructions.
fn agreed(counted: &BTreeMap<u32, Counts>, section: u32, instructions: u64) -> Result<Counts> {
    let counts = counted.get(&section).with_context(|| format!("the plugin saw no section {section}"))?;
    ensure!(
        counts.instructions == instructions,
        "section {section}: the plugin saw {} instructions, the cycle counter counted {instructions}",
        counts.instructions
    );
    Ok(*counts)
}

fn read(seen: &str) -> Result<BTreeMap<u32, Counts>> {
    let mut counted = BTreeMap::new();
    for line in records::parse(seen).context("the plugin")? {
        let Some(section) = line.get("section").and_then(Value::as_u64) else { continue };
        let counts = serde_json::from_value(Value::Object(line)).context("the plugin: a section")?;
        counted.insert(section as u32, counts);
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = "{\"section\":3,\"instructions\":103,\"kernel\":80,\"crossings\":4,\"cr3\":2,\"invlpg\":1,\
                        \"code_lines\":9,\"data_lines\":12}\n{\"path\":4,\"address\":0,\"times\":1,\"text\":\"nop\"}\n\
                        {\"section\":4,\"instructions\":102,\"kernel\":80,\"crossings\":2,\"cr3\":2,\"invlpg\":1,\
                        \"code_lines\":8,\"data_lines\":11}\n";

    fn added(first: u64, median: u64, switches: u64, section: u32) -> Result<Figures> {
        let record = format!(
            "{{\"bench\":\"map.1\",\"unit\":\"instructions\",\"n\":1,\"min\":1,\"median\":{median},\"p99\":{median},\
             \"max\":{median},\"first\":{first},\"switches\":{switches},\"section\":{section},\"first_section\":3,\
             \"own\":2}}\n"
        );
        let records = records::parse(&record).expect("a record");
        let mut results = Results::read(&records)?;
        add(&mut results, &records, SEEN)?;
        Ok(results.get("map.1").expect("there").clone())
    }

    #[test]
    fn what_both_saw_is_added() {
        let figures = added(101, 100, 2, 4).expect("agreement");
        let added = [figures.crossings, figures.invlpg, figures.code_lines, figures.data_lines];
        assert_eq!(added, [Some(2), Some(1), Some(8), Some(11)]);
    }

    #[test]
    fn where_they_disagree_nothing_is_believed() {
        let says = |result: Result<Figures>, words: &str| {
            let error = format!("{:#}", result.expect_err("they disagree"));
            assert!(error.contains("map.1") && error.contains(words), "{error}");
        };
        says(added(101, 99, 2, 4), "saw 102 instructions, the cycle counter counted 101");
        says(added(100, 100, 2, 4), "saw 103 instructions, the cycle counter counted 102");
        says(added(101, 100, 1, 4), "saw 2 loads of CR3, the kernel counted 1");
        says(added(101, 100, 2, 5), "no section 5");
    }
}
