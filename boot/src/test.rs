//! `./x test`: the tests on the host, then one boot a scenario. The last line is the sum.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::args::TestArgs;
use crate::libtest::{self, Tally};
use crate::workspace::{self, Metadata};

/// The package whose tests boot machines.
const END_TO_END: &str = "freehold-tests";

/// `./x test`.
///
/// # Errors
/// cargo cannot be run.
pub fn all(args: &TestArgs) -> Result<ExitCode> {
    let mut total = Tally::default();
    for mut command in commands(&Metadata::read()?.host_packages, args) {
        total += run(&mut command)?;
    }
    if args.list {
        return Ok(exit(total.failed == 0));
    }
    if total.ignored > 0 {
        println!("{} ignored", total.ignored);
    }
    if total.passed + total.failed == 0 {
        println!("no test has a name that contains {}", args.names.join(" or "));
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(exit(total.failed == 0 && total.passed > 0))
}

fn exit(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The host's tests first: they are quick and say more precisely what is wrong.
fn commands(host_packages: &[String], args: &TestArgs) -> [Command; 2] {
    let (end_to_end, host): (Vec<_>, Vec<_>) = host_packages.iter().partition(|name| *name == END_TO_END);
    [host, end_to_end].map(|packages| {
        let mut command = workspace::host_cargo("test");
        command.arg("--no-fail-fast");
        if !args.names.is_empty() || args.list {
            command.arg("--quiet");
        }
        for package in packages {
            command.args(["--package", package]);
        }
        command.arg("--").args(&args.names);
        if args.list {
            command.arg("--list");
        }
        command
    })
}

/// Runs tests, showing what they write, and counts. A run that fails without a failed test (it does
/// not compile, a test binary was killed) counts as one failure.
fn run(command: &mut Command) -> Result<Tally> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the tests' output")?;
        let line = String::from_utf8_lossy(&line);
        let result = libtest::result_line(&line);
        // Most test binaries hold no test of a given name: they need not say so.
        let says_nothing = line.is_empty() || line == "running 0 tests" || result == Some(Tally::default());
        if !says_nothing {
            println!("{line}");
        }
        tally += result.unwrap_or_default();
    }
    let status = child.wait().context("cannot wait for cargo")?;
    if !status.success() && tally.failed == 0 {
        println!("the tests ended early, without a verdict ({status})");
        tally.failed = 1;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Tally {
        run(Command::new("sh").args(["-c", script])).expect("a shell")
    }

    const RESULT: &str = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'";

    #[test]
    fn results_are_added_up() {
        assert_eq!(
            shell(&format!("{RESULT}; echo other; {RESULT}")),
            Tally { passed: 4, ..Tally::default() }
        );
    }

    #[test]
    fn an_end_without_a_verdict_is_a_failure() {
        assert_eq!(shell(&format!("{RESULT}; exit 101")), Tally { passed: 2, failed: 1, ignored: 0 });
        assert_eq!(shell("kill -9 $$").failed, 1);
    }

    #[test]
    fn every_host_package_is_tested_once() {
        let packages = ["one".to_string(), END_TO_END.into(), "two".into()];
        let args = TestArgs { names: vec!["name".into()], list: false };
        let words = commands(&packages, &args).map(|command| {
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>()
        });
        for package in &packages {
            let times = words.iter().flatten().filter(|word| *word == package).count();
            assert_eq!(times, 1, "{package}");
        }
        assert!(words.iter().all(|words| words.ends_with(&["--".into(), "name".into()])));
    }
}
