//! A cell measured: once to warm up, then so many rounds; or one round, watched.

use alloc::vec::Vec;

use freehold_protocol::caller::Measured;
use freehold_rt::buffer::Failure;
use freehold_rt::trace;

use crate::cell::{Cell, Moment, Outcome, Stage};

/// Rounds at most.
const ROUNDS_MAX: u32 = 10_000;

/// Carries the cell out `rounds` times.
///
/// # Errors
/// [`Failure`] of the first call that failed.
pub fn run(stage: &mut Stage, cell: Cell, rounds: u32) -> Result<Measured, Failure> {
    let rounds = rounds.clamp(1, ROUNDS_MAX);
    let mut last = stage.carry_out(cell, 0, |_| {})?;
    let mut wrong = 0;
    let mut samples = Vec::with_capacity(rounds as usize);
    for round in 1..=rounds {
        last = stage.carry_out(cell, round, |_| {})?;
        samples.push(u32::try_from(last.taken.cycles).unwrap_or(u32::MAX));
        wrong += u32::from(!last.right);
    }
    Ok(measured(samples, &last, wrong))
}

/// Makes an empty call by registers, `rounds` times and once to warm up.
///
/// # Errors
/// As [`run`].
pub fn null(stage: &mut Stage, rounds: u32) -> Result<Measured, Failure> {
    let mut last = stage.call_nothing()?;
    let mut samples = Vec::new();
    for _ in 0..rounds.clamp(1, ROUNDS_MAX) {
        last = stage.call_nothing()?;
        samples.push(u32::try_from(last.taken.cycles).unwrap_or(u32::MAX));
    }
    Ok(measured(samples, &last, 0))
}

/// Carries it out once while caller and server note what happens.
///
/// # Errors
/// As [`run`].
pub fn watched(stage: &mut Stage, cell: Cell) -> Result<Measured, Failure> {
    // Whether it is possible is seen when it counts.
    let _ = stage.carry_out(cell, 0, |_| {});
    let server = stage.server;
    let watch = |on| {
        // A server that cannot be watched is missing from the story; that is what there is to say about it.
        let _ = server.watch(on);
    };
    let last = stage.carry_out(cell, 1, |moment| match moment {
        Moment::Prepared => trace::watch(true),
        Moment::Begins => watch(true),
        Moment::Ended => {
            watch(false);
            trace::watch(false);
        }
    })?;
    let samples = Vec::from([u32::try_from(last.taken.cycles).unwrap_or(u32::MAX)]);
    Ok(measured(samples, &last, u32::from(!last.right)))
}

fn measured(mut samples: Vec<u32>, last: &Outcome, wrong: u32) -> Measured {
    samples.sort_unstable();
    let count = samples.len();
    let at = |index: usize| samples.get(index).copied().unwrap_or(0);
    Measured {
        rounds: count as u32,
        min: at(0),
        median: at(count / 2),
        p99: at(count * 99 / 100),
        max: at(count.saturating_sub(1)),
        bytes: last.bytes,
        messages: last.done.messages,
        switches: last.taken.switches,
        client_faults: last.taken.faults,
        server_faults: last.counts.faults,
        client_pages: last.taken.pages,
        server_pages: last.counts.pages,
        retries: last.done.retries,
        work: last.counts.work,
        wrong,
    }
}
