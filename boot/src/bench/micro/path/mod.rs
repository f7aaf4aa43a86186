//! Where the instructions go: the path of a section, instruction by instruction, as the emulator's plugin saw it.
//!
//! Each measurement has a file, docs/paths/NAME.txt, with the path of one warm section: by file, by function, and, where
//! there is a reason to look (`is_listed`), every instruction. They are made when figures are kept.

mod fold;
mod listing;
pub mod symbols;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path as File;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::counts::Sections;
use super::figures::Results;
use super::rows::{FURTHER, PEERS};
use super::verdict::{is_behind, misses};
use crate::guest::{self, Guests};
use crate::records::{self, Record};

pub use listing::{Kept, Names};
use symbols::Symbols;

/// Where the files are, below the workspace.
pub const DIRECTORY: &str = "docs/paths";
/// The measurement whose path is shown in full whatever it costs.
pub const SHOWN: &str = "ipc.inter.0";

/// Instructions that follow each other: one, or several iterations of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Step {
    /// Where it is.
    pub address: u32,
    /// How often it is executed, one time behind the other.
    pub times: u64,
    /// The instruction.
    pub text: String,
}

/// The path of a section.
#[derive(Debug)]
pub struct Path {
    /// The measurement.
    pub name: String,
    /// The operation.
    pub what: String,
    /// Instructions of the section that are its own.
    pub own: u64,
    /// The section's instructions, the one that closes it included.
    pub steps: Vec<Step>,
}

/// Names and operations of the measurements that have a path.
pub fn measurements() -> impl Iterator<Item = (&'static str, &'static str)> {
    PEERS.rows.iter().map(|row| (row.name.as_str(), row.what.as_str())).chain(FURTHER.iter().copied())
}

/// Whether every instruction is kept: where a row is not what it ought to be, and of [`SHOWN`].
fn is_listed(name: &str, results: &Results) -> bool {
    let falls_short = |row: &super::rows::Row| {
        let figures = results.get(name);
        figures.is_some_and(|figures| misses(row, figures).is_some() || is_behind(row, figures))
    };
    name == SHOWN || PEERS.rows.iter().any(|row| row.name == name && falls_short(row))
}

/// The sections whose paths are wanted, by name.
///
/// # Errors
/// A record is not as it must be.
pub fn sections(records: &[Record]) -> Result<BTreeMap<String, Sections>> {
    let mut sections = BTreeMap::new();
    for record in records {
        if let Some((name, of)) = Sections::of(record)?
            && measurements().any(|(known, _)| known == name)
        {
            sections.insert(name.into(), of);
        }
    }
    Ok(sections)
}

/// Names for the addresses of the kernel and of the program that measures.
///
/// # Errors
/// A file cannot be read.
pub fn names(guests: &Guests) -> Result<Names> {
    Ok(Names {
        kernel: Symbols::of(&guests.program("kernel")?)?,
        program: Symbols::of(&guests.program(guest::BENCH)?)?,
        labels: symbols::labels()?,
    })
}

/// The paths of the sections, from what the plugin wrote, in the order in which measurements are shown.
///
/// # Errors
/// One is missing, or something is not as it must be.
pub fn read(seen: &str, sections: &BTreeMap<String, Sections>) -> Result<Vec<Path>> {
    let mut steps: BTreeMap<u64, Vec<Step>> = BTreeMap::new();
    for line in records::parse(seen).context("the plugin")? {
        if let Some(section) = line.get("path").and_then(Value::as_u64) {
            let step = serde_json::from_value(Value::Object(line)).context("the plugin: an instruction")?;
            steps.entry(section).or_default().push(step);
        }
    }
    let wanted = measurements().filter_map(|(name, what)| Some((name, what, sections.get(name)?)));
    let paths = wanted.map(|(name, what, sections)| {
        let steps = steps.get(&sections.section.into()).with_context(|| format!("no path of {name}"))?;
        Ok(Path { name: name.into(), what: what.into(), own: sections.own, steps: steps.clone() })
    });
    paths.collect()
}

/// A path for a terminal.
pub fn shown(path: &Path, names: &Names) -> String {
    listing::write(path, names, true)
}

/// Writes the files, below `root`, in the place of those that are there.
///
/// # Errors
/// One cannot be written.
pub fn keep(root: &File, paths: &[Path], names: &Names, results: &Results) -> Result<()> {
    let directory = root.join(DIRECTORY);
    let context = || format!("cannot write to {}", directory.display());
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(context)?;
    }
    fs::create_dir_all(&directory).with_context(context)?;
    for path in paths {
        let text = listing::write(path, names, is_listed(&path.name, results));
        fs::write(directory.join(format!("{}.txt", path.name)), text).with_context(context)?;
    }
    Ok(())
}

/// The text of a file.
///
/// # Errors
/// It cannot be read.
pub fn text(root: &File, name: &str) -> Result<String> {
    let path = root.join(DIRECTORY).join(format!("{name}.txt"));
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// What the files say, by name; each as many instructions as the figures that are kept, and listed where it must be.
///
/// # Errors
/// One is missing, or says something else.
pub fn kept(root: &File, results: &Results) -> Result<BTreeMap<String, Kept>> {
    let mut all = BTreeMap::new();
    for (name, _) in measurements() {
        let kept = Kept::read(&text(root, name)?).with_context(|| name.to_string())?;
        let figures = results.get(name).with_context(|| format!("no figures of {name}"))?;
        ensure!(
            kept.total == figures.rounds.median + kept.own,
            "{DIRECTORY}/{name}.txt: {} instructions instead of {} and {}",
            kept.total,
            figures.rounds.median,
            kept.own
        );
        ensure!(
            kept.is_whole == is_listed(name, results),
            "{DIRECTORY}/{name}.txt: every instruction, or none of them"
        );
        all.insert(name.into(), kept);
    }
    Ok(all)
}
