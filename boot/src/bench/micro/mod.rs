//! The group `micro`: what each operation of the kernel costs, beside what other kernels need for the same.
//!
//! The program `bench` measures, in boots of its own, and the emulator's plugin looks on; this reads what both wrote.
//! Figures that are whole take the place of those that are kept, bench/baseline.json, from which, with the paths, the
//! generated parts of docs/performance.md are made. A scenario of the end-to-end tests measures anew and asks
//! [`no_worse`].

pub mod counts;
mod figures;
mod file;
pub mod path;
pub mod rows;
mod show;
mod verdict;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::args::{BenchArgs, MachineArgs};
use crate::bench::machine::{Machine, is_standard};
use crate::bench::{markers, write_records};
use crate::guest::{self, Guests};
use crate::qemu::{self, Boot, Console, Module, Plugin};
use crate::toolchain::Toolchain;
use crate::{plugin, records, run, workspace};

use figures::Results;
use show::Kept;

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
/// What the emulator's plugin is told.
pub const WATCH: &str = "mode=path";
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

/// Measures what is selected (nothing: all), shows it, and keeps it if it is all; or shows what is kept, or paths.
///
/// # Errors
/// The guest code does not build, QEMU cannot be started, the boot fails, a record is missing, or a file cannot be
/// written.
pub fn run(args: &BenchArgs, selections: &[&str]) -> Result<()> {
    ensure!(!args.machine.host_time, "{NAME} counts instructions, which takes the instruction clock");
    ensure!(args.rounds.is_none(), "{NAME} makes as many rounds as each measurement needs");
    let root = workspace::root();
    let selected =
        |name: &str| selections.is_empty() || selections.iter().any(|argument| selects(argument, name));
    if args.kept {
        let mut kept = kept(root)?;
        write_document(root, &kept)?;
        kept.results.keep(selected);
        println!("{}", show::tables(&kept.results));
        return Ok(());
    }
    let guests = guest::build(&[guest::KERNEL.into(), guest::package_of(guest::BENCH)], args.build.profile)?;
    let keeps = selections.is_empty() && is_standard(args) && !args.no_save;
    let (results, paths) = measure(args, selections, &guests, keeps || args.path)?;
    let missing = results.missing(rows::names().filter(|name| selected(name)));
    ensure!(missing.is_empty(), "no record of {}", missing.join(", "));
    if args.path {
        let names = path::names(&guests)?;
        paths.iter().for_each(|path| println!("{}", path::shown(path, &names)));
        return Ok(());
    }
    println!("{}", show::tables(&results));
    if keeps {
        path::keep(root, &paths, &path::names(&guests)?, &results)?;
        let text = file::write(&Machine::of(args, MEMORY_MIB)?, &results);
        fs::write(root.join(file::PATH), text).with_context(|| format!("cannot write {}", file::PATH))?;
        write_document(root, &kept(root)?)?;
        println!("\nkept: {}, {}, {}", file::PATH, show::DOCUMENT, path::DIRECTORY);
    } else if !args.no_save {
        println!("\nnot kept: that is for the whole group on the default machine");
    }
    Ok(())
}

/// Measures in two boots, of which the plugin looks on at the second; what they found and, if they are wanted, the paths.
/// That both found the same shows that looking on changes nothing.
fn measure(
    args: &BenchArgs,
    selections: &[&str],
    guests: &Guests,
    wants_paths: bool,
) -> Result<(Results, Vec<path::Path>)> {
    let alone = boot(args, selections, guests, None)?;
    let sections = path::sections(&parsed(&alone.records)?)?;
    let numbers: Vec<String> = sections.values().map(|of| of.section.to_string()).collect();
    let watch = match wants_paths && !numbers.is_empty() {
        true => format!("{WATCH},paths={}", numbers.join("+")),
        false => WATCH.into(),
    };
    let watched = boot(args, selections, guests, Some(plugin::build(watch)?))?;
    ensure!(watched.records == alone.records, "the guest measures something else when the plugin looks on");
    let results = read(&watched)?;
    write_records(args, &(watched.records + &file::lines(&results)))?;
    let paths = if wants_paths { path::read(&watched.seen, &sections)? } else { Vec::new() };
    Ok((results, paths))
}

