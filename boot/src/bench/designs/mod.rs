//! The group `designs`: the same operations under every design of the kernel.
//!
//! The program `bench` measures, once under each design, and once more with the emulator's plugin, of the rows that are
//! short enough for it. What was found takes the place of what is kept, bench/designs.json, from which the generated parts
//! of docs/designs.md are made. A scenario of the end-to-end tests asks [`no_straw_man`].

mod figures;
mod rows;
mod show;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use freehold_abi::designs::Design;

use crate::args::BenchArgs;
use crate::bench::machine::{Machine, is_standard};
use crate::bench::micro::{self, counts, rows::PEERS};
use crate::bench::{kept, program, write_records};
use crate::guest::Guests;
use crate::qemu::Boot;
use crate::{plugin, records, workspace};

use figures::{ByName, Results};

/// The group's name.
pub const NAME: &str = "designs";
/// The name in the guest's closing record.
pub const CLOSING: &str = "bench-designs";
/// What a design with a pool is booted with: enough for every row.
const POOL: &str = ",pool=48M";
/// The rows at which the plugin looks: those that it does not make too long, and that do not wait.
pub const COUNTED: &[&str] = &[
    "call",
    "ipc",
    "string",
    "map",
    "unmap",
    "protect",
    "delegate",
    "undelegate",
    "fault",
    "space.create",
    "space.delete",
    "heap",
];
/// How much more than the original an operation may need, in hundredths.
const MORE: u64 = 10;

/// What a design is called in records and on the command line, with what is added to it there.
fn boots() -> impl Iterator<Item = (Design, String)> {
    Design::ALL.into_iter().map(|design| {
        let pool = if design.has_pool() { POOL } else { "" };
        (design, format!("design={}{pool}", design.name()))
    })
}

/// All names of rows.
fn names() -> impl Iterator<Item = String> {
    rows::FAMILIES.iter().flat_map(rows::Family::names).chain(rows::revokes())
}

/// What of an argument the guest understands.
fn row_of(argument: &str) -> &str {
    argument.strip_prefix(NAME).map_or(argument, |rest| rest.trim_start_matches('.'))
}

