//! Boots scenarios, several at a time, and says how each ended.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Result, ensure};
use freehold_boot::jobs;
use freehold_boot::qemu::Boot;
use freehold_boot::suite::scenario::Scenario;
use freehold_boot::suite::{self, Built};
use freehold_boot::workspace::Metadata;

use crate::both_ways;

/// How many of the console's last lines a failure shows.
const CONSOLE_TAIL: usize = 20;

/// Runs scenarios, `jobs` at a time; returns how many failed.
///
/// # Errors
/// Nothing can be run at all: the guest code does not build, or QEMU is missing.
pub fn run(scenarios: &[Scenario], jobs: usize) -> Result<usize> {
    let started = Instant::now();
    let mut failed = 0;
    if !scenarios.is_empty() {
        let names: BTreeSet<_> = scenarios.iter().map(|scenario| scenario.name).collect();
        ensure!(names.len() == scenarios.len(), "two scenarios have the same name");
        let built = Built::of(scenarios, false)?;
        let output = Metadata::read()?.target_dir.join("e2e");
        println!(
            "\nrunning {} scenarios, a boot each; their output is in {}",
            scenarios.len(),
            output.display()
        );
        failed = boot_all(scenarios, jobs, &built, &output);
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s\n",
        scenarios.len() - failed,
        started.elapsed().as_secs_f64()
    );
    Ok(failed)
}

/// Boots them; how many failed.
fn boot_all(scenarios: &[Scenario], jobs: usize, built: &Built, output: &Path) -> usize {
    let failed = Mutex::new(0);
    jobs::each(scenarios, jobs, |scenario| {
        let directory = output.join(scenario.name);
        let result = boot(scenario, built, &directory);
        // Held while it prints, so that no two scenarios write between each other's lines.
        let mut failed = failed.lock().expect("no worker panics while it prints");
        if !report(scenario, result, &directory) {
            *failed += 1;
        }
    });
    failed.into_inner().expect("no worker panics while it prints")
}

/// Boots a scenario, and once more if it must come to the same without the designs, or the ordinary way.
fn boot(scenario: &Scenario, built: &Built, directory: &Path) -> Result<Boot> {
    let boot = suite::boot(scenario, built, None, directory)?;
    if let Some(holds) = scenario.bare_too.filter(|_| scenario.expect.is_met_by(&boot.outcome)) {
        let bare = Scenario { bare: true, holds: None, ..scenario.clone() };
        let bare = suite::boot(&bare, built, None, &directory.with_extension("bare"))?;
        ensure!(scenario.expect.is_met_by(&bare.outcome), "without the designs: {}", bare.outcome);
        holds(&boot, &bare)?;
    }
    let Some(least) = scenario.both_ways.filter(|_| scenario.expect.is_met_by(&boot.outcome)) else {
        return Ok(boot);
    };
    let again = Scenario { ordinary: true, ..scenario.clone() };
    let again = suite::boot(&again, built, None, &directory.with_extension("ordinary"))?;
    ensure!(scenario.expect.is_met_by(&again.outcome), "the ordinary way: {}", again.outcome);
    ensure!(again.console.contains(both_ways::SAID), "the short paths were not switched off");
    let said = both_ways::compare(&boot.records, &again.records, least)?;
    println!("scenario {:<24} {said}", scenario.name);
    Ok(boot)
}

/// Prints the scenario's line and, if it failed, what is known about why. Returns whether it passed.
fn report(scenario: &Scenario, result: Result<Boot>, directory: &Path) -> bool {
    let boot = match result {
        Ok(boot) => boot,
        Err(error) => {
            println!("scenario {:<24} FAILED          {error:#}", scenario.name);
            return false;
        }
    };
    let seconds = boot.duration.as_secs_f64();
    let met = scenario.expect.is_met_by(&boot.outcome);
    let word = if met { "ok" } else { "FAILED" };
    println!("scenario {:<24} {word:<6} {seconds:6.2} s  {}", scenario.name, boot.outcome);
    if !met {
        println!("    it had to end so: {:?}", scenario.expect);
        for line in tail(&boot.console) {
            println!("    | {line}");
        }
        for line in boot.qemu.lines() {
            println!("    QEMU: {line}");
        }
        println!("    all output: {}", directory.display());
    }
    met
}

fn tail(console: &str) -> Vec<&str> {
    let lines: Vec<_> = console.lines().collect();
    lines[lines.len().saturating_sub(CONSOLE_TAIL)..].to_vec()
}
