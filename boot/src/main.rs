//! The program behind `./x`: reads the arguments, carries out one command.

use std::process::ExitCode;

use clap::Parser;
use freehold_boot::args::{Cli, Command};
use freehold_boot::{attack, bench, check, experiment, gdb, guest, run, test};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::tour(&args),
        Command::Test(args) => test::all(&args),
        Command::Bench(args) => bench::all(&args),
        Command::Attack(args) => attack::all(&args),
        Command::Experiment(args) => experiment::command::all(&args),
        Command::Check => check::all(),
        Command::Gdb(args) => gdb::session(&args),
        Command::Build(args) => guest::build_command(&args),
        Command::Boot(args) => run::boot(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("freehold: {error:#}");
            ExitCode::FAILURE
        }
    }
}
