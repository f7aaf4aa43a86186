//! A client that stalls: in the middle of a transfer it lets a page fault go unanswered for ever. Another
//! client is served as if it were alone; the stalled session ends by its budget and returns all it held.

use freehold_protocol::answer::FAILED;
use freehold_protocol::client::{CLOSE, OUTCOME, PING, TRANSFER};
use freehold_protocol::pager::{QUIET, SPEAK};
use freehold_protocol::server;
use freehold_protocol::transfer::{TIME, TIME_PER_PAGE};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::{Error, println, records, serde_json, time};

use super::carried::{Carried, digest, file_bytes};
use super::troupe::{Size, SliceState, Troupe, until};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;

/// The client that stalls, and the other one.
const STALLED: u32 = 1;
const OTHER: u32 = 2;
/// Pages that the stalled client sends before, at most.
const PAGES_MAX: u32 = 64;
/// Milliseconds that it may take until the client stalls.
const LIMIT: u32 = 2_000;
/// Milliseconds after its time at which the session must have ended.
const LATE: u32 = 500;
/// By how much the other client's transfer may take longer. A short one can meet the transfer service's
/// look at its sessions, which it takes now and then, or not.
const PERCENT: u64 = 1;
const SLACK_CYCLES: u64 = 20_000;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let bytes = file_bytes()?;
    let pages = bytes.div_ceil(FRAME);
    if pages == 0 {
        println!("  the file has no page to stall at");
        return Ok(());
    }
    let stalls_at = (pages / 2).min(PAGES_MAX);
    let right = digest(bytes)?;
    // Each slice may hold its share of them.
    let size = Size { clients: 2, slices: 2, bytes, frames: 2 * pages };
    let troupe = Troupe::start(services, size)?;
    let alone = Carried::of(&troupe, OTHER, bytes)?;

    // The stalled client.
    troupe.set_source(STALLED, bytes)?;
    troupe.pager().obeys(QUIET, &[STALLED, stalls_at])?;
    let (slice, worker) = troupe.open(STALLED, bytes)?;
    let untouched = troupe.slice(slice)?;
    let begin = time::ticks();
    let stalled = troupe.client(STALLED)?;
    stalled.tell(TRANSFER, &[bytes])?;
    until(LIMIT, || Ok(troupe.faults(STALLED)?.1))?;
    let what = format_args!("client {STALLED} waits for its page {stalls_at} for ever");
    claims.equal(what, troupe.faults(STALLED)?, (stalls_at, true));
    let held = SliceState { fills: untouched.fills + stalls_at, frames: stalls_at, held: false };
    claims.equal("its slice holds what came before", troupe.slice(slice)?, held);

    // Everybody else.
    let other = troupe.client(OTHER)?;
    let completed = other.obeys(PING, &[])?.word(0);
    claims.equal("meanwhile the server answers a call", completed, 1);
    let beside = Carried::of(&troupe, OTHER, bytes)?;
    println!("  client {OTHER}, meanwhile:");
    beside.claim(claims, &right);
    let both = (alone.cycles, beside.cycles);
    claims.no_slower("its time without the stalled client, and with it", both, PERCENT, SLACK_CYCLES);
    let still = (troupe.sessions()?, troupe.slice(slice)?, troupe.faults(STALLED)?.1);
    claims.equal(format_args!("all the while client {STALLED} stalls"), still, (1, held, true));

    // The end of the stalled session.
    let budget = TIME + TIME_PER_PAGE * pages;
    until(budget + LATE, || Ok(troupe.sessions()? == 0))?;
    let lasted = time::ticks().wrapping_sub(begin);
    let what = format_args!("its session ends by its budget: {budget} ms, after {lasted}");
    claims.holds(what, troupe.sessions()? == 0 && (budget..budget + LATE).contains(&lasted));
    claims.equal("its slice holds nothing", troupe.slice(slice)?.frames, 0);
    troupe.pager().obeys(SPEAK, &[STALLED])?;
    let outcome = stalled.order(OUTCOME, &[])?;
    let found = (outcome.label(), Error::from_status(outcome.word(0)));
    claims.equal("given its page, its next piece fails", found, (FAILED, Some(Error::NoCapability)));
    drop(worker);
    stalled.obeys(CLOSE, &[])?;
    let again = Carried::of(&troupe, STALLED, bytes)?;
    println!("  client {STALLED}, anew:");
    again.claim(claims, &right);

    silent_server(&troupe, claims, bytes, stalls_at)?;
    records::write(&serde_json::json!({
        "tour": "stall",
        "bytes": bytes,
        "stalled_at_page": stalls_at,
        "budget_ms": budget,
        "ended_after_ms": lasted,
        "frames_held": held.frames,
        "frames_held_after": troupe.slice(slice)?.frames,
        "other_alone_cycles": alone.cycles,
        "other_meanwhile_cycles": beside.cycles,
    }))?;
    claims.succeeds("all frames of the programs come back", troupe.destroy());
    Ok(())
}

/// The other way round: the server never fills a page. The client, which waits for its worker, is told when
/// the session's time is over.
fn silent_server(troupe: &Troupe, claims: &mut Claims, bytes: u32, page: u32) -> Result<(), Failure> {
    troupe.set_source(OTHER, bytes)?;
    let (slice, worker) = troupe.open(OTHER, bytes)?;
    troupe.paging(server::QUIET, &[slice, page])?;
    let client = troupe.client(OTHER)?;
    client.tell(TRANSFER, &[bytes])?;
    until(LIMIT, || Ok(troupe.slice(slice)?.held))?;
    let held = (troupe.slice(slice)?.held, troupe.slice(slice)?.frames);
    claims.equal(format_args!("the server never fills page {page} of a slice"), held, (true, page));
    let outcome = client.order(OUTCOME, &[])?;
    let found = (outcome.label(), Error::from_status(outcome.word(0)));
    claims.equal("in the end its client learns PeerGone", found, (FAILED, Some(Error::PeerGone)));
    until(LATE, || Ok(troupe.sessions()? == 0))?;
    let left = (troupe.sessions()?, troupe.slice(slice)?.frames);
    claims.equal("and nothing is left of the session", left, (0, 0));
    drop(worker);
    client.obeys(CLOSE, &[])?;
    Ok(())
}
