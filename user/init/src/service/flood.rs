//! Clients that want more than there is: they open and close in a loop, keep what they have, send pieces that
//! mean nothing; more of them than slices. Whoever else wants a session gets one in a stated time, and the server
//! is asked no more than a stated number of times.

use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::server::{OK, PING};
use freehold_protocol::transfer::{ABORTED, NO_SERVER, PAUSE, PERIOD, TIME, TIME_PER_PAGE, WAITING_MAX};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::transfer::{Session, cancel};
use freehold_rt::{Utcb, println, records, serde_json, time};

use super::caller::Caller;
use super::ground::Ground;
use super::looper::{Did, Habit, LOOPERS, Looper, end_all, start_all};
use super::stage::{BYTES, LIMIT, PRIORITY, Stage, piece};
use super::strikes::{Step, reach};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// Slices that there are.
const SLICES: u32 = 2;
/// Milliseconds that a flood lasts.
const FLOOD: u32 = 300;
/// Pages of a request: more than there are for both slices.
const MANY: u32 = 250;
/// Messages of a flood of CLOSE.
const CLOSES: u32 = 1_000;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, SLICES, file_bytes()?))?;
    stage.serves(1)?;
    one(&stage, claims)?;
    many(&stage, claims)?;
    keepers(&stage, claims)?;
    more_than_wait(&stage, claims)?;
    ranks(&stage, claims)?;
    gluttons(&stage, claims)?;
    storms(&stage, claims)?;
    closes(&stage, claims)?;
    claims.holds("nothing is left of the sessions", stage.is_cleared(0)? && stage.is_cleared(1)?);
    stage.end()?;
    ground.end()
}

/// Serves a real client for a while. Returns how many of its transfers were right, and how many were not.
fn serve_for(stage: &Stage<'_>, milliseconds: u32) -> Result<(u32, u32), Failure> {
    let begin = time::ticks();
    let (mut right, mut wrong) = (0, 0);
    while time::ticks().wrapping_sub(begin) < milliseconds {
        match stage.serves(1)? {
            true => right += 1,
            false => wrong += 1,
        }
    }
    Ok((right, wrong))
}

/// One client that opens and closes: it gets a session in PAUSE ms, no more.
fn one(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let begin = time::ticks();
    let loopers = start_all(stage, &[Habit::Opens])?;
    let (right, wrong) = serve_for(stage, FLOOD)?;
    let [did, ..] = end_all(loopers)?;
    let lasted = time::ticks().wrapping_sub(begin);
    let most = lasted / PAUSE + 1;
    println!("  in {lasted} ms it opened {} sessions, the other client had {right} transfers", did.sessions);
    let what = format_args!("one that opens and closes gets at most {most} sessions in {lasted} ms");
    claims.holds(what, (1..=most).contains(&did.sessions));
    claims.equal("all its transfers are right", (did.failed, did.refused), (0, 0));
    claims.holds("so are another client's", right > 0 && wrong == 0);
    Ok(())
}

/// More than there are slices: each gets its turn.
fn many(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let habits = [Habit::Opens; 6];
    let loopers = start_all(stage, &habits)?;
    let (right, wrong) = serve_for(stage, FLOOD)?;
    let did = end_all(loopers)?;
    let did = &did[..habits.len()];
    let sessions = || did.iter().map(|did| did.sessions);
    let (least, most) = (sessions().min().unwrap_or(0), sessions().max().unwrap_or(0));
    let waited = did.iter().map(|did| did.waited).max().unwrap_or(0);
    println!(
        "  {} clients, {SLICES} slices: {least} to {most} sessions each, waits to {waited} ms",
        did.len()
    );
    let what = "of six that open and close none gets less than nine tenths of what another gets";
    claims.holds(what, least > 0 && (most - least) * 10 <= most);
    let bad = did.iter().map(|did| did.failed + did.refused).sum::<u32>();
    claims.equal("all their transfers are right", bad, 0);
    claims.holds("so are another client's", right > 0 && wrong == 0);
    Ok(())
}

/// All slices are taken by clients that keep them, idle or at work: whoever waits gets one.
fn keepers(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    for habit in [Habit::Keeps, Habit::Transfers] {
        let loopers = start_all(stage, &[habit; SLICES as usize])?;
        until(LIMIT, || Ok(loopers.iter().all(|looper| looper.did().sessions != 0)))?;
        let begin = time::ticks();
        let session = stage.open()?;
        let waited = time::ticks().wrapping_sub(begin);
        session.close()?;
        // A session's time, and what the service needs to notice.
        let most = match habit {
            Habit::Keeps => TIME + TIME_PER_PAGE + 2 * PERIOD,
            // It ends with the transfer that is under way.
            _ => 2 * PERIOD,
        };
        let did = end_all(loopers)?;
        let what = format_args!("{habit:?}: another client has waited {waited} ms, at most {most}");
        claims.holds(what, waited <= most);
        let bad = did.iter().map(|did| did.failed + did.refused).sum::<u32>();
        claims.equal(format_args!("{habit:?}: none of their transfers failed"), bad, 0);
    }
    Ok(())
}

