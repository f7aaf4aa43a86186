//! Several clients at once, and of different priorities: a worker runs at its client's, whatever the client says
//! of that, and below the server. So neither another client's transfer nor the server's other work takes longer
//! because of one of low priority.

use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::client::{CLOSE, OUTCOME, TRANSFER};
use freehold_protocol::server::OK;
use freehold_protocol::transfer::CEILING_SHIFT;
use freehold_protocol::victim::{MEASURE, Measured, RESULT};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options};
use freehold_rt::transfer::Session;
use freehold_rt::{Utcb, records, serde_json, time};

use super::caller::Caller;
use super::ground::Ground;
use super::looper::{Habit, Looper, end_all};
use super::stage::{BYTES, LIMIT, PAGES, PLAYED, PRIORITY, Stage, piece};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::{Carried, file_bytes};
use crate::tour::troupe::until;

/// Real clients.
const CLIENTS: u32 = 4;
/// Slices: one for each of them, and for one of low priority.
const SLICES: u32 = 5;
/// A low priority.
const LOW: u8 = 3;
/// Of the server's thread for requests.
const SERVER: u8 = 9;
/// Calls that are measured.
const CALLS: u32 = 2_000;
/// By how much something may take longer beside a client of low priority: in per cent, and in cycles: the
/// service's look at its sessions can fall into it, and one page or one request of that client's, which the
/// server has begun to deal with.
const PERCENT: u64 = 1;
const SLACK_CYCLES: u64 = 60_000;
/// Milliseconds in which a transfer is over, if its worker runs at all.
const SHORT: u32 = 20;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let bytes = file_bytes()?;
    let stage = Stage::start(services, &ground, (CLIENTS, SLICES, bytes))?;
    at_once(&stage, claims, bytes)?;
    beside_low(&stage, claims, bytes)?;
    ceilings(&stage, claims)?;
    stage.end()?;
    ground.end()
}

/// All clients transfer at the same time.
fn at_once(stage: &Stage<'_>, claims: &mut Claims, bytes: u32) -> Result<(), Failure> {
    let mut slices = Vec::new();
    for client in 1..=CLIENTS {
        stage.troupe.set_source(client, bytes)?;
        slices.push(stage.troupe.open(client, bytes)?);
    }
    for client in 1..=CLIENTS {
        stage.troupe.client(client)?.tell(TRANSFER, &[bytes])?;
    }
    let sessions = stage.troupe.sessions()?;
    claims.equal("so many sessions at once", sessions, CLIENTS);
    let mut right = 0;
    for client in 1..=CLIENTS {
        let answer = stage.troupe.client(client)?.order(OUTCOME, &[])?;
        right += u32::from(stage.is_right(&answer));
        stage.troupe.client(client)?.obeys(CLOSE, &[])?;
    }
    claims.equal("and so many right answers", right, CLIENTS);
    let mut numbers: Vec<u32> = slices.iter().map(|(slice, _)| *slice).collect();
    numbers.sort_unstable();
    numbers.dedup();
    claims.equal("each had a slice of its own", numbers.len(), CLIENTS as usize);
    Ok(())
}

/// A client of low priority transfers all the time: another's transfer and the server's other work take what they
/// take without it.
fn beside_low(stage: &Stage<'_>, claims: &mut Claims, bytes: u32) -> Result<(), Failure> {
    let work = || -> Result<Measured, Failure> {
        let client = stage.troupe.client(2)?;
        client.obeys(MEASURE, &[CALLS])?;
        Ok(Measured::from_words(client.obeys(RESULT, &[])?.words()))
    };
    stage.serves(1)?;
    work()?;
    let alone = (Carried::of(&stage.troupe, 1, bytes)?.cycles, work()?);
    let low = Looper::start(stage, 0, Habit::Transfers, LOW)?;
    until(LIMIT, || Ok(low.did().transfers > 10))?;
    let before = low.did().transfers;
    let beside = (Carried::of(&stage.troupe, 1, bytes)?.cycles, work()?);
    time::sleep(5);
    let after = low.did().transfers;
    let [did, ..] = end_all([low])?;
    claims.holds("a client of low priority transfers, before and after", before > 10 && after > before);
    claims.equal("none of its transfers failed", (did.failed, did.refused), (0, 0));
    let both = (alone.0, beside.0);
    claims.no_slower("another client's transfer, alone and beside it", both, PERCENT, SLACK_CYCLES);
    for (what, both) in [
        ("median", (alone.1.median, beside.1.median)),
        ("longest but one of a hundred", (alone.1.p99, beside.1.p99)),
    ] {
        let both = (both.0.into(), both.1.into());
        claims.no_slower(format_args!("the server's other work, {what} of {CALLS}"), both, PERCENT, 0);
    }
    Ok(records::write(&serde_json::json!({
        "service": "priority",
        "transfer_alone_cycles": alone.0,
        "transfer_beside_cycles": beside.0,
        "call_alone": [alone.1.min, alone.1.median, alone.1.p99, alone.1.max],
        "call_beside": [beside.1.min, beside.1.median, beside.1.p99, beside.1.max],
        "low_transfers": did.transfers,
    }))?)
}

/// What a client says of its worker's priority, and what it gets: no more than its capability to the service says,
/// and no more than the server says.
fn ceilings(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let limited = stage.troupe.way(PLAYED | (1 + u32::from(LOW)) << CEILING_SHIFT)?;
    let cases = [
        ("its worker runs beside a thread of 7", &stage.service, PRIORITY - 1, true),
        ("its worker does not run beside one of the server's priority", &stage.service, SERVER, false),
        ("given a ceiling of 3, its worker runs beside one of 2", &limited, LOW - 1, true),
        ("and does not beside one of 4", &limited, LOW + 1, false),
    ];
    for (what, service, busy, runs) in cases {
        let found = runs_above(stage, service, busy)?;
        claims.equal(format_args!("a client asks for priority 31: {what}"), found, (runs, true));
    }
    Ok(())
}

/// Whether a worker for which priority 31 is asked runs while a thread of priority `busy` computes; and whether its
/// transfer is complete afterwards.
fn runs_above(stage: &Stage<'_>, service: &Slot, busy: u8) -> Result<(bool, bool), Failure> {
    let limits = (LIMIT, LIMIT);
    let session = Utcb::current()
        .within(limits, || Session::open(service.name(), PAGES * FRAME, 31))
        .map_err(Failure::Transfer)?;
    stage.prepare()?;
    let caller = Caller::new(0, busy + 1)?;
    let computing = thread::spawn(
        |_| loop {
            core::hint::spin_loop()
        },
        0,
        Options::new(busy),
    )?;
    caller.begin(&piece(&session, 0))?;
    let first = caller.outcome(SHORT);
    computing.destroy()?;
    let outcome = first.or_else(|| caller.outcome(LIMIT));
    caller.destroy()?;
    session.close()?;
    Ok((first.is_some(), outcome == Some(Ok((DONE, [OK, BYTES])))))
}
