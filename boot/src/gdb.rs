//! `./x gdb`: the tour under the debugger, stopped before its first instruction.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::args::{GdbArgs, Profile};
use crate::guest;
use crate::install;
use crate::qemu::{CONSOLE_FILE, Console};
use crate::run;

/// `./x gdb`: QEMU waits at the reset vector with the tour loaded; gdb has the kernel's symbols and
/// stands at its entry. Ends QEMU when gdb ends, and hands on gdb's status.
///
/// # Errors
/// gdb or QEMU is missing and cannot be installed, or the guest code does not build.
pub fn session(args: &GdbArgs) -> Result<ExitCode> {
    let gdb = install::ensure_command("gdb", install::GDB)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = scratch.path().join("boot");
    let (mut machine, symbols) = match &args.kernel {
        Some(name) => {
            let guests = guest::build(&guest::packages_making(name), Profile::Release)?;
            let kernel = guests.program(name)?;
            (
                run::describe(kernel.clone(), Vec::new(), String::new(), Console::Quiet, &args.machine, None),
                kernel,
            )
        }
        None => {
            let guests = guest::build(&guest::tour_packages(), Profile::Release)?;
            let file = run::write_made_file(scratch.path(), run::DEFAULT_FILE)?;
            (run::tour_machine(&guests, &file, &args.machine, false)?, guests.program("kernel")?)
        }
    };
    machine.console = Console::Quiet;
    let further = ["-S".into(), "-gdb".into(), format!("tcp:127.0.0.1:{}", args.port)];
    let mut running = machine.start(&directory, &further, true)?;
    eprintln!("freehold: the guest's console is in {}", directory.join(CONSOLE_FILE).display());
    let status = debugger(gdb, symbols, args).status().context("cannot run gdb")?;
    running.end();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The debugger's command: connected, and run to the kernel's entry.
fn debugger(gdb: PathBuf, symbols: PathBuf, args: &GdbArgs) -> Command {
    let mut command = Command::new(gdb);
    command.arg("--quiet").arg(symbols);
    for line in [
        "set pagination off".into(),
        "set architecture i386".into(),
        format!("target remote 127.0.0.1:{}", args.port),
        // The entry is reached before paging is on, where no other symbol's address is valid.
        "tbreak _start".into(),
        "continue".into(),
    ] {
        command.args(["-ex", &line]);
    }
    command.args(&args.gdb);
    command
}
