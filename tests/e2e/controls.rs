//! Three attacks upon kernels without the defence against them: they succeed, or all that `./x attack` finds to hold shows
//! nothing. `./x attack --controls` has all of them.

use std::time::Instant;

use anyhow::{Result, ensure};
use freehold_boot::attack::{self, controls};

/// What `./x test NAME` looks for.
pub const NAME: &str = "controls";
/// Those that need no other kernel than one with a line less.
const CHOSEN: [&str; 3] = ["flag-update", "table-alias", "type-race"];

/// Builds and boots them. Returns how many failed.
pub fn run() -> usize {
    println!("\nrunning {} controls: a kernel without one defence each", CHOSEN.len());
    let started = Instant::now();
    let result = all_succeed();
    let (failed, verdict) = if result.is_ok() { (0, "ok") } else { (1, "FAILED") };
    if let Err(error) = result {
        println!("scenario {NAME:<24} FAILED          {error:#}");
    }
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s\n",
        1 - failed,
        started.elapsed().as_secs_f64()
    );
    failed
}

fn all_succeed() -> Result<()> {
    let outcomes = controls::run(&CHOSEN.map(String::from), attack::SEED)?;
    ensure!(outcomes.len() == CHOSEN.len(), "{} controls of {}", outcomes.len(), CHOSEN.len());
    for outcome in outcomes {
        let (name, row) = (&outcome.control.name, &outcome.row);
        ensure!(outcome.succeeded, "{name} does not succeed without its defence: {row}, {}", row.detail);
    }
    Ok(())
}