fn selects(argument: &str, name: &str) -> bool {
    name.strip_prefix(row_of(argument)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether `designs.BEGINNING` selects something.
pub fn has(name: &str) -> bool {
    names().any(|known| selects(name, &known))
}

/// What there is.
pub fn parts() -> String {
    names().map(|name| format!("{NAME}.{name}")).collect::<Vec<_>>().join(", ")
}

/// Measures what is selected (nothing: all) under every design, shows it, and keeps it if it is all; or shows what is
/// kept.
///
/// # Errors
/// The guest code does not build, a boot fails, a record is missing, or a file cannot be written.
pub fn run(args: &BenchArgs, selections: &[&str]) -> Result<()> {
    ensure!(!args.machine.host_time, "{NAME} counts instructions, which takes the instruction clock");
    ensure!(args.rounds.is_none(), "{NAME} makes as many rounds as each measurement needs");
    ensure!(!args.path, "paths are of the group {}", micro::NAME);
    let selected =
        |name: &str| selections.is_empty() || selections.iter().any(|argument| selects(argument, name));
    let root = workspace::root();
    if args.kept {
        let (machine, results) = kept(root)?;
        kept::write(root, show::DOCUMENT, &document(root, &machine, &results)?)?;
        println!("{}", show::tables(&results, selected));
        return Ok(());
    }
    let guests = program::build(args)?;
    let mut results = Results::default();
    for (design, words) in boots() {
        eprintln!("{}", design.name());
        let figures = measure(args, selections, &guests, (design, &words))?;
        let missing: Vec<String> = rows::names(design.has_pool())
            .filter(|name| selected(name) && !figures.contains_key(name))
            .collect();
        ensure!(missing.is_empty(), "{}: no record of {}", design.name(), missing.join(", "));
        results.0.push((design.name().into(), figures));
    }
    println!("{}", show::tables(&results, selected));
    if selections.is_empty() && is_standard(args) && !args.no_save {
        let machine = Machine { design: "all".into(), ..Machine::of(args, program::MEMORY_MIB)? };
        kept::write(root, figures::PATH, &figures::write(&machine, &results))?;
        kept::write(root, show::DOCUMENT, &document(root, &machine, &results)?)?;
        println!("\nkept: {}, {}", figures::PATH, show::DOCUMENT);
    } else if !args.no_save {
        println!("\nnot kept: that is for the whole group on the default machine");
    }
    Ok(())
}

/// What was found under a design, with what the plugin saw of it.
fn measure(
    args: &BenchArgs,
    selections: &[&str],
    guests: &Guests,
    (design, words): (Design, &str),
) -> Result<ByName> {
    let only: Vec<&str> = selections.iter().map(|argument| row_of(argument)).collect();
    let boot = |only: &[&str], plugin| {
        program::boot(args, guests, (words, only), CLOSING, plugin).with_context(|| words.to_string())
    };
    let alone = boot(&only, None)?;
    let mut figures = figures::of_records(&records::parse(&alone.records)?, design.name())?;
    let counted: Vec<&str> = match only.as_slice() {
        [] => COUNTED.to_vec(),
        only => {
            let is_short = |name: &&&str| COUNTED.iter().any(|counted| selects(counted, name));
            only.iter().filter(is_short).copied().collect()
        }
    };
    if !counted.is_empty() {
        let plugin = plugin::build(String::from(micro::WATCH))?;
        let watched = boot(&counted, Some(plugin))?;
        figures::add(&mut figures, &counts::by_name(&records::parse(&watched.records)?, &watched.seen)?);
    }
    write_records(args, &alone.records)?;
    Ok(figures)
}

/// Compares what a boot of the program `bench` under kernel-heap found with what the original needs.
///
/// # Errors
/// An operation needs more than a tenth more, or was not measured.
pub fn no_straw_man(boot: &Boot) -> Result<()> {
    let figures = figures::of_records(&records::parse(&boot.records)?, Design::KernelHeap.name())?;
    let wrong: Vec<String> =
        PEERS.originals.iter().filter_map(|original| behind(original, &figures)).collect();
    ensure!(wrong.is_empty(), "kernel-heap is a straw man:\n    {}", wrong.join("\n    "));
    Ok(())
}

/// What is wrong with a row whose original needs less.
fn behind(original: &micro::rows::Original, figures: &ByName) -> Option<String> {
    let Some(row) = figures.get(&original.name) else {
        return Some(format!("{} was not measured", original.name));
    };
    let most = original.pistachio.least * (100 + MORE) / 10;
    (row.tenths() > most).then(|| {
        let (here, there) = (show::tenths(row.tenths()), original.pistachio.least);
        format!("{}: {here}, the original {there}", original.name)
    })
}

fn kept(root: &Path) -> Result<(Machine, Results)> {
    figures::read(&kept::read(root, figures::PATH)?).context(figures::PATH)
}

/// The document with its generated parts made anew.
fn document(root: &Path, machine: &Machine, results: &Results) -> Result<String> {
    kept::filled(root, show::DOCUMENT, |name| show::part(name, machine, results))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_select_rows_by_the_beginnings_of_their_names() {
        assert!(has("designs.delegate") && has("designs.heap.map.1") && has("designs.revoke.16"));
        assert!(!has("designs.delegate.2") && !has("designs.icp"));
        assert!(selects("designs.map.1", "map.1") && !selects("designs.map.1", "map.1024"));
    }

    #[test]
    fn no_row_comes_twice_and_every_original_has_one() {
        let mut all: Vec<String> = names().collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        for original in &PEERS.originals {
            assert!(all.contains(&original.name), "{}", original.name);
        }
    }

    #[test]
    fn more_than_a_tenth_more_is_a_straw_man() {
        let original = &PEERS.originals[0];
        let figures = |median: u64| {
            let record = format!(
                "{{\"bench\":\"{}\",\"design\":\"kernel-heap\",\"unit\":\"instructions\",\"n\":1,\"min\":{median},\
                 \"median\":{median},\"p99\":{median},\"max\":{median},\"per\":1}}\n",
                original.name
            );
            figures::of_records(&records::parse(&record).expect("a record"), "kernel-heap").expect("figures")
        };
        let most = original.pistachio.least * 11 / 10;
        assert!(behind(original, &figures(most)).is_none());
        assert!(behind(original, &figures(most + 1)).is_some());
        assert!(behind(original, &ByName::new()).is_some(), "not measured");
    }

    #[test]
    fn the_document_agrees_with_the_figures_that_are_kept() {
        let root = workspace::root();
        let (machine, results) = kept(root).expect("figures");
        let text = kept::read(root, show::DOCUMENT).expect("a document");
        let made = document(root, &machine, &results).expect("good markers");
        assert!(made == text, "{} is not what ./x bench --kept designs makes", show::DOCUMENT);
        let kept = kept::read(root, figures::PATH).expect("figures");
        assert!(figures::write(&machine, &results) == kept, "{} is not as it is written", figures::PATH);
    }
}
