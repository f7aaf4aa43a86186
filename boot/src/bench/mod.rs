//! `./x bench`: measures, shows, and keeps the figures that documents and code are made from.
//!
//! What is measured comes in groups. A group is a row in `GROUPS`; its measurements have names that begin with its
//! own, and it does with them what it likes.

pub mod designs;
mod kept;
pub mod latency;
mod machine;
mod markers;
pub mod micro;
pub mod program;
mod progress;
mod rounds;
pub(crate) mod text;
pub mod transfer;

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::args::BenchArgs;
use crate::qemu::Boot;

/// Measurements that belong together: one boot, one file of figures.
struct Group {
    /// The argument that stands for all of it.
    name: &'static str,
    /// The first parts of its measurements' names.
    firsts: &'static [&'static str],
    /// Whether an argument that begins with one of these selects something that it measures.
    has: fn(&str) -> bool,
    /// What can stand there, for somebody who asked for something else.
    parts: fn() -> String,
    /// Measures what is selected (nothing: all), shows it, and keeps it if it is whole.
    run: fn(&BenchArgs, &[&str]) -> Result<()>,
}

/// All groups, in the order in which they run.
const GROUPS: &[Group] = &[
    Group { name: micro::NAME, firsts: micro::FIRSTS, has: micro::has, parts: micro::parts, run: micro::run },
    Group {
        name: transfer::NAME,
        firsts: &[transfer::NAME],
        has: transfer::has,
        parts: transfer::parts,
        run: transfer::run,
    },
    Group {
        name: latency::NAME,
        firsts: &[latency::NAME],
        has: latency::has,
        parts: latency::parts,
        run: latency::run,
    },
    Group {
        name: designs::NAME,
        firsts: &[designs::NAME],
        has: designs::has,
        parts: designs::parts,
        run: designs::run,
    },
];

impl Group {
    fn has_name(&self, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        self.name == name || self.firsts.contains(&first)
    }
}

/// `./x bench`.
///
/// # Errors
/// A name selects nothing, the guest code does not build, the boot fails, or its records are not as they must be.
pub fn all(args: &BenchArgs) -> Result<ExitCode> {
    let chosen = choose(&args.names)?;
    if let Some(path) = &args.json {
        File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for (group, selections) in chosen {
        (group.run)(args, &selections)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds what a boot wrote to the file of records, if there is to be one.
fn write_records(args: &BenchArgs, records: &str) -> Result<()> {
    args.json.as_ref().map_or(Ok(()), |path| {
        let file = File::options().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(records.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    })
}

/// Shows how a boot ended that did not pass.
///
/// # Errors
/// It did not pass.
fn ensure_passed(boot: &Boot, name: &str) -> Result<()> {
    if !boot.outcome.passed() {
        let tail: Vec<&str> = boot.console.lines().rev().take(20).collect();
        eprint!("{}", boot.qemu);
        tail.iter().rev().for_each(|line| eprintln!("| {line}"));
    }
    ensure!(boot.outcome.passed(), "{name}: {}", boot.outcome);
    Ok(())
}

/// The groups to run, and what of each; an empty list stands for all of it.
fn choose(names: &[String]) -> Result<Vec<(&'static Group, Vec<&str>)>> {
    for name in names {
        match GROUPS.iter().find(|group| group.has_name(name)) {
            None => {
                let groups: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
                bail!("no group of measurements has {name}; there is {}", groups.join(", "));
            }
            Some(group) if name != group.name && !(group.has)(name) => {
                bail!("{name} names no measurement of {}; there are {}", group.name, (group.parts)());
            }
            Some(_) => {}
        }
    }
    let mut chosen: Vec<(&Group, Vec<&str>)> = Vec::new();
    for group in GROUPS {
        let selections: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| group.has_name(name)).collect();
        if names.is_empty() || selections.contains(&group.name) {
            chosen.push((group, Vec::new()));
        } else if !selections.is_empty() {
            chosen.push((group, selections));
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn chosen(names: &[&str]) -> Result<Vec<(&'static str, Vec<String>)>> {
        let names: Vec<String> = names.iter().map(|name| (*name).into()).collect();
        let chosen = choose(&names)?;
        let owned = |parts: Vec<&str>| parts.into_iter().map(String::from).collect();
        Ok(chosen.into_iter().map(|(group, parts)| (group.name, owned(parts))).collect())
    }

    #[test]
    fn names_choose_groups_and_parts_of_them() {
        let whole = vec![("transfer", vec![])];
        assert_eq!(
            chosen(&[]).expect("all"),
            [("micro", vec![]), ("transfer", vec![]), ("latency", vec![]), ("designs", vec![])]
        );
        assert_eq!(chosen(&["transfer"]).expect("a group"), whole);
        assert_eq!(chosen(&["transfer.open-64", "transfer"]).expect("a group and a part"), whole);
        assert_eq!(
            chosen(&["transfer.open-64", "transfer.read.pull"]).expect("parts"),
            [("transfer", vec!["transfer.open-64".into(), "transfer.read.pull".into()])]
        );
        assert_eq!(
            chosen(&["transfer.open-64", "ipc.inter", "map.1"]).expect("parts of two"),
            [
                ("micro", vec!["ipc.inter".into(), "map.1".into()]),
                ("transfer", vec!["transfer.open-64".into()])
            ]
        );
    }

    #[test]
    fn a_name_that_selects_nothing_is_refused_with_what_there_is() {
        for (names, hint) in [
            (&["icp"][..], "there is micro, transfer, latency, designs"),
            (&["ipc.outer"], "ipc.inter.0"),
            (&["transfers"], "there is micro, transfer, latency, designs"),
            (&["transfer", "transfer.open-65"], "open-64"),
            (&["transfer."], "open-64"),
            (&["transfer.open-64.wire"], "wired"),
        ] {
            let error = chosen(names).expect_err("nothing of this name").to_string();
            assert!(error.contains(hint), "{names:?}: {error}");
        }
    }

    #[test]
    fn the_help_names_every_group() {
        let mut cli = crate::args::Cli::command();
        let bench = cli.find_subcommand_mut("bench").expect("a command");
        let help = bench.render_long_help().to_string();
        for group in GROUPS {
            assert!(help.contains(&format!("\n  {}  ", group.name)), "{}", group.name);
        }
    }
}
