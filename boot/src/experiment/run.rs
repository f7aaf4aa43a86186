//! One boot of a plan: its machine, and its records.
//!
//! What must hold: a record is of the design that was booted; a boot of measurements gives records only if it passed. An
//! attack gives records however its machine ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use freehold_abi::designs::Design;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::image;
use super::plan::{Boot, Watch, Work};
use crate::args::{DEFAULT_CPU, DEFAULT_MEMORY, Profile};
use crate::attack::cell::{self, Cell};
use crate::attack::controls;
use crate::attack::row::Row;
use crate::bench::micro::counts;
use crate::bench::{latency, micro, program, transfer};
use crate::design::Variant;
use crate::guest::{self, Guests};
use crate::plugin;
use crate::qemu::{self, Clock, Console, Machine, Medium, Module, Plugin};
use crate::records::{self, Record};

/// Wall-clock time after which a boot of measurements counts as hung.
const TIME_LIMIT: Duration = Duration::from_secs(1800);

/// What the boots of a plan need.
pub enum Built {
    /// The programs, and the plugin if one is to be watched.
    Designs(Guests, Option<Plugin>),
    /// Another kernel.
    Image(PathBuf),
}

impl Built {
    /// Builds the programs of `boots`.
    ///
    /// # Errors
    /// Something does not build.
    pub fn of(boots: &[Boot]) -> Result<Built> {
        let any = |which: fn(&Work) -> bool| boots.iter().any(|boot| which(&boot.work));
        let mut packages = vec![guest::KERNEL.into()];
        if any(|work| matches!(work, Work::Bench { .. })) {
            packages.push(guest::package_of(guest::BENCH));
        }
        if any(|work| matches!(work, Work::Transfer { .. })) {
            packages.extend(guest::tour_packages());
            packages.push(guest::package_of(guest::REDIRECTOR));
        }
        if any(|work| matches!(work, Work::Attack { .. })) {
            packages.extend(cell::packages());
        }
        let watched = boots.iter().any(|boot| watch(&boot.work) != Watch::Nothing);
        let plugin = if watched { Some(plugin::build("")?) } else { None };
        Ok(Built::Designs(guest::build(&packages, Profile::Release)?, plugin))
    }

    /// SHA-256 over all that is booted, in hexadecimal.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn digest(&self) -> Result<String> {
        let mut digest = Sha256::new();
        let mut add = |name: &str, path: &Path| -> Result<()> {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            digest.update(name);
            digest.update(bytes.len().to_le_bytes());
            digest.update(bytes);
            Ok(())
        };
        match self {
            Built::Designs(guests, _) => guests.programs().try_for_each(|(name, path)| add(name, path))?,
            Built::Image(path) => add("image", path)?,
        }
        Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn guests(&self) -> Result<&Guests> {
        match self {
            Built::Designs(guests, _) => Ok(guests),
            Built::Image(_) => bail!("there are no programs beside an image"),
        }
    }

    fn plugin(&self, watch: Watch) -> Result<Option<Plugin>> {
        let arguments = match watch {
            Watch::Nothing => return Ok(None),
            Watch::Path => micro::WATCH,
            Watch::Latency => latency::WATCH,
        };
        let Built::Designs(_, Some(plugin)) = self else { bail!("the plugin has not been built") };
        Ok(Some(Plugin { arguments: arguments.into(), ..plugin.clone() }))
    }
}

fn watch(work: &Work) -> Watch {
    match work {
        Work::Bench { watch, .. } | Work::Attack { watch, .. } => *watch,
        Work::Transfer { .. } | Work::Control { .. } | Work::Image { .. } => Watch::Nothing,
    }
}

/// Boots it in `directory`; its records.
///
/// # Errors
/// It cannot be booted, or what it wrote is not as it must be.
pub fn boot(boot: &Boot, built: &Built, directory: &Path) -> Result<Vec<Record>> {
    match &boot.work {
        Work::Bench { design, only, watch } => {
            let words = format!("design={design} only={} seed={}", only.join(","), boot.seed);
            let modules = vec![built.guests()?.module(guest::BENCH)?];
            let plugin = built.plugin(*watch)?;
            let machine = machine(built.guests()?, modules, words, program::MEMORY_MIB, plugin)?;
            let booted = passed(&machine, directory)?;
            let mut records = of_design(&booted.records, design)?;
            match watch {
                Watch::Nothing => {}
                Watch::Path => add_counts(&mut records, &booted.seen)?,
                Watch::Latency => add_stretch(&mut records, &booted.seen)?,
            }
            Ok(records)
        }
        Work::Transfer { design, only, rounds } => {
            let redirects = design.design == Design::Redirector;
            let programs = guest::PROGRAMS.iter().copied().chain(redirects.then_some(guest::REDIRECTOR));
            let modules = programs.map(|program| built.guests()?.module(program));
            let words = format!("{} design={design}", transfer::append(*rounds, only));
            let modules = modules.collect::<Result<_>>()?;
            let machine = machine(built.guests()?, modules, words, DEFAULT_MEMORY, None)?;
            of_design(&passed(&machine, directory)?.records, design)
        }
        Work::Attack { design, attack, attackers, window, watch } => {
            let cell = Cell {
                attack: attack.clone(),
                variant: design.clone(),
                attackers: attackers.clone(),
                window: *window,
                seed: boot.seed,
            };
            let (booted, rows) = cell.boot(built.guests()?, built.plugin(*watch)?, directory)?;
            let mut records = rows.iter().map(Row::record).collect::<Vec<_>>();
            // A machine that went down has not let the plugin write.
            if *watch == Watch::Latency && booted.outcome.passed() {
                add_stretch(&mut records, &booted.seen)?;
            }
            Ok(records)
        }
        Work::Control { control } => {
            let outcomes = controls::run(std::slice::from_ref(control), boot.seed)?;
            let outcome = outcomes.into_iter().find(|outcome| outcome.control.name == *control);
            Ok(vec![outcome.context("it was not run")?.record()])
        }
        Work::Image { words, .. } => {
            let Built::Image(path) = built else { bail!("there is no image to boot") };
            image::records(&image::machine(path, words, boot.seed)?.boot(directory, None)?)
        }
    }
}

