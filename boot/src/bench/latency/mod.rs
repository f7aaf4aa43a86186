//! The group `latency`: the longest stretches with interrupts off, over the whole suite of end-to-end tests.
//!
//! Every scenario that boots the kernel that is shipped is booted once more, and the emulator's plugin looks on. What it
//! finds takes the place of what is kept, bench/latency.json, from which the generated parts of docs/latency.md are
//! made. A scenario of the suite asks [`short_enough`].

mod file;
mod seen;
mod show;

use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use freehold_abi::designs::Design;

use crate::args::BenchArgs;
use crate::bench::machine::{Machine, is_standard};
use crate::bench::micro::path::symbols::Symbols;
use crate::bench::{kept, write_records};
use crate::jobs;
use crate::qemu::Boot;
use crate::suite::scenario::{Expect, Scenario};
use crate::suite::{self, Built, scenarios};
use crate::workspace::{self, Metadata};

use file::Results;
use seen::Seen;
pub use seen::longest;

/// The group's name.
pub const NAME: &str = "latency";
/// Most instructions that a stretch may have.
pub const LIMIT: u64 = 5000;
/// What the plugin is told.
pub const WATCH: &str = "mode=latency,kernel=kernel,floor=1000";
/// Boots at a time.
const JOBS: usize = 2;

/// The scenarios in which the kernel that is shipped does something: neither the debug kernel, nor another guest, nor a
/// boot that comes to no program; nor another design, which keeps interrupts off as long as it does.
fn watched() -> Vec<Scenario> {
    let is_main = |append: &str| {
        let mut designs = append.split_whitespace().filter_map(|word| word.strip_prefix("design="));
        designs.all(|design| design == Design::UserTables.name())
    };
    let is_whole = |scenario: &Scenario| {
        scenario.kernel == "kernel"
            && !scenario.debug_kernel
            && matches!(scenario.expect, Expect::Pass(_))
            && is_main(scenario.append)
    };
    scenarios::all().into_iter().filter(is_whole).collect()
}

/// Whether `latency.BEGINNING` selects something.
pub fn has(name: &str) -> bool {
    watched().iter().any(|scenario| selects(name, scenario.name))
}

/// What there is.
pub fn parts() -> String {
    watched().iter().map(|scenario| format!("{NAME}.{}", scenario.name)).collect::<Vec<_>>().join(", ")
}

fn selects(argument: &str, scenario: &str) -> bool {
    argument.split_once('.').is_some_and(|(group, rest)| group == NAME && scenario.starts_with(rest))
}

/// Boots what is selected (nothing: all), shows what was found, and keeps it if it is all; or shows what is kept.
///
/// # Errors
/// Something does not build, a boot fails, a file cannot be written; or a stretch is too long.
pub fn run(args: &BenchArgs, selections: &[&str]) -> Result<()> {
    ensure!(!args.machine.host_time, "{NAME} counts instructions, which takes the instruction clock");
    ensure!(args.rounds.is_none(), "{NAME} boots each scenario once");
    if args.kept {
        let (machine, results) = kept(workspace::root())?;
        keep(workspace::root(), &machine, &results)?;
        println!("{}", show::tables(&results));
        return show::verdict(&results);
    }
    let mut chosen = watched();
    chosen.retain(|scenario| {
        selections.is_empty() || selections.iter().any(|argument| selects(argument, scenario.name))
    });
    let results = measure(&chosen)?;
    write_records(args, &file::lines(&results))?;
    println!("{}", show::tables(&results));
    if selections.is_empty() && is_standard(args) && !args.no_save {
        let machine = Machine::of(args, crate::args::DEFAULT_MEMORY)?;
        keep(workspace::root(), &machine, &results)?;
        println!("kept: {}, {}", file::PATH, show::DOCUMENT);
    } else if !args.no_save {
        println!("not kept: that is for the whole group");
    }
    show::verdict(&results)
}

