//! `./x attack`: every attack under every design, beside a victim at work.
//!
//! Each attack is a program of the package `freehold-attacks`; which there are is asked of cargo. A boot, a [`cell::Cell`],
//! is of one attack under one design. The referee, its first program, measures the victim alone and beside the attackers,
//! and writes a record for each number of them; [`row`] reads it, [`matrix`] shows what came of all.
//!
//! The command fails if an attack did not hold under the main design: that is what the main design claims. How the
//! others end is what is found out.

pub mod cell;
pub mod controls;
pub mod matrix;
pub mod row;

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use freehold_abi::designs::Design;

use crate::args::{AttackArgs, Profile};
use crate::design::Variant;
use crate::workspace::Metadata;
use crate::{guest, jobs};

use cell::Cell;
use matrix::Found;

/// Numbers of attackers, unless others are asked for.
pub const ATTACKERS: [u32; 3] = [1, 4, 16];
/// What the attackers' choices follow from, unless something else is asked for.
pub const SEED: u32 = 1;

/// The names of all attacks, sorted.
///
/// # Errors
/// The workspace cannot be read, or has none.
pub fn names() -> Result<Vec<String>> {
    let mut metadata = Metadata::read()?;
    metadata
        .programs
        .remove(guest::ATTACKS)
        .with_context(|| format!("there is no package {}", guest::ATTACKS))
}

/// Those of which a part is named; nothing named: all.
fn choose(all: Vec<String>, parts: &[String]) -> Result<Vec<String>> {
    for part in parts {
        let any = all.iter().any(|name| name.contains(part.as_str()));
        ensure!(any, "no attack's name contains {part}; there are {}", all.join(", "));
    }
    let chosen = |name: &String| parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));
    Ok(all.into_iter().filter(chosen).collect())
}

/// `./x attack`.
///
/// # Errors
/// A name selects nothing, the guest code does not build, or a file cannot be written.
pub fn all(args: &AttackArgs) -> Result<ExitCode> {
    if args.controls {
        return run_controls(args);
    }
    let names = choose(names()?, &args.names)?;
    let variants = if args.designs.is_empty() { Variant::all() } else { args.designs.clone() };
    let attackers = if args.attackers.is_empty() { ATTACKERS.to_vec() } else { args.attackers.clone() };
    let cell = |attack: &String, variant: &Variant| Cell {
        attack: attack.clone(),
        variant: variant.clone(),
        attackers: attackers.clone(),
        window: None,
        seed: args.seed,
    };
    let cells: Vec<Cell> =
        names.iter().flat_map(|name| variants.iter().map(move |variant| cell(name, variant))).collect();
    let mut json = match &args.json {
        Some(path) => Some(File::create(path).with_context(|| format!("cannot write {}", path.display()))?),
        None => None,
    };
    let found = run(&cells, args.jobs)?;
    if let Some(file) = &mut json {
        for row in found.iter().filter_map(|found| found.rows.as_ref().ok()).flatten() {
            writeln!(file, "{}", serde_json::to_string(row)?).context("cannot write the records")?;
        }
    }
    println!("{}", matrix::shown(&found).trim_end());
    let failed: Vec<&str> =
        found.iter().filter(|found| fails(found)).map(|found| found.attack.as_str()).collect();
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nFAILED: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Runs the controls, and says which attacks did not succeed although their defence was taken out.
fn run_controls(args: &AttackArgs) -> Result<ExitCode> {
    let outcomes = controls::run(&args.names, args.seed)?;
    if let Some(path) = &args.json {
        let lines = outcomes.iter().map(|outcome| {
            serde_json::to_string(&outcome.record()).map(|line| {
                line + "
"
            })
        });
        std::fs::write(path, lines.collect::<Result<String, _>>()?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", matrix::controls(&outcomes).trim_end());
    let failed = outcomes.iter().filter(|outcome| !outcome.succeeded).count();
    println!("\n{} of {} attacks succeed without the defence", outcomes.len() - failed, outcomes.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the command fails because of it: nothing was found out, or the main design did not hold.
fn fails(found: &Found) -> bool {
    found.rows.is_err() || found.variant.design == Design::UserTables && !found.held()
}

/// Boots them, some at a time, with a line for each on the standard error stream; what was found, in their order.
fn run(cells: &[Cell], at_a_time: usize) -> Result<Vec<Found>> {
    let guests = guest::build(&cell::packages(), Profile::Release)?;
    let output = Metadata::read()?.target_dir.join("attack");
    let done = Mutex::new(Vec::new());
    jobs::each(&cells.iter().enumerate().collect::<Vec<_>>(), at_a_time, |&(at, cell)| {
        let directory = output.join(format!("{}.{}", cell.attack, cell.variant));
        let booted = cell.boot(&guests, None, &directory);
        let rows = booted.map(|(boot, rows)| (boot.duration, rows)).map_err(|error| format!("{error:#}"));
        let mut done = done.lock().expect("no worker panics while it holds it");
        let said = match &rows {
            Ok((duration, rows)) => {
                let said: Vec<String> = rows.iter().map(ToString::to_string).collect();
                format!("{} ({:.1} s)", said.join(", "), duration.as_secs_f64())
            }
            Err(why) => format!("no outcome: {why}; all output: {}", directory.display()),
        };
        eprintln!("{} of {}: {} under {}: {said}", done.len() + 1, cells.len(), cell.attack, cell.variant);
        let rows = rows.map(|(_, rows)| rows);
        done.push((at, Found { attack: cell.attack.clone(), variant: cell.variant.clone(), rows }));
    });
    let mut done = done.into_inner().expect("no worker panics while it holds it");
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, found)| found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::row::{Row, Verdict};

    #[test]
    fn parts_of_names_choose_attacks() {
        let all = || vec!["depth-wrap".to_string(), "mapping-flood".into(), "timer-flood".into()];
        let chosen =
            |parts: &[&str]| choose(all(), &parts.iter().map(|part| (*part).into()).collect::<Vec<_>>());
        assert_eq!(chosen(&[]).expect("all"), all());
        assert_eq!(chosen(&["flood"]).expect("two"), ["mapping-flood", "timer-flood"]);
        let error = chosen(&["flood", "bomb"]).expect_err("there is none").to_string();
        assert!(error.contains("bomb") && error.contains("depth-wrap, mapping-flood"), "{error}");
    }

    #[test]
    fn only_the_main_design_has_to_hold_but_every_boot_has_to_tell() {
        let found = |design, rows| Found { attack: "a".into(), variant: Variant::of(design), rows };
        let row = |outcome| Row { outcome, ..Row::of_machine("a", "d", 1, String::new()) };
        for design in Design::ALL {
            let main = design == Design::UserTables;
            assert!(
                !fails(&found(design, Ok(vec![row(Verdict::Held), row(Verdict::Impossible)]))),
                "{design:?}"
            );
            assert_eq!(fails(&found(design, Ok(vec![row(Verdict::Held), row(Verdict::Degraded)]))), main);
            assert_eq!(fails(&found(design, Ok(vec![row(Verdict::Broken), row(Verdict::Held)]))), main);
            assert!(fails(&found(design, Err("why".into()))));
        }
    }
}