/// Boots the program that measures.
fn boot(args: &BenchArgs, selections: &[&str], guests: &Guests, plugin: Option<Plugin>) -> Result<Boot> {
    let module =
        Module { name: guest::BENCH.into(), path: guests.program(guest::BENCH)?, arguments: String::new() };
    let append = match selections {
        [] => String::new(),
        _ => format!("only={}", selections.join(",")),
    };
    let machine = MachineArgs { memory: args.machine.memory.max(MEMORY_MIB), ..args.machine.clone() };
    let kernel = guests.program("kernel")?;
    let machine = run::describe(kernel, vec![module], append, Console::Quiet, &machine, Some(TIME_LIMIT));
    let machine = qemu::Machine { plugin, ..machine };
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let boot = machine.boot(&scratch.path().join("boot"), Some(CLOSING))?;
    if !boot.outcome.passed() {
        let tail: Vec<&str> = boot.console.lines().rev().take(20).collect();
        eprint!("{}", boot.qemu);
        tail.iter().rev().for_each(|line| eprintln!("| {line}"));
    }
    ensure!(boot.outcome.passed(), "{NAME}: {}", boot.outcome);
    Ok(boot)
}

fn parsed(text: &str) -> Result<Vec<records::Record>> {
    records::parse(text).map_err(|bad| anyhow!("{bad}"))
}

/// What a boot found: what the guest wrote, and of the same sections what the plugin saw.
fn read(boot: &Boot) -> Result<Results> {
    let records = parsed(&boot.records)?;
    let mut results = Results::read(&records)?;
    counts::add(&mut results, &records, &boot.seen)?;
    Ok(results)
}

/// Compares what a boot of the program `bench` with the plugin found with the figures that are kept. Another compiler
/// makes other code: of its figures is asked what must hold of any build, and they are not compared.
///
/// # Errors
/// A figure is worse than the gate lets pass, or missing; what must stay flat is not, or another kernel needs less; nothing is kept; guest and plugin
/// disagree, or what they wrote is not as it must be.
pub fn no_worse(boot: &Boot) -> Result<()> {
    let (machine, before) = baseline(workspace::root())?;
    let now = read(boot)?;
    let wrong = verdict::wrong(&now);
    ensure!(wrong.is_empty(), "what must hold of any build does not:\n    {}", wrong.join("\n    "));
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

/// Compares what boots of the program `bench` with the plugin found under two kernels, of which one was built without the
/// designs that `user-tables` is compared with.
///
/// # Errors
/// An operation does not take the same instructions and events under both; guest and plugin disagree.
pub fn costs_nothing(with: &Boot, without: &Boot) -> Result<()> {
    let (with, without) = (read(with)?, read(without)?);
    let unlike = verdict::unlike(&with, &without);
    ensure!(unlike.is_empty(), "it is not the same without the designs:\n    {}", unlike.join("\n    "));
    println!("{} operations are the same with the designs and without", without.iter().count());
    Ok(())
}

fn baseline(root: &Path) -> Result<(Machine, Results)> {
    let path = root.join(file::PATH);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    file::read(&text).context(file::PATH)
}

/// Everything that is kept, from which the document is made.
fn kept(root: &Path) -> Result<Kept> {
    let (machine, results) = baseline(root)?;
    let paths = path::kept(root, &results)?;
    let shown = path::text(root, path::SHOWN)?;
    Ok(Kept { machine, results, paths, shown })
}

/// Makes the document's generated parts anew.
fn write_document(root: &Path, kept: &Kept) -> Result<()> {
    let path = root.join(show::DOCUMENT);
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut names: Vec<&str> = markers::names(&old).collect();
    names.sort();
    let mut expected = show::PARTS;
    expected.sort();
    ensure!(names == expected, "{} shows {names:?}; it must show each of {expected:?} once", show::DOCUMENT);
    let document = markers::fill(&old, |name| show::part(name, kept)).context(show::DOCUMENT)?;
    fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))
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
        let root = workspace::root();
        let kept = kept(root).expect("figures, and paths that agree with them");
        let text = fs::read_to_string(root.join(show::DOCUMENT)).expect("a document");
        let made = markers::fill(&text, |name| show::part(name, &kept)).expect("good markers");
        assert!(made == text, "{} is not what ./x bench --kept micro makes", show::DOCUMENT);
        let baseline = fs::read_to_string(root.join(file::PATH)).expect("a baseline");
        assert!(
            file::write(&kept.machine, &kept.results) == baseline,
            "{} is not as it is written",
            file::PATH
        );
    }

    #[test]
    fn every_path_that_is_kept_is_one_of_a_measurement() {
        let files = fs::read_dir(workspace::root().join(path::DIRECTORY)).expect("a directory");
        let name = |file: std::io::Result<fs::DirEntry>| file.expect("a file").file_name().into_string();
        let mut files: Vec<String> = files.map(|file| name(file).expect("a plain name")).collect();
        let mut expected: Vec<String> = path::measurements().map(|(name, _)| format!("{name}.txt")).collect();
        files.sort();
        expected.sort();
        assert_eq!(files, expected);
    }
}
