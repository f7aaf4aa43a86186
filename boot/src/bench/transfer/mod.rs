//! The group `transfer`: six ways to move a buffer, in calls such as a system makes.
//!
//! The guest measures (`bench-transfer` on the kernel's command line) and this reads its records. Figures that are
//! whole take the place of those that are kept:
//!
//! | file | what |
//! |---|---|
//! | bench/transfer.json | the figures; all else is made from them |
//! | docs/transfer-scenarios.md | its parts between markers |
//! | user/rt/src/buffer/crossover.rs | the table by which `rt::buffer` chooses a way |
//!
//! What must hold: the kept files agree; a test makes the last two from the first and compares.

pub(crate) mod cell;
pub(crate) mod crossover;
mod document;
pub(crate) mod figures;
mod file;
#[cfg(test)]
mod proof;
mod show;
#[cfg(test)]
pub(crate) mod synthetic;
pub(crate) mod verdicts;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::args::BenchArgs;
use crate::bench::machine::is_standard;
use crate::bench::{ensure_passed, kept, markers, progress, write_records};
use crate::guest::{self, Guests};
use crate::qemu::{self, Boot, Console, Machine};
use crate::{records, run, workspace};

use cell::{CASES, Cell, GROUP, Residency, Trust, Way};
use figures::Results;

/// The group's name.
pub const NAME: &str = GROUP;
/// The word on the kernel's command line that starts the measurements, and the name in the closing record.
const WORD: &str = "bench-transfer";
/// The longest command line, in bytes, of which the guest surely has all.
const APPEND_MAX: usize = 1024;
/// Wall-clock time after which the boot counts as hung.
const TIME_LIMIT: Duration = Duration::from_secs(3600);

/// Whether a name takes in a cell.
pub fn has(name: &str) -> bool {
    !beginnings(name).is_empty()
}

/// What the names of the selected cells begin with, without the group's.
fn beginnings(name: &str) -> Vec<String> {
    let selection = name.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('.'));
    selection.map_or(Vec::new(), cell::beginnings)
}

/// What a selection can be.
pub fn parts() -> String {
    let names = |names: Vec<&str>| names.join(", ");
    format!(
        "{NAME}.CASE[.WAY[.RESIDENCY[.TRUST]]]\n  CASE: {}\n  WAY: {}\n  RESIDENCY: {}\n  TRUST: {}",
        names(CASES.to_vec()),
        names(Way::ALL.iter().map(|way| way.name()).collect()),
        names(Residency::ALL.iter().map(|residency| residency.name()).collect()),
        names(Trust::ALL.iter().map(|trust| trust.name()).collect()),
    )
}

/// Measures the cells that are selected (nothing: all), shows them, and keeps them if they are all; or shows those
/// that are kept.
///
/// # Errors
/// The guest code does not build, QEMU cannot be started, the boot fails, a cell is missing, or a file cannot be
/// written.
pub fn run(args: &BenchArgs, selections: &[&str]) -> Result<()> {
    ensure!(!args.machine.host_time, "{NAME} counts instructions, which takes the instruction clock");
    let beginnings: Vec<String> = selections.iter().flat_map(|selection| beginnings(selection)).collect();
    let selected: Vec<Cell> = match selections {
        [] => Cell::all().chain(Cell::nulls()).collect(),
        _ => Cell::all().filter(|cell| beginnings.iter().any(|beginning| cell.begins(beginning))).collect(),
    };
    if args.kept {
        return show_kept(&selected);
    }
    let guests = guest::build(&guest::tour_packages(), args.build.profile)?;
    let results = measure(args, &guests, &beginnings, &selected)?;
    println!("{}", show::tables(&results).trim_start());
    if selections.is_empty() && is_standard(args) && !args.no_save {
        keep(workspace::root(), &file::Machine::of(args, args.machine.memory)?, &results)?;
        println!("kept: {}, {}, {}", file::PATH, document::PATH, crossover::PATH);
    } else if !args.no_save {
        println!("not kept: that is for the whole group on the default machine");
    }
    Ok(())
}

/// Makes anew what is made from the figures that are kept, and shows them.
fn show_kept(selected: &[Cell]) -> Result<()> {
    let root = workspace::root();
    let (machine, mut results) = file::read(&kept::read(root, file::PATH)?).context(file::PATH)?;
    keep(root, &machine, &results)?;
    results.keep(|cell| selected.contains(&cell));
    println!("{}", show::tables(&results).trim_start());
    Ok(())
}

fn measure(args: &BenchArgs, guests: &Guests, beginnings: &[String], selected: &[Cell]) -> Result<Results> {
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = scratch.path().join("boot");
    let machine = boot_machine(args, guests, beginnings)?;
    let expected = selected.iter().filter(|cell| cell.case != cell::NULL).count();
    let boot = progress::during(GROUP, &directory.join(qemu::RECORDS_FILE), expected, || {
        machine.boot(&directory, Some(WORD))
    })?;
    write_records(args, &boot.records)?;
    judge(&boot, selected)
}