fn machine(
    guests: &Guests,
    modules: Vec<Module>,
    append: String,
    memory_mib: u32,
    plugin: Option<Plugin>,
) -> Result<Machine> {
    Ok(Machine {
        medium: Medium::Kernel,
        kernel: guests.program("kernel")?,
        modules,
        append,
        cpu: DEFAULT_CPU.into(),
        memory_mib,
        clock: Clock::Instructions,
        console: Console::Quiet,
        time_limit: Some(TIME_LIMIT),
        plugin,
    })
}

fn passed(machine: &Machine, directory: &Path) -> Result<qemu::Boot> {
    let boot = machine.boot(directory, None)?;
    if !boot.outcome.passed() {
        let last = boot.console.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        bail!("{} {} (its last line: {last})", boot.outcome, boot.qemu.trim());
    }
    Ok(boot)
}

/// The records of a boot under a design.
fn of_design(text: &str, design: &Variant) -> Result<Vec<Record>> {
    let records = records::parse(text)?;
    for record in &records {
        let Some(name) = record.get("bench") else { continue };
        let says = record.get("design").and_then(Value::as_str);
        ensure!(
            says == Some(design.name()),
            "the record of {name} is of the design {}",
            says.unwrap_or("(none)")
        );
    }
    ensure!(records.iter().any(|record| record.contains_key("bench")), "it measured nothing");
    Ok(records)
}

/// Adds to each record what the plugin saw of the section that took what the median says.
fn add_counts(records: &mut [Record], seen: &str) -> Result<()> {
    let counts = counts::by_name(records, seen)?;
    for record in records {
        let Some(counts) = record.get("bench").and_then(Value::as_str).and_then(|name| counts.get(name))
        else {
            continue;
        };
        let fields = [("crossings", counts.crossings), ("cr3", counts.cr3), ("invlpg", counts.invlpg)];
        record.extend(fields.map(|(field, count)| (field.into(), count.into())));
    }
    Ok(())
}

/// Adds the longest stretch with interrupts off to what was measured or attacked.
fn add_stretch(records: &mut [Record], seen: &str) -> Result<()> {
    let longest = latency::longest(seen)?;
    let says = |record: &&mut Record| record.contains_key("bench") || record.contains_key("attack");
    for record in records.iter_mut().filter(says) {
        record.insert("stretch".into(), longest.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "{\"bench\":\"map.1\",\"design\":\"user-tables\",\"median\":100,\"first\":101,\"switches\":1,\
                       \"section\":4,\"first_section\":3,\"own\":2}\n";
    const CLOSING: &str = "{\"closing\":\"bench\",\"checks\":1,\"failed\":0}\n";

    fn of(text: &str, design: Design) -> Result<Vec<Record>> {
        of_design(text, &Variant::of(design))
    }

    #[test]
    fn a_record_of_another_design_is_refused() {
        assert_eq!(of(&format!("{ROW}{CLOSING}"), Design::UserTables).expect("of it").len(), 2);
        let error = of(ROW, Design::CreditsOff).expect_err("of another").to_string();
        assert!(error.contains("of the design user-tables"), "{error}");
        assert!(of(CLOSING, Design::UserTables).expect_err("nothing").to_string().contains("nothing"));
    }

    #[test]
    fn what_the_plugin_saw_is_added_if_it_saw_the_same() {
        let section = |number: u32, instructions: u32| {
            format!(
                "{{\"section\":{number},\"instructions\":{instructions},\"kernel\":80,\"crossings\":2,\"cr3\":1,\
                 \"invlpg\":3,\"code_lines\":8,\"data_lines\":11}}\n"
            )
        };
        let seen = section(3, 103) + &section(4, 102);
        let mut records = of(&format!("{ROW}{CLOSING}"), Design::UserTables).expect("of it");
        add_counts(&mut records, &seen).expect("agreed");
        let field = |name: &str| records[0][name].as_u64().expect("a number");
        assert_eq!(["crossings", "cr3", "invlpg"].map(field), [2, 1, 3]);
        assert!(add_counts(&mut records, &seen.replace("102", "101")).is_err(), "it saw something else");
        let stretches = "{\"stretches\":2}\n{\"length\":70,\"first\":1,\"executed\":[]}\n\
                         {\"length\":300,\"first\":1,\"executed\":[]}\n";
        add_stretch(&mut records, stretches).expect("two");
        assert_eq!(records[0]["stretch"], 300);
        assert!(!records[1].contains_key("stretch"), "the closing record");
    }
}
