//! The suite of end-to-end tests: its scenarios, and booting one.
//!
//! `tests/e2e` runs them and says which hold; `./x bench latency` boots them to look at the kernel meanwhile.

pub mod scenario;
pub mod scenarios;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::args::Profile;
use crate::guest::{self, Guests};
use crate::install;
use crate::plugin;
use crate::qemu::{self, Boot, Clock, Console, Machine, Medium, Module, Plugin};
use crate::run;
use scenario::Scenario;

/// The word on the kernel's command line that switches the short paths off.
const ORDINARY: &str = "fastpath=off";

/// What was built: everything optimised, the kernel with debug assertions or without the designs if a scenario wants it,
/// and the emulator's plugin if one is to be watched.
pub struct Built {
    release: Guests,
    debug: Option<Guests>,
    bare: Option<PathBuf>,
    plugin: Option<Plugin>,
}

impl Built {
    /// Builds what `scenarios` need; with `watched`, the plugin in any case.
    ///
    /// # Errors
    /// The guest code or the plugin does not build, or QEMU is missing.
    pub fn of(scenarios: &[Scenario], watched: bool) -> Result<Built> {
        install::ensure_command(qemu::PROGRAM, install::QEMU)?;
        let any = |which: fn(&Scenario) -> bool| scenarios.iter().any(which);
        Ok(Built {
            bare: match any(|scenario| scenario.bare_too.is_some()) {
                true => Some(guest::build_bare_kernel()?),
                false => None,
            },
            release: guest::build(&packages(scenarios), Profile::Release)?,
            debug: match any(|scenario| scenario.debug_kernel) {
                true => Some(guest::build(&[guest::KERNEL.into()], Profile::Dev)?),
                false => None,
            },
            plugin: match watched || any(|scenario| !scenario.watch.is_empty()) {
                true => Some(plugin::build("")?),
                false => None,
            },
        })
    }

    /// The kernel of a scenario.
    ///
    /// # Errors
    /// It was not built.
    pub fn kernel(&self, scenario: &Scenario) -> Result<PathBuf> {
        if scenario.bare {
            return self.bare.clone().context("the kernel without the designs was not built");
        }
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

/// Boots a scenario in `directory`, watched as it says, or instead as `watch` does; and checks what must hold beside
/// how the boot must end.
///
/// # Errors
/// The boot cannot be made; or what must hold does not.
pub fn boot(scenario: &Scenario, built: &Built, watch: Option<&str>, directory: &Path) -> Result<Boot> {
    let mut modules = Vec::new();
    for module in &scenario.modules {
        let (name, arguments) = split(module);
        modules.push(Module {
            name: name.into(),
            path: built.release.program(name)?,
            arguments: arguments.into(),
        });
    }
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let file = scenario.file.map(|bytes| run::write_made_file(scratch.path(), bytes)).transpose()?;
    if let Some(path) = &file {
        modules.push(Module { name: run::FILE_MODULE.into(), path: path.clone(), arguments: String::new() });
    }
    let arguments = watch.unwrap_or(scenario.watch);
    let plugin = built.plugin.clone().filter(|_| !arguments.is_empty());
    let ordinary = if scenario.ordinary { ORDINARY } else { "" };
    let machine = Machine {
        medium: Medium::Kernel,
        kernel: built.kernel(scenario)?,
        modules,
        append: format!("{} {ordinary}", scenario.append).trim().into(),
        cpu: scenario.cpu.into(),
        memory_mib: scenario.memory_mib,
        clock: Clock::Instructions,
        console: if scenario.typed.is_empty() { Console::Quiet } else { Console::Typed(scenario.typed) },
        // To look at every instruction takes several times as long.
        time_limit: Some(scenario.time_limit * if watch.is_some() { 5 } else { 1 }),
        plugin: plugin.map(|plugin| Plugin { arguments: arguments.into(), ..plugin }),
    };
    let boot =
        machine.boot(directory, scenario.expect.closing_name()).context("the boot could not be made")?;
    for words in scenario.shows {
        ensure!(boot.console.contains(words), "the console does not show {words:?}");
    }
    if let Some(holds) = scenario.holds
        && watch.is_none()
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