/// The kernel and the programs, told what to measure.
fn boot_machine(args: &BenchArgs, guests: &Guests, beginnings: &[String]) -> Result<Machine> {
    let modules = guest::PROGRAMS.iter().map(|program| guests.module(program)).collect::<Result<_>>()?;
    let append = append(args.rounds, beginnings);
    ensure!(append.len() <= APPEND_MAX, "more names than the kernel's command line has room for");
    let kernel = guests.program("kernel")?;
    Ok(run::describe(kernel, modules, append, Console::Quiet, &args.machine, Some(TIME_LIMIT)))
}

/// The kernel's command line. The guest takes the cells whose names contain one of the parts.
pub fn append(rounds: Option<u32>, beginnings: &[String]) -> String {
    let only = (!beginnings.is_empty()).then(|| format!(" only={}", beginnings.join(",")));
    let rounds = rounds.map(|rounds| format!(" rounds={rounds}"));
    std::iter::once(WORD.into()).chain(only).chain(rounds).collect()
}

/// What became of the selected cells.
fn judge(boot: &Boot, selected: &[Cell]) -> Result<Results> {
    ensure_passed(boot, NAME)?;
    let mut results = Results::read(&records::parse(&boot.records)?)?;
    results.keep(|cell| selected.contains(&cell));
    let missing = results.missing(selected.iter().copied());
    ensure!(missing.is_empty(), "no record of {}", missing.join(", "));
    Ok(results)
}

/// Writes the figures and all that is made from them, below `root`.
fn keep(root: &Path, machine: &file::Machine, results: &Results) -> Result<()> {
    markers::ensure_all(&kept::read(root, document::PATH)?, &document::names()).context(document::PATH)?;
    let document = kept::filled(root, document::PATH, |name| document::part(name, machine, results))?;
    kept::write(root, file::PATH, &file::write(machine, results))?;
    kept::write(root, document::PATH, &document)?;
    kept::write(root, crossover::PATH, &crossover::source(machine, results))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(path: &str) -> String {
        kept::read(workspace::root(), path).expect(path)
    }

    #[test]
    fn what_is_kept_agrees() {
        let (machine, results) = file::read(&read(file::PATH)).expect(file::PATH);
        assert_eq!(read(file::PATH), file::write(&machine, &results), "{}", file::PATH);
        let root = tempfile::tempdir().expect("a directory");
        lay_out(root.path(), &read(document::PATH));
        keep(root.path(), &machine, &results).expect("made anew");
        for path in [document::PATH, crossover::PATH] {
            let (kept, made) = (read(path), kept::read(root.path(), path).expect(path));
            let mut lines = kept.lines().zip(made.lines());
            let different = lines.find(|(kept, made)| kept != made);
            assert_eq!(different, None, "a line of {path}, and what {} makes of it", file::PATH);
            assert!(kept == made, "{path} has more or fewer lines than {} makes", file::PATH);
        }
    }

    /// What must be there before figures can be kept.
    fn lay_out(root: &Path, document: &str) {
        for directory in ["bench", "docs", "user/rt/src/buffer"] {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        fs::write(root.join(document::PATH), document).expect("written");
    }

    /// A document that shows everything.
    fn document() -> String {
        let parts = document::names().into_iter();
        parts.map(|name| format!("About {name}:\n<!-- figures: {name} -->\nold\n<!-- end -->\n")).collect()
    }

    #[test]
    fn keeping_writes_figures_and_leaves_prose_alone() {
        let root = tempfile::tempdir().expect("a directory");
        lay_out(root.path(), &document());
        let (machine, results) = (synthetic::machine(), synthetic::results());
        keep(root.path(), &machine, &results).expect("kept");
        let read = |path: &str| kept::read(root.path(), path).expect(path);
        assert_eq!(file::read(&read(file::PATH)).expect("a good file"), (machine, results));
        let text = read(document::PATH);
        assert!(text.starts_with("About machine:\n<!-- figures: machine -->\nQEMU 0.0,"), "{text}");
        assert!(!text.contains("old\n"), "{text}");
        assert!(read(crossover::PATH).contains("pub const TABLE"));
    }

    #[test]
    fn a_document_that_does_not_show_everything_is_refused_before_anything_is_written() {
        let root = tempfile::tempdir().expect("a directory");
        for document in [document().replace("figures: refused", "figures: machine"), String::new()] {
            lay_out(root.path(), &document);
            assert!(keep(root.path(), &synthetic::machine(), &synthetic::results()).is_err());
            assert!(!root.path().join(file::PATH).exists());
        }
    }

    #[test]
    fn the_guest_is_told_what_and_how_often() {
        assert_eq!(append(None, &[]), "bench-transfer");
        let beginnings = ["open-8.pull".into(), "read-1.".into()];
        assert_eq!(append(Some(3), &beginnings), "bench-transfer only=open-8.pull,read-1. rounds=3");
    }
}
