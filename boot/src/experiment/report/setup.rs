//! On what was measured, and how.

use std::collections::BTreeSet;

use crate::args::DEFAULT_CPU;
use crate::experiment::data::Data;
use crate::experiment::number::{bytes, listed, number};
use crate::experiment::stats::Certainty;

/// The chapter.
pub fn setup(data: &Data) -> String {
    let setup = &data.setup;
    let one = |set: &BTreeSet<String>, what: &str| match set.len() {
        0 => format!("{what}: not said"),
        1 => format!("{what}: {}", listed(&set.iter().collect::<Vec<_>>())),
        _ => format!("{what}: **several**, {}", listed(&set.iter().collect::<Vec<_>>())),
    };
    let pools: BTreeSet<u64> = data.attacks.iter().filter_map(|attack| attack.pool).collect();
    let pools: Vec<String> = pools.into_iter().map(bytes).collect();
    let (mut exact, mut varies, mut once) = (0u32, 0u32, 0u32);
    for (_, row) in data.subjects.iter().flat_map(|subject| data.rows(subject)) {
        match row.summary().map(|summary| summary.certainty()) {
            Some(Certainty::Exact) => exact += 1,
            Some(Certainty::Varies) => varies += 1,
            Some(Certainty::Once) => once += 1,
            None => {}
        }
    }
    let count = |count: usize| number(count as f64);
    format!(
        "## Setup\n\n- {}\n- {}\n- {}\n- repetitions: {}; boots: {}\n- measured: {}\n- machine: one emulated {DEFAULT_CPU}; what each boot was \
         given is in plan.json\n- records: {}, of which {} are of attacks, {} of controls, and {} are not as they must be\n- pools that were used: {}\n- rows \
         in which all repetitions agree: {exact}; in which they do not: {varies}; with one repetition: {once}\n\n\
         **Method.** Every kernel runs on the emulator's instruction clock: a figure in instructions is a count, not a \
         time, and the same boot gives it again. Order and layout are drawn by the seed. Where repetitions differ, the \
         median is given with a bootstrap interval of 95 %, itself drawn with a fixed seed. An attack runs beside a victim \
         that has a higher priority: what it does to it goes through the kernel or a server, not through the scheduler. The \
         victim's work is compared with its work alone. A *control* is a build in which one defence is missing: an attack \
         that no design lets succeed must succeed there, or it shows nothing. The predictions are those of \
         docs/hypotheses.md, which was written before the first run and from which their limits are read.\n",
        one(&setup.commits, "commit"),
        one(&setup.emulators, "emulator (QEMU)"),
        one(&setup.seeds, "seed"),
        count(setup.repetitions.len()),
        count(setup.boots.len()),
        listed(&data.subjects),
        count(data.records.len()),
        count(data.attacks.len()),
        count(data.controls.len()),
        count(data.unknown),
        listed(&pools),
    )
}
