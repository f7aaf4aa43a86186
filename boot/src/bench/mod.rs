//! `./x bench`: measures, shows, and keeps the figures that documents and code are made from.
//!
//! What is measured comes in groups. A group is a row in `GROUPS`; its measurements have names that begin with its
//! own, and it does with them what it likes.

mod markers;
mod progress;
pub mod transfer;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::args::BenchArgs;

/// Measurements that belong together: one boot, one file of figures.
struct Group {
    /// The first part of its measurements' names.
    name: &'static str,
    /// Whether what stands behind `NAME.` in an argument selects something that it measures.
    has: fn(&str) -> bool,
    /// What can stand there, for somebody who asked for something else.
    parts: fn() -> String,
    /// Measures what is selected (nothing: all), shows it, and keeps it if it is whole.
    run: fn(&BenchArgs, &[&str]) -> Result<()>,
}

/// All groups, in the order in which they run.
const GROUPS: &[Group] =
    &[Group { name: transfer::NAME, has: transfer::has, parts: transfer::parts, run: transfer::run }];

/// `./x bench`.
///
/// # Errors
/// A name selects nothing, the guest code does not build, the boot fails, or its records are not as they must be.
pub fn all(args: &BenchArgs) -> Result<ExitCode> {
    for (group, selections) in choose(&args.names)? {
        (group.run)(args, &selections)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The groups to run, and what of each; an empty list stands for all of it.
fn choose(names: &[String]) -> Result<Vec<(&'static Group, Vec<&str>)>> {
    let mut chosen: Vec<(&Group, Vec<&str>)> = Vec::new();
    for group in GROUPS {
        let selections = names.iter().filter_map(|name| name.strip_prefix(group.name)?.strip_prefix('.'));
        let selections: Vec<&str> = selections.collect();
        if names.is_empty() || names.iter().any(|name| name == group.name) {
            chosen.push((group, Vec::new()));
        } else if !selections.is_empty() {
            chosen.push((group, selections));
        }
    }
    for name in names {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match GROUPS.iter().find(|group| group.name == first) {
            None => {
                let groups: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
                bail!("no group of measurements is called {first}; there is {}", groups.join(", "));
            }
            Some(group) if name != first && !(group.has)(rest) => {
                bail!("{name} names no measurement of {first}; there are {}", (group.parts)());
            }
            Some(_) => {}
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
        assert_eq!(chosen(&[]).expect("all"), whole);
        assert_eq!(chosen(&["transfer"]).expect("a group"), whole);
        assert_eq!(chosen(&["transfer.open-64", "transfer"]).expect("a group and a part"), whole);
        assert_eq!(
            chosen(&["transfer.open-64", "transfer.read.pull"]).expect("parts"),
            [("transfer", vec!["open-64".into(), "read.pull".into()])]
        );
    }

    #[test]
    fn a_name_that_selects_nothing_is_refused_with_what_there_is() {
        for (names, hint) in [
            (&["ipc"][..], "there is transfer"),
            (&["transfers"], "there is transfer"),
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