/// More than can wait: the last ones are refused at once, and those who give up leave their places.
fn more_than_wait(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let loopers = start_all(stage, &[Habit::Keeps; LOOPERS])?;
    let over = LOOPERS - SLICES as usize - WAITING_MAX;
    let tally = || {
        let did = || loopers.iter().map(Looper::did);
        let refused = did().filter(|did| did.refused != 0).count();
        (did().filter(|did| did.sessions != 0).count(), refused)
    };
    until(LIMIT, || Ok(tally().0 + tally().1 + WAITING_MAX >= LOOPERS))?;
    let found = (tally(), stage.troupe.waiting()? as usize);
    let what =
        format_args!("{LOOPERS} clients: {SLICES} have a session, {WAITING_MAX} wait, {over} are refused");
    claims.equal(what, found, ((SLICES as usize, over), WAITING_MAX));
    // Those that wait are told by the service, one after the other, that others have gone.
    loopers.iter().for_each(Looper::tell_to_end);
    let did = end_all(loopers)?;
    let served = did.iter().filter(|did| did.sessions == 1 && did.failed == 0).count();
    claims.equal("when they end, all that waited get theirs", served, LOOPERS - over);
    claims.equal("nobody waits any more", stage.troupe.waiting()?, 0);
    Ok(())
}

/// All slices and all places are taken by clients of a lower rank, which keep what they have: whoever is above them waits
/// for none of them, and goes on though they wait; and they have their turn afterwards.
fn ranks(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let start = |index| Looper::start_ranked(stage, index, Habit::Keeps, PRIORITY);
    let loopers = (0..LOOPERS).map(start).collect::<Result<Vec<_>, _>>()?;
    let sessions = || loopers.iter().map(|looper| looper.did().sessions).sum::<u32>();
    let taken = until(LIMIT, || Ok(sessions() == SLICES && stage.troupe.waiting()? as usize == WAITING_MAX))?;
    claims.holds("clients of a lower rank have all slices, and all places", taken);
    let begin = time::ticks();
    let session = stage.open()?;
    let waited = time::ticks().wrapping_sub(begin);
    let what = format_args!("whoever is above them has waited {waited} ms, at most {PERIOD}");
    claims.holds(what, waited <= PERIOD);
    stage.prepare()?;
    for transfer in 1..=3 {
        let answer = Utcb::current().within((LIMIT, LIMIT), || piece(&session, 0).call())?;
        let done = (answer.label(), answer.words()) == (DONE, &[OK, BYTES]);
        claims.holds(format_args!("its transfer {transfer} is carried"), done);
    }
    let before = sessions();
    session.close()?;
    claims.holds("then one of those below has its turn", until(LIMIT, || Ok(sessions() > before))?);
    loopers.iter().for_each(Looper::tell_to_end);
    let did = end_all(loopers)?;
    claims.equal("none of theirs failed", did.iter().map(|did| did.failed).sum::<u32>(), 0);
    Ok(())
}

/// A client whose request needs more pages than the server has: it gets its slice's share of them, and another client has what it
/// needs.
fn gluttons(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let bytes = MANY * FRAME;
    let limits = (LIMIT, LIMIT);
    let open = || Session::open(stage.service.name(), bytes, PRIORITY);
    let session = Utcb::current().within(limits, open).map_err(Failure::Transfer)?;
    stage.ground.show(0, MANY, false)?;
    let mut whole = piece(&session, 0);
    (whole.words[1], whole.ranges[0].bytes) = (bytes, bytes);
    let answer = Utcb::current().within(limits, || whole.call())?;
    let found = (answer.label(), answer.word(0));
    claims.equal(format_args!("of {MANY} pages it does not get all"), found, (ABORTED, NO_SERVER));
    claims.holds("while it keeps those that it got, another client is served", stage.serves(1)?);
    session.close()?;
    Ok(())
}

/// Pieces that mean nothing: the server does not hear of them.
fn storms(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let state = || -> Result<(u32, u32, u32), Failure> {
        let completed = stage.troupe.server()?.obeys(PING, &[])?.word(0);
        Ok((completed, stage.troupe.slice(0)?.fills, stage.troupe.slice(1)?.fills))
    };
    let before = state()?;
    let loopers = start_all(stage, &[Habit::Storms])?;
    time::sleep(50);
    let after = state()?;
    let [Did { transfers, failed, .. }, ..] = end_all(loopers)?;
    println!("  {transfers} pieces that mean nothing");
    claims.holds("a storm of pieces is answered", transfers > 100 && failed == 0);
    claims.equal("the server hears of none of them", after, before);
    let loopers = start_all(stage, &[Habit::Storms])?;
    let (right, wrong) = serve_for(stage, 50)?;
    end_all(loopers)?;
    claims.holds("another client's transfers go on", right > 0 && wrong == 0);
    Ok(())
}

/// CLOSE over and over, while the server works in the closed slice: the server is asked now and then.
fn closes(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let caller = Caller::new(0, PRIORITY)?;
    let (session, slice) = reach(stage, Step::Working, &caller)?;
    let asked = stage.troupe.releases(slice)?;
    let (begin, cycles) = (time::ticks(), time::cycles());
    for _ in 0..CLOSES {
        cancel(stage.service.name())?;
    }
    let cycles = (time::cycles() - cycles) / u64::from(CLOSES);
    let lasted = time::ticks().wrapping_sub(begin);
    let asked = stage.troupe.releases(slice)? - asked;
    let most = lasted / PERIOD + 2;
    let what =
        format_args!("{CLOSES} times CLOSE in {lasted} ms, and the server is asked at most {most} times");
    claims.holds(what, (1..=most).contains(&asked));
    claims.holds("another client is served meanwhile", stage.serves(1)?);
    stage.let_go(slice)?;
    claims.holds("in the end the slice is free", stage.is_cleared(slice)?);
    session.close()?;
    caller.destroy()?;
    println!("  CLOSE without a session: {cycles} cycles");
    Ok(records::write(&serde_json::json!({
        "service": "flood",
        "close_cycles": cycles,
        "closes": CLOSES,
        "releases_asked": asked,
    }))?)
}
