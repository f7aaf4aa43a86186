//! Tables: on the terminal, and in docs/latency.md.

use anyhow::{Result, bail, ensure};

use super::LIMIT;
use super::file::Results;
use super::seen::Stretch;
use crate::bench::machine::Machine;
use crate::bench::text::{grouped, table};

/// The document, below the workspace.
pub const DOCUMENT: &str = "docs/latency.md";
/// The longest kinds that are shown.
const KINDS: usize = 24;

/// A generated part of the document.
pub fn part(name: &str, machine: &Machine, results: &Results) -> Option<String> {
    match name {
        "machine" => Some(format!(
            "QEMU {}, instruction clock; {} build by rustc {}; design {}.",
            machine.qemu, machine.profile, machine.rustc, machine.design
        )),
        "verdict" => Some(match verdict(results) {
            Ok(()) => format!("**{} At most {} are allowed.**", sentence(results), grouped(LIMIT)),
            Err(error) => format!("**{error}.**"),
        }),
        "kinds" => Some(kinds(results)),
        "scenarios" => Some(scenarios(results)),
        _ => None,
    }
}

/// Everything, for the terminal.
pub fn tables(results: &Results) -> String {
    format!("{}\n{}\n{}\n", scenarios(results), kinds(results), sentence(results))
}

/// Whether no stretch is too long.
///
/// # Errors
/// One is; or there is none.
pub fn verdict(results: &Results) -> Result<()> {
    let Some((scenario, longest)) = results.longest() else { bail!("nothing was measured") };
    ensure!(
        longest.length <= LIMIT,
        "{scenario}: interrupts are off for {} instructions ({}); at most {} are allowed",
        grouped(longest.length),
        longest.kind(),
        grouped(LIMIT)
    );
    Ok(())
}

fn sentence(results: &Results) -> String {
    let Some((scenario, longest)) = results.longest() else { return String::new() };
    format!(
        "The longest stretch with interrupts off has {} instructions: {}, from {} on, in {scenario}.",
        grouped(longest.length),
        longest.kind(),
        longest.from
    )
}

fn scenarios(results: &Results) -> String {
    let rows = results.scenarios.iter().map(|(name, found)| {
        let longest = &found.longest;
        vec![name.clone(), grouped(found.count), grouped(longest.length), within(longest)]
    });
    table(&["scenario", "stretches", "longest", "what it was"], rows)
}

fn kinds(results: &Results) -> String {
    let rows = results.kinds.iter().take(KINDS).map(|(scenario, stretch)| {
        vec![scenario.clone(), grouped(stretch.length), stretch.from.clone(), within(stretch)]
    });
    table(&["in", "instructions", "from", "what it was"], rows)
}

fn within(stretch: &Stretch) -> String {
    let functions =
        stretch.within.iter().map(|(function, times)| format!("`{function}` {}", grouped(*times)));
    functions.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::seen::Seen;
    use super::*;

    fn results(length: u64) -> Results {
        let longest = Stretch { length, from: "a call".into(), within: vec![("mem::memset".into(), length)] };
        let mut results = Results::default();
        results.add("tour", Seen { count: 1, stretches: vec![longest] });
        results
    }

    #[test]
    fn the_verdict_is_about_the_limit() {
        assert!(verdict(&results(LIMIT)).is_ok());
        let error = verdict(&results(LIMIT + 1)).expect_err("one more").to_string();
        assert!(error.contains("tour") && error.contains("5,001") && error.contains("memset"), "{error}");
        assert!(verdict(&Results::default()).is_err());
    }
}
