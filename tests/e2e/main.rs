//! End-to-end tests: every scenario boots a machine of its own.
//!
//! `./x test` runs them after the host's tests; `./x test NAME` runs those whose name contains NAME.
//! What is tested is a row in [`scenarios`] (`boot/src/suite`); [`runner`] boots the rows, two at a time, and compares
//! how each ended with how it must end. The result is one line a scenario and a last line in the
//! form of Rust's own test runner.
//!
//! No scenario asserts a time. The limit after which a boot counts as hung is many times what it
//! takes, for slow machines.

mod both_ways;
mod controls;
mod runner;

use std::process::ExitCode;

use clap::Parser;
use freehold_boot::suite::scenarios;

/// The arguments that `cargo test … -- ARGUMENTS` passes on.
#[derive(Debug, Parser)]
struct Args {
    /// Only the scenarios whose name contains one of these
    names: Vec<String>,
    /// List the scenarios instead of running them
    #[arg(long)]
    list: bool,
    /// Accepted because cargo passes it on; there is nothing to leave out
    #[arg(long, hide = true)]
    quiet: bool,
    /// How many machines run at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let chosen: Vec<_> = scenarios::all()
        .into_iter()
        .filter(|scenario| {
            args.names.is_empty() || args.names.iter().any(|name| scenario.name.contains(name.as_str()))
        })
        .collect();
    let controls =
        args.names.is_empty() || args.names.iter().any(|name| controls::NAME.contains(name.as_str()));
    if args.list {
        for name in chosen.iter().map(|scenario| scenario.name).chain(controls.then_some(controls::NAME)) {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    match runner::run(&chosen, args.jobs.into()) {
        Ok(failed) if controls => exit(failed + controls::run()),
        Ok(failed) => exit(failed),
        Err(error) => {
            eprintln!("freehold: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn exit(failed: usize) -> ExitCode {
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
