//! The command: what was asked for, the boots that are not over yet, and what is made of their records.

use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::plan::{self, Boot, Work};
use super::run::{self, Built};
use super::store::{self, Part, Setup, Store};
use super::{image, report};
use crate::args::ExperimentArgs;
use crate::attack::controls;
use crate::design::Variant;
use crate::{attack, jobs, qemu, workspace};

/// What the name of an image's part must not be.
const DESIGNS: &str = "designs";

/// `./x experiment`.
///
/// # Errors
/// The arguments do not fit each other or what the directory holds, something does not build, or a boot gave no records.
pub fn all(args: &ExperimentArgs) -> Result<ExitCode> {
    let setup = Setup { commit: commit(), qemu: qemu::version()?, seed: args.seed };
    let mut failed = Vec::new();
    if args.image.is_none() || args.designs.is_some() {
        failed.extend(designs(args, &setup)?);
    }
    if let (Some(path), Some(label)) = (&args.image, &args.label) {
        failed.extend(image(args, &setup, path, label)?);
    }
    if args.list {
        return Ok(ExitCode::SUCCESS);
    }
    report::write(&args.out).with_context(|| format!("no report of {}", args.out.display()))?;
    println!("records, figures, tables and report.md: {}", args.out.display());
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for (id, why) in &failed {
        eprintln!("freehold: {id}: {why}");
    }
    bail!("{} boots gave no records; the same command tries these again, and no others", failed.len())
}

/// The part of the designs.
fn designs(args: &ExperimentArgs, setup: &Setup) -> Result<Vec<(String, String)>> {
    let extent = if args.quick { plan::QUICK } else { plan::WHOLE };
    let designs = match &args.designs {
        Some(list) => Variant::list(list)?,
        None => Variant::all(),
    };
    let reps = args.reps.unwrap_or(extent.reps);
    let controls: Vec<String> = controls::all()?.into_iter().map(|control| control.name).collect();
    let boots = plan::of_designs(&designs, (&attack::names()?, &controls), &extent, (reps, args.seed));
    if args.list {
        list(&boots);
        return Ok(Vec::new());
    }
    let names: Vec<String> = designs.iter().map(ToString::to_string).collect();
    let quick = if args.quick { "--quick " } else { "" };
    let asked = format!("{quick}--designs {} --reps {reps}", names.join(","));
    let built = Built::of(&boots)?;
    let part = Part { part: DESIGNS.into(), asked, programs: built.digest()?, boots };
    carry_out(args, setup, &part, &built)
}

/// The part of another kernel.
fn image(args: &ExperimentArgs, setup: &Setup, path: &Path, label: &str) -> Result<Vec<(String, String)>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    ensure!(!label.is_empty() && label.chars().all(plain), "a label has letters, digits, '-', '.' and '_'");
    let taken = Variant::all().iter().any(|design| design.name() == label) || label == DESIGNS;
    ensure!(!taken, "{label} is the name of something else");
    let words = args.words.clone().unwrap_or_default();
    let reps = args.reps.unwrap_or(1);
    let boots = plan::of_image(label, &words, reps, args.seed);
    image::medium(path)?;
    if args.list {
        list(&boots);
        return Ok(Vec::new());
    }
    let built = Built::Image(path.into());
    let asked = format!("--words \"{words}\" --reps {reps}");
    let part = Part { part: label.into(), asked, programs: built.digest()?, boots };
    carry_out(args, setup, &part, &built)
}

fn list(boots: &[Boot]) {
    boots.iter().for_each(|boot| println!("{}", boot.id));
}

