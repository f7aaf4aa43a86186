//! Boots scenarios, several at a time, and says how each ended.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use freehold_boot::args::Profile;
use freehold_boot::guest::{self, Guests};
use freehold_boot::install;
use freehold_boot::plugin;
use freehold_boot::qemu::{self, Boot, Clock, Console, Machine, Module, Plugin};
use freehold_boot::run;
use freehold_boot::workspace::Metadata;

use crate::both_ways;
use crate::scenario::Scenario;

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
        install::ensure_command(qemu::PROGRAM, install::QEMU)?;
        let guests = Kernels {
            release: guest::build(&packages(scenarios), Profile::Release)?,
            debug: match scenarios.iter().any(|scenario| scenario.debug_kernel) {
                true => Some(guest::build(&[guest::KERNEL.into()], Profile::Dev)?),
                false => None,
            },
            plugin: match scenarios.iter().any(|scenario| !scenario.watch.is_empty()) {
                true => Some(plugin::build("")?),
                false => None,
            },
        };
        let output = Metadata::read()?.target_dir.join("e2e");
        println!(
            "\nrunning {} scenarios, a boot each; their output is in {}",
            scenarios.len(),
            output.display()
        );
        failed = boot_all(scenarios, jobs, &guests, &output);
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s\n",
        scenarios.len() - failed,
        started.elapsed().as_secs_f64()
    );
    Ok(failed)
}

/// What was built: everything optimised, and the kernel with debug assertions and the emulator's plugin if a scenario
/// wants them.
struct Kernels {
    release: Guests,
    debug: Option<Guests>,
    plugin: Option<Plugin>,
}

impl Kernels {
    fn kernel(&self, scenario: &Scenario) -> Result<PathBuf> {
        let guests = self.debug.as_ref().filter(|_| scenario.debug_kernel).unwrap_or(&self.release);
        guests.program(scenario.kernel)
    }
}

/// The packages that make the kernels and modules of `scenarios`.
fn packages(scenarios: &[Scenario]) -> Vec<String> {
    let programs = |scenario: &Scenario| {
        let modules = scenario.modules.iter().map(|module| split(module).0);
        std::iter::once(scenario.kernel).chain(modules).collect::<Vec<_>>()
    };
    scenarios.iter().flat_map(programs).flat_map(guest::packages_making).collect()
}

/// Workers take the next scenario that none has taken, until there are no more.
fn boot_all(scenarios: &[Scenario], jobs: usize, guests: &Kernels, output: &Path) -> usize {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(scenarios.len()) {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let directory = output.join(scenario.name);
                    let result = boot(scenario, guests, &directory);
                    // Held while it prints, so that no two scenarios write between each other's lines.
                    let mut failed = failed.lock().expect("no worker panics while it prints");
                    if !report(scenario, result, &directory) {
                        *failed += 1;
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no worker panics while it prints")
}

/// Boots a scenario, and once more if it must come to the same the ordinary way.
fn boot(scenario: &Scenario, guests: &Kernels, directory: &Path) -> Result<Boot> {
    let boot = boot_once(scenario, scenario.append, guests, directory)?;
    if !scenario.both_ways || !scenario.expect.is_met_by(&boot.outcome) {
        return Ok(boot);
    }
    let append = format!("{} {}", scenario.append, both_ways::OFF);
    let again = boot_once(scenario, &append, guests, &directory.with_extension("ordinary"))?;
    ensure!(scenario.expect.is_met_by(&again.outcome), "the ordinary way: {}", again.outcome);
    ensure!(again.console.contains(both_ways::SAID), "the short paths were not switched off");
    let said = both_ways::compare(&boot.records, &again.records)?;
    println!("scenario {:<24} {said}", scenario.name);
    Ok(boot)
}

fn boot_once(scenario: &Scenario, append: &str, guests: &Kernels, directory: &Path) -> Result<Boot> {
    let mut modules = Vec::new();
    for module in &scenario.modules {
        let (name, arguments) = split(module);
        modules.push(Module {
            name: name.into(),
            path: guests.release.program(name)?,
            arguments: arguments.into(),
        });
    }
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let file = scenario.file.map(|bytes| run::write_made_file(scratch.path(), bytes)).transpose()?;
    if let Some(path) = &file {
        modules.push(Module { name: run::FILE_MODULE.into(), path: path.clone(), arguments: String::new() });
    }
    let machine = Machine {
        kernel: guests.kernel(scenario)?,
        modules,
        append: append.into(),
        cpu: scenario.cpu.into(),
        memory_mib: scenario.memory_mib,
        clock: Clock::Instructions,
        console: if scenario.typed.is_empty() { Console::Quiet } else { Console::Typed(scenario.typed) },
        time_limit: Some(scenario.time_limit),
        plugin: guests
            .plugin
            .clone()
            .filter(|_| !scenario.watch.is_empty())
            .map(|plugin| Plugin { arguments: scenario.watch.into(), ..plugin }),
    };
    let boot =
        machine.boot(directory, scenario.expect.closing_name()).context("the boot could not be made")?;
    for words in scenario.shows {
        ensure!(boot.console.contains(words), "the console does not show {words:?}");
    }
    if let Some(holds) = scenario.holds
        && scenario.expect.is_met_by(&boot.outcome)
    {
        holds(&boot)?;
    }
    if let Some(path) = &file {
        run::verdict(&boot, &run::digest_of(path)?).map_err(anyhow::Error::msg)?;
    }
    Ok(boot)
}

/// "PROGRAM ARGUMENTS" in two.
fn split(module: &str) -> (&str, &str) {
    module.split_once(' ').unwrap_or((module, ""))
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
