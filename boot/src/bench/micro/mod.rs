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

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::args::BenchArgs;
use crate::bench::machine::{Machine, is_standard};
use crate::bench::{kept, markers, program, write_records};
use crate::guest::Guests;
use crate::qemu::Boot;
use crate::toolchain::Toolchain;
use crate::{plugin, records, workspace};

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
/// What the emulator's plugin is told.
pub const WATCH: &str = "mode=path";

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
        kept::write(root, show::DOCUMENT, &document(root, &kept)?)?;
        kept.results.keep(selected);
        println!("{}", show::tables(&kept.results));
        return Ok(());
    }
    let guests = program::build(args)?;
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
        let text = file::write(&Machine::of(args, program::MEMORY_MIB)?, &results);
        kept::write(root, file::PATH, &text)?;
        kept::write(root, show::DOCUMENT, &document(root, &kept(root)?)?)?;
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
    let boot = |plugin| program::boot(args, guests, ("", selections), CLOSING, plugin);
    let alone = boot(None)?;
    let sections = path::sections(&records::parse(&alone.records)?)?;
    let numbers: Vec<String> = sections.values().map(|of| of.section.to_string()).collect();
    let watch = match wants_paths && !numbers.is_empty() {
        true => format!("{WATCH},paths={}", numbers.join("+")),
        false => WATCH.into(),
    };
    let watched = boot(Some(plugin::build(watch)?))?;
    ensure!(watched.records == alone.records, "the guest measures something else when the plugin looks on");
    let results = read(&watched)?;
    write_records(args, &(watched.records + &file::lines(&results)))?;
    let paths = if wants_paths { path::read(&watched.seen, &sections)? } else { Vec::new() };
    Ok((results, paths))
}

/// What a boot found: what the guest wrote, and of the same sections what the plugin saw.
fn read(boot: &Boot) -> Result<Results> {
    let records = records::parse(&boot.records)?;
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
    file::read(&kept::read(root, file::PATH)?).context(file::PATH)
}

/// Everything that is kept, from which the document is made.
fn kept(root: &Path) -> Result<Kept> {
    let (machine, results) = baseline(root)?;
    let paths = path::kept(root, &results)?;
    let shown = path::text(root, path::SHOWN)?;
    Ok(Kept { machine, results, paths, shown })
}

/// The document with its generated parts made anew.
fn document(root: &Path, kept: &Kept) -> Result<String> {
    markers::ensure_all(&kept::read(root, show::DOCUMENT)?, &show::PARTS).context(show::DOCUMENT)?;
    kept::filled(root, show::DOCUMENT, |name| show::part(name, kept))
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        let kept = super::kept(root).expect("figures, and paths that agree with them");
        let text = kept::read(root, show::DOCUMENT).expect("a document");
        let made = document(root, &kept).expect("good markers");
        assert!(made == text, "{} is not what ./x bench --kept micro makes", show::DOCUMENT);
        let baseline = kept::read(root, file::PATH).expect("a baseline");
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
