//! The server destroyed at every step of a session; a session that ends behind a request that the server has received
//! and not yet looked at; a server that is slow.

use freehold_protocol::answer::DONE;
use freehold_protocol::server::{DAWDLE, OK};
use freehold_protocol::transfer::{ABORTED, FILLED_TOO_OFTEN, NO_SERVER, TIME, TIME_PER_PAGE};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::transfer::cancel;
use freehold_rt::{Error, time};

use super::caller::{Caller, Outcome};
use super::ground::Ground;
use super::stage::{BYTES, LIMIT, PAGES, PRIORITY, SOON, Stage, piece, rest};
use super::strikes::{STEPS, Step, reach};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// Milliseconds by which the server is late.
const LATE: u32 = 60;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, 2, file_bytes()?))?;
    late(&stage, claims)?;
    slow(&stage, claims)?;
    stage.end()?;
    servers(services, &ground, claims)?;
    ground.end()
}

/// The server has received a request, and not yet looked at it, when its session ends and another one gets the
/// slice: it must not work on that one's memory.
fn late(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let caller = Caller::new(0, PRIORITY)?;
    let session = stage.open()?;
    let slice = session.number().unwrap_or(u32::MAX);
    stage.prepare()?;
    stage.troupe.server()?.obeys(DAWDLE, &[slice, LATE])?;
    caller.begin(&piece(&session, 0))?;
    time::sleep(LATE / 4);
    let fills = stage.troupe.slice(slice)?.fills;
    let waits = caller.so_far().is_none();
    cancel(stage.service.name())?;
    let released = stage.troupe.sessions()? == 0;
    claims.holds("a session ends behind a request that the server has not looked at", waits && released);
    let right = stage.serves(1)?;
    let shared = stage.troupe.slice(slice)?.fills > fills;
    claims.holds("another client's transfer in the same slice is right", right && shared);
    claims.equal("the first one's client learns of it", caller.outcome(SOON), Some(Err(Error::PeerGone)));
    session.close()?;
    caller.destroy()
}

/// The server takes longer for a request than its session's time.
fn slow(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let caller = Caller::new(0, PRIORITY)?;
    let (session, slice) = reach(stage, Step::Working, &caller)?;
    let longer = 2 * (TIME + TIME_PER_PAGE * PAGES);
    time::sleep(longer);
    let found = (stage.holds(slice)?, stage.troupe.sessions()?, caller.so_far());
    claims.equal(format_args!("after {longer} ms the server still works"), found, (true, 1, None));
    stage.let_go(slice)?;
    let found = (caller.outcome(SOON), stage.reply_is_right()?);
    claims.equal("the session was not ended by that", found, (Some(Ok((DONE, [OK, BYTES]))), true));
    session.close()?;
    caller.destroy()
}

/// The server is destroyed.
fn servers(services: &Services, ground: &Ground, claims: &mut Claims) -> Result<(), Failure> {
    for step in STEPS {
        let before = Frames::now();
        let found = destroy_server_at(services, ground, step)?;
        let aborted = |error: Error| Ok((ABORTED, [NO_SERVER, error as u32]));
        let expected = match step {
            // Its request for a page, or for an answer, ends with the server.
            Step::Filling | Step::Working => aborted(Error::PeerGone),
            // It finds the slice gone, whose pages have been filled as often as there are pages.
            Step::Reply => Ok((ABORTED, [FILLED_TOO_OFTEN, 0])),
            // It finds the slice gone, and nobody who could fill it.
            _ => aborted(Error::NoCapability),
        };
        claims.equal(format_args!("the server destroyed {step}"), found, (expected, true, 0));
        claims.equal("all frames are back", Frames::now(), before);
    }
    Ok(())
}

/// What the client learns, whether a real client learns of it as well, and how many sessions are left.
fn destroy_server_at(
    services: &Services,
    ground: &Ground,
    step: Step,
) -> Result<(Outcome, bool, u32), Failure> {
    let mut stage = Stage::start(services, ground, (1, 2, file_bytes()?))?;
    let caller = Caller::new(0, PRIORITY)?;
    let (session, _) = reach(&stage, step, &caller)?;
    stage.troupe.destroy_server()?;
    let next = match step {
        Step::Filling | Step::Working => None,
        Step::Request => Some(piece(&session, FRAME)),
        Step::Reply => Some(rest(&session, FRAME)),
        Step::Opened | Step::Complete => Some(piece(&session, 0)),
    };
    stage.prepare()?;
    if let Some(piece) = next {
        caller.begin(&piece)?;
    }
    let outcome = caller.outcome(LIMIT).ok_or(Failure::TooLate)?;
    let other = stage.learns_that_server_is_gone(1)?;
    session.close()?;
    caller.destroy()?;
    until(SOON, || Ok(stage.troupe.sessions()? == 0))?;
    let left = stage.troupe.sessions()?;
    stage.end()?;
    Ok((outcome, other, left))
}
