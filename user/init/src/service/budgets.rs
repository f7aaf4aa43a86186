//! What the server may take: the time for a request that does not count as its session's, and the time for an answer
//! to RELEASE. When either is over the service goes on without it, and others are served.

use freehold_protocol::server::{HUSH, SPEAK};
use freehold_protocol::transfer::{PERIOD, RELEASE_LIMIT, SERVER_TIME, TIME, TIME_PER_PAGE};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::transfer::Session;
use freehold_rt::{Error, Utcb, time};

use super::caller::Caller;
use super::ground::Ground;
use super::stage::{LIMIT, PAGES, PLAYED, PRIORITY, SOON, Stage};
use super::strikes::{Step, reach};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// Slices: two about which the server's pager says nothing, and one for a real client.
const SLICES: u32 = 3;
/// Calls to the service while it gets no answer.
const CALLS: u32 = 8;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, SLICES, file_bytes()?))?;
    stage.serves(1)?;
    works_for_ever(&stage, claims)?;
    silent(&stage, claims)?;
    stage.end()?;
    ground.end()
}

/// The server never answers a request. Its time does not count as the session's, all of it; then the session ends.
fn works_for_ever(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let caller = Caller::new(0, PRIORITY)?;
    let begin = time::ticks();
    let (session, slice) = reach(stage, Step::Working, &caller)?;
    // Questions put the manager's looks off, to every second question. That makes nobody's time shorter.
    while time::ticks().wrapping_sub(begin) < SERVER_TIME {
        stage.troupe.sessions()?;
        time::sleep(PERIOD * 3 / 4);
    }
    let found = (stage.holds(slice)?, stage.troupe.sessions()?, caller.so_far());
    claims.equal(format_args!("after {SERVER_TIME} ms the server still works"), found, (true, 1, None));
    let rest = TIME + TIME_PER_PAGE * PAGES + 3 * PERIOD;
    let outcome = caller.outcome(rest);
    let lasted = time::ticks().wrapping_sub(begin);
    let what =
        format_args!("after {lasted} ms, {rest} more at most, its client learns that the session is over");
    claims.equal(what, outcome, Some(Err(Error::PeerGone)));
    let kept = stage.troupe.sessions()? == 1 && stage.troupe.slice(slice)?.frames != 0;
    claims.holds("the slice is the server's as long as it works there", kept);
    claims.holds("another client is served meanwhile", stage.server_answers()? && stage.serves(1)?);
    stage.let_go(slice)?;
    claims.holds("and then it is free", stage.is_cleared(slice)?);
    session.close()?;
    caller.destroy()?;
    claims.holds("and serves again", stage.plays_well()?);
    Ok(())
}

/// The server's pager does not answer RELEASE. The manager waits for it a stated time, once a look, however many
/// slices there are to ask for.
fn silent(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let other = stage.troupe.way(PLAYED + 1)?;
    let first = stage.open()?;
    let second = Utcb::current()
        .within((LIMIT, LIMIT), || Session::open(other.name(), PAGES * FRAME, PRIORITY))
        .map_err(Failure::Transfer)?;
    let slices = [&first, &second].map(|session| session.number().unwrap_or(u32::MAX));
    for slice in slices {
        stage.troupe.paging(HUSH, &[slice])?;
    }
    let begin = time::ticks();
    first.close()?;
    second.close()?;
    let lasted = time::ticks().wrapping_sub(begin);
    // For each: a look under way, its own question, the look that is due by then.
    let most = 2 * 3 * RELEASE_LIMIT + PERIOD;
    claims.holds(format_args!("two sessions are closed in {lasted} ms, at most {most}"), lasted <= most);
    let asked = || -> Result<[u32; 2], Failure> {
        let [first, second] = slices.map(|slice| stage.troupe.releases(slice));
        Ok([first?, second?])
    };

    let (before, begin) = (asked()?, time::ticks());
    for _ in 0..CALLS {
        stage.troupe.sessions()?;
    }
    let (after, lasted) = (asked()?, time::ticks().wrapping_sub(begin));
    let asked = after[0] - before[0] + after[1] - before[1];
    // One look may have been under way.
    let (most, questions) = ((CALLS + 1) * RELEASE_LIMIT + PERIOD, CALLS + 1);
    let what = format_args!("{CALLS} calls to the service, each behind a look: {lasted} ms, at most {most}");
    claims.holds(what, (RELEASE_LIMIT..=most).contains(&lasted));
    let what = format_args!("the server's pager was asked {asked} times, at most {questions}");
    claims.holds(what, (1..=questions).contains(&asked));
    let found = stage.troupe.sessions()?;
    claims.equal("both slices are still the server's", found, slices.len() as u32);
    claims.holds("a client with another slice is served", stage.server_answers()? && stage.serves(1)?);

    for slice in slices {
        stage.troupe.paging(SPEAK, &[slice])?;
    }
    // A question that went out before is still waited for.
    let clear = until(SOON + RELEASE_LIMIT, || Ok(stage.troupe.sessions()? == 0))?;
    claims.holds("when it speaks again, both are free", clear && stage.plays_well()?);
    Ok(())
}