/// Boots what is not over yet; of what gave no records, its name and why.
fn carry_out(
    args: &ExperimentArgs,
    setup: &Setup,
    part: &Part,
    built: &Built,
) -> Result<Vec<(String, String)>> {
    let store = Store::open(&args.out, setup, part)?;
    let wanted =
        |boot: &&Boot| args.only.is_empty() || args.only.iter().any(|name| boot.id.contains(name.as_str()));
    let chosen: Vec<&Boot> = part.boots.iter().filter(wanted).collect();
    ensure!(!chosen.is_empty(), "no boot has a name that contains {}", args.only.join(" or "));
    let (over, open): (Vec<&Boot>, Vec<&Boot>) = chosen.into_iter().partition(|boot| store.has(boot));
    if !over.is_empty() {
        eprintln!("freehold: {} of {} boots are over", over.len(), over.len() + open.len());
    }
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let progress = Progress::of(&open);
    let failed = Mutex::new(Vec::new());
    jobs::each(&open, args.jobs, |boot| {
        let started = Instant::now();
        let directory = scratch.path().join(&boot.id);
        let result = run::boot(boot, built, &directory).and_then(|records| {
            if let Work::Image { .. } = boot.work {
                tell_strange(&image::strange(&records));
            }
            store.keep(boot, records)
        });
        // Where one fails its directory is of use, unless the disk is full of them; there is nothing else to do about it.
        let _ = if result.is_ok() { std::fs::remove_dir_all(&directory) } else { Ok(()) };
        let why = result.err().map(|error| format!("{error:#}"));
        progress.ended(boot, started.elapsed(), why.as_deref());
        if let Some(why) = why {
            failed.lock().expect("no worker panics while it holds it").push((boot.id.clone(), why));
        }
    });
    progress.bar.finish_and_clear();
    let failed = failed.into_inner().expect("no worker panics while it holds it");
    if !failed.is_empty() {
        let kept = scratch.keep();
        eprintln!("freehold: the output of the boots that failed is in {}", kept.display());
    }
    let (there, of) = store.gather()?;
    eprintln!("freehold: {there} of {of} boots are in {}", args.out.join(store::RECORDS).display());
    Ok(failed)
}

fn tell_strange(names: &[String]) {
    if !names.is_empty() {
        eprintln!(
            "freehold: docs/join.md knows no row {}: kept, but compared with nothing",
            names.join(", ")
        );
    }
}

/// How far a run is, for somebody who waits: a bar, or lines where there is no terminal.
struct Progress {
    bar: ProgressBar,
    terminal: bool,
    count: usize,
    ended: Mutex<usize>,
    started: Instant,
}

impl Progress {
    fn of(boots: &[&Boot]) -> Progress {
        let bar = ProgressBar::new(boots.iter().map(|boot| boot.weight()).sum());
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %, {eta} left  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let terminal = std::io::stderr().is_terminal();
        if terminal {
            bar.enable_steady_tick(Duration::from_secs(1));
        }
        Progress { bar, terminal, count: boots.len(), ended: Mutex::new(0), started: Instant::now() }
    }

    fn ended(&self, boot: &Boot, took: Duration, why: Option<&str>) {
        let mut ended = self.ended.lock().expect("no worker panics while it holds it");
        *ended += 1;
        self.bar.inc(boot.weight());
        let said = why.map_or(format!("{:.1} s", took.as_secs_f64()), |why| format!("FAILED: {why}"));
        let line = format!("{} of {}: {}: {said}", *ended, self.count, boot.id);
        self.bar.set_message(format!("{} of {}: {}", *ended, self.count, boot.id));
        if !self.terminal {
            let (done, all) = (self.bar.position().max(1), self.bar.length().unwrap_or(0));
            let left = self.started.elapsed().mul_f64(all.saturating_sub(done) as f64 / done as f64);
            eprintln!("{line}; about {} left", HumanDuration(left));
        } else if why.is_some() {
            self.bar.println(line);
        }
    }
}

/// The commit of the sources, with `+` behind it if they were changed since; `unknown` without a history.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(workspace::root()).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
        output.status.success().then_some(text)
    };
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return "unknown".into() };
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|files| !files.is_empty());
    if changed { commit + "+" } else { commit }
}
