//! Boots of the program `bench`.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::args::{BenchArgs, MachineArgs};
use crate::bench::ensure_passed;
use crate::guest::{self, Guests};
use crate::qemu::{Boot, Console, Machine, Plugin};
use crate::run;

/// MiB of memory: ten thousand threads, a thousand spaces, a thousand Tables in three of them, a quarter of a million
/// mappings, a pool.
pub const MEMORY_MIB: u32 = 256;
/// Wall-clock time after which a boot counts as hung.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// The kernel and the programs that are booted.
///
/// # Errors
/// They do not build.
pub fn build(args: &BenchArgs) -> Result<Guests> {
    guest::build(&[guest::KERNEL.into(), guest::package_of(guest::BENCH)], args.build.profile)
}

/// Boots it with these words on the kernel's command line, of which `only=` takes the rows that are named (none: all);
/// `closing` is the name in its closing record.
///
/// # Errors
/// QEMU cannot be started, or the boot fails.
pub fn boot(
    args: &BenchArgs,
    guests: &Guests,
    (words, only): (&str, &[&str]),
    closing: &str,
    plugin: Option<Plugin>,
) -> Result<Boot> {
    let append = match only {
        [] => words.into(),
        only => format!("{words} only={}", only.join(",")).trim_start().into(),
    };
    let machine = MachineArgs { memory: args.machine.memory.max(MEMORY_MIB), ..args.machine.clone() };
    let (kernel, modules) = (guests.program("kernel")?, vec![guests.module(guest::BENCH)?]);
    let machine = run::describe(kernel, modules, append, Console::Quiet, &machine, Some(TIME_LIMIT));
    let machine = Machine { plugin, ..machine };
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let boot = machine.boot(&scratch.path().join("boot"), Some(closing))?;
    ensure_passed(&boot, closing)?;
    Ok(boot)
}
