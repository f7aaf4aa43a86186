//! The group `micro`: what each operation of the kernel costs, beside what other kernels need for the same.
//!
//! The program `bench` measures, in a boot of its own, and this reads its records. Figures that are whole take the place
//! of those that are kept, bench/baseline.json, from which the generated parts of docs/performance.md are made. A
//! scenario of the end-to-end tests measures anew and asks [`no_worse`].

mod figures;
mod file;
mod rows;
mod show;
mod verdict;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::args::{BenchArgs, MachineArgs};
use crate::bench::machine::{Machine, is_standard};
use crate::bench::{markers, write_records};
use crate::guest;
use crate::qemu::{Console, Module};
use crate::toolchain::Toolchain;
use crate::{records, run, workspace};

use figures::Results;

/// The group's name.
pub const NAME: &str = "micro";
/// The first parts of its measurements' names.
pub const FIRSTS: &[&str] = &[
    "call", "ipc", "notify", "string", "map", "unmap", "share", "unshare", "revoke", "fault", "table",
    "thread", "space", "size",
];
/// The name in the guest's closing record.
pub const CLOSING: &str = "bench-micro";
/// MiB of memory: ten thousand threads, a thousand spaces, a hundred thousand mappings.
pub const MEMORY_MIB: u32 = 256;
/// Wall-clock time after which the boot counts as hung.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Whether a name selects something.
pub fn has(name: &str) -> bool {
    rows::names().any(|known| selects(name, &known))
}

/// What there is.
pub fn parts() -> String {
    rows::names().collect::<Vec<_>>().join(", ")
}

/// Whether an argument stands for a measurement: it is its name, or the beginning of it up to a dot.
fn selects(argument: &str, name: &str) -> bool {
    name.strip_prefix(argument).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Measures what is selected (nothing: all), shows it, and keeps it if it is all; or shows what is kept.
///
/// # Errors
/// The guest code does not build, QEMU cannot be started, the boot fails, a record is missing, or a file cannot be
/// written.
pub fn run(args: &BenchArgs, selections: &[&str]) -> Result<()> {
    ensure!(!args.machine.host_time, "{NAME} counts instructions, which takes the instruction clock");
    ensure!(args.rounds.is_none(), "{NAME} makes as many rounds as each measurement needs");
    let selected =
        |name: &str| selections.is_empty() || selections.iter().any(|argument| selects(argument, name));
    if args.kept {
        let (machine, mut results) = kept(workspace::root())?;
        keep(workspace::root(), &machine, &results)?;
        results.keep(selected);
        println!("{}", show::tables(&results));
        return Ok(());
    }
    let results = measure(args, selections)?;
    let missing = results.missing(rows::names().filter(|name| selected(name)));
    ensure!(missing.is_empty(), "no record of {}", missing.join(", "));
    println!("{}", show::tables(&results));
    if selections.is_empty() && is_standard(args) && !args.no_save {
        keep(workspace::root(), &Machine::of(args, MEMORY_MIB)?, &results)?;
        println!("\nkept: {}, {}", file::PATH, show::DOCUMENT);
    } else if !args.no_save {
        println!("\nnot kept: that is for the whole group on the default machine");
    }
    Ok(())
}

fn measure(args: &BenchArgs, selections: &[&str]) -> Result<Results> {
    let packages = [guest::KERNEL.into(), guest::package_of(guest::BENCH)];
    let guests = guest::build(&packages, args.build.profile)?;
    let module =
        Module { name: guest::BENCH.into(), path: guests.program(guest::BENCH)?, arguments: String::new() };
    let append = match selections {
        [] => String::new(),
        _ => format!("only={}", selections.join(",")),
    };
    let machine = MachineArgs { memory: args.machine.memory.max(MEMORY_MIB), ..args.machine.clone() };
    let kernel = guests.program("kernel")?;
    let machine = run::describe(kernel, vec![module], append, Console::Quiet, &machine, Some(TIME_LIMIT));
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let boot = machine.boot(&scratch.path().join("boot"), Some(CLOSING))?;
    if !boot.outcome.passed() {
        let tail: Vec<&str> = boot.console.lines().rev().take(20).collect();
        eprint!("{}", boot.qemu);
        tail.iter().rev().for_each(|line| eprintln!("| {line}"));
    }
    ensure!(boot.outcome.passed(), "{NAME}: {}", boot.outcome);
    write_records(args, &boot.records)?;
    read(&boot.records)
}

fn read(text: &str) -> Result<Results> {
    Results::read(&records::parse(text).map_err(|bad| anyhow!("{bad}"))?)
}

/// Compares what a boot of the program `bench` wrote, `records`, with the figures that are kept. Another compiler makes
/// other code: its figures are read, and not compared.
///
/// # Errors
/// A figure is worse by more than 1 %, or missing; nothing is kept; the records are not as they must be.
pub fn no_worse(records: &str) -> Result<()> {
    let (machine, before) = kept(workspace::root())?;
    let now = read(records)?;
    let rustc = Toolchain::ready()?.version()?;
    if rustc != machine.rustc {
        println!(
            "{}: of rustc {}; this build is of {rustc}, so it is not compared",
            file::PATH,
            machine.rustc
        );
        return Ok(());
    }
    let worse = verdict::worse(&before, &now);
    ensure!(worse.is_empty(), "worse than {}:\n    {}", file::PATH, worse.join("\n    "));
    Ok(())
}

fn kept(root: &Path) -> Result<(Machine, Results)> {
    let path = root.join(file::PATH);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    file::read(&text).context(file::PATH)
}

/// Writes the figures and what is made from them, below `root`.
fn keep(root: &Path, machine: &Machine, results: &Results) -> Result<()> {
    let path = root.join(show::DOCUMENT);
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut names: Vec<&str> = markers::names(&old).collect();
    names.sort();
    let mut expected = show::PARTS;
    expected.sort();
    ensure!(names == expected, "{} shows {names:?}; it must show each of {expected:?} once", show::DOCUMENT);
    let document = markers::fill(&old, |name| show::part(name, machine, results)).context(show::DOCUMENT)?;
    for (path, text) in [(file::PATH, file::write(machine, results)), (show::DOCUMENT, document)] {
        let path = root.join(path);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_select_whole_parts_of_names() {
        assert!(selects("ipc", "ipc.inter.0") && selects("ipc.inter", "ipc.inter.0"));
        assert!(selects("map.1", "map.1") && !selects("map.1", "map.1024"));
        assert!(has("string.64") && has("size") && !has("string.6") && !has("icp"));
    }

    #[test]
    fn every_measurement_belongs_to_the_group() {
        let first = |name: &str| name.split('.').next().map(String::from);
        let mut firsts: Vec<String> = rows::names().filter_map(|name| first(&name)).collect();
        firsts.sort();
        firsts.dedup();
        let mut expected = FIRSTS.to_vec();
        expected.sort();
        assert_eq!(firsts, expected);
    }

    #[test]
    fn the_document_agrees_with_the_figures_that_are_kept() {
        let (machine, results) = kept(workspace::root()).expect("a baseline");
        let text = fs::read_to_string(workspace::root().join(show::DOCUMENT)).expect("a document");
        let made = markers::fill(&text, |name| show::part(name, &machine, &results)).expect("good markers");
        assert!(made == text, "{} is not what ./x bench --kept micro makes", show::DOCUMENT);
        let baseline = fs::read_to_string(workspace::root().join(file::PATH)).expect("a baseline");
        assert!(file::write(&machine, &results) == baseline, "{} is not as it is written", file::PATH);
    }
}