/// Boots them, some at a time, with a line for each on the standard error stream.
fn measure(chosen: &[Scenario]) -> Result<Results> {
    let built = Built::of(chosen, true)?;
    let output = Metadata::read()?.target_dir.join(NAME);
    let done = Mutex::new(Vec::new());
    jobs::each(chosen, JOBS, |scenario| {
        let seen = watch(scenario, &built, &output.join(scenario.name));
        let mut done = done.lock().expect("no worker panics while it holds it");
        let count = done.len() + 1;
        let told = match seen.as_ref().map(|seen| seen::longest(seen)) {
            Ok(Ok(longest)) => longest.to_string(),
            Ok(Err(error)) => format!("FAILED: {error:#}"),
            Err(error) => format!("FAILED: {error:#}"),
        };
        eprintln!("{count} of {}: {}: {told}", chosen.len(), scenario.name);
        done.push((scenario.name, seen));
    });
    let done = done.into_inner().expect("no worker panics while it holds it");
    let first = chosen.first().context("no scenario is selected")?;
    let symbols = Symbols::of(&built.kernel(first)?)?;
    let mut results = Results::default();
    for (name, seen) in done {
        let seen = seen.and_then(|seen| Seen::read(&seen, &symbols)).with_context(|| name.to_string())?;
        results.add(name, seen);
    }
    Ok(results)
}

/// What the plugin writes about a boot.
fn watch(scenario: &Scenario, built: &Built, directory: &Path) -> Result<String> {
    let boot = suite::boot(scenario, built, Some(WATCH), directory)?;
    ensure!(scenario.expect.is_met_by(&boot.outcome), "{}", boot.outcome);
    Ok(boot.seen)
}

/// Looks at what the plugin saw of a boot.
///
/// # Errors
/// A stretch was too long; or the plugin saw none.
pub fn short_enough(boot: &Boot) -> Result<()> {
    let longest = seen::longest(&boot.seen)?;
    ensure!(longest <= LIMIT, "interrupts were off for {longest} instructions; at most {LIMIT}");
    Ok(())
}

fn kept(root: &Path) -> Result<(Machine, Results)> {
    file::read(&kept::read(root, file::PATH)?).context(file::PATH)
}

/// Writes what was found and what is made from it, below `root`.
fn keep(root: &Path, machine: &Machine, results: &Results) -> Result<()> {
    let document = kept::filled(root, show::DOCUMENT, |name| show::part(name, machine, results))?;
    kept::write(root, file::PATH, &file::write(machine, results))?;
    kept::write(root, show::DOCUMENT, &document)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_suite_is_watched_where_it_runs_the_kernel() {
        let names: Vec<&str> = watched().iter().map(|scenario| scenario.name).collect();
        for name in
            ["s00-boot", "s50-destroy", "s94-latency", "tour", "s92-service", "attack_held", "bench-baseline"]
        {
            assert!(names.contains(&name), "{name}");
        }
        for name in ["panics", "boot_without_modules", "s50-destroy_debug", "s95-heap", "attack_degraded"] {
            assert!(!names.contains(&name), "{name}");
        }
    }

    #[test]
    fn names_select_scenarios() {
        assert!(has("latency.s94-latency") && has("latency.s9") && !has("latency.s99") && !has("tour"));
    }

    /// The document names, for each kind of work, the parts of scenarios in which it is at its longest.
    #[test]
    fn parts_that_the_document_names_are_there() {
        let root = workspace::root();
        let document = kept::read(root, show::DOCUMENT).expect("the document");
        let section = document.split("\n## ").find(|section| section.starts_with("Which work")).expect("it");
        let names: Vec<&str> = section.split('"').skip(1).step_by(2).collect();
        assert!(!names.is_empty());
        let programs = fs::read_dir(root.join("tests/guest/src/bin")).expect("programs");
        let tables: String = programs
            .map(|program| fs::read_to_string(program.expect("an entry").path().join("main.rs")).expect("it"))
            .collect();
        for name in names {
            assert!(tables.contains(&format!("(\"{name}\", ")), "no part is called {name:?}");
        }
    }

    #[test]
    fn the_document_agrees_with_what_is_kept() {
        let (machine, results) = kept(workspace::root()).expect("what was found");
        let document = kept::read(workspace::root(), show::DOCUMENT).expect("the document");
        let filled =
            kept::filled(workspace::root(), show::DOCUMENT, |name| show::part(name, &machine, &results))
                .expect("markers");
        assert!(filled == document, "{} is not what ./x bench latency --kept makes", show::DOCUMENT);
        assert_eq!(file::write(&machine, &results), kept::read(workspace::root(), file::PATH).expect("it"));
    }
}
