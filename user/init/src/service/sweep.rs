//! A worker killed after any instruction: its client begins a transfer so many cycles before a tick, and the
//! first program, which wakes at that tick, takes the worker's frames back. The number varies over all that a
//! transfer takes, so that each of its stages is hit at many places: pieces coming, pages filled, the server at
//! work, the reply on its way.
//!
//! What must hold each time: the client's thread learns of it, or had its answer, which is right; the service
//! serves another session; in the end nothing is left.

use freehold_protocol::answer::DONE;
use freehold_protocol::server::OK;
use freehold_rt::transfer::{Session, cancel};
use freehold_rt::{CapName, Error, SlotRef, calls, println, time};

use super::caller::Caller;
use super::ground::Ground;
use super::stage::{BYTES, LIMIT, PRIORITY, SOON, Stage, piece};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::services::Services;
use crate::tour::carried::file_bytes;

/// Kills.
const KILLS: u32 = 240;
/// Those of them that come too late.
const LATE: u32 = 16;
/// Of so many, one is followed by a real client's transfer as well.
const SAMPLE: u32 = 16;

/// What came of the kills.
#[derive(Debug, PartialEq, Eq, Default)]
struct Tally {
    /// The transfer was complete before, with the right reply.
    complete: u32,
    /// The client learnt that its worker is gone.
    learnt: u32,
    /// Something else.
    wrong: u32,
    /// The session was not cleared away in time.
    left: u32,
    /// What followed was not right.
    spoilt: u32,
}

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, 2, file_bytes()?))?;
    stage.serves(1)?;
    stage.plays_well()?;
    let caller = Caller::new(0, PRIORITY)?;
    let whole = measure(&stage, &caller)?;
    align();
    let begin = time::cycles();
    align();
    let tick = (time::cycles() - begin) as u32;
    let before = Frames::now();
    let mut tally = Tally::default();
    for number in 0..KILLS {
        kill(&stage, &caller, (number, whole / (KILLS - LATE) * number, tick), &mut tally)?;
    }
    let frames_are_back = Frames::now() == before;
    let Tally { complete, learnt, .. } = tally;
    println!(
        "  {KILLS} kills within {whole} cycles: {learnt} before the end of the transfer, {complete} after"
    );
    let sound = Tally { complete, learnt, ..Tally::default() };
    claims.equal("each client learns of it, or has its reply; nothing is left or spoilt", tally, sound);
    claims.holds("most of them fell into the transfer", learnt > KILLS / 2 && complete > 0);
    claims.holds("as many frames of each type as before", frames_are_back);
    caller.destroy()?;
    stage.end()?;
    ground.end()
}

/// Cycles of a whole transfer, from the moment at which the caller is told.
fn measure(stage: &Stage<'_>, caller: &Caller) -> Result<u32, Failure> {
    let session = stage.open()?;
    stage.prepare()?;
    align();
    let begin = time::cycles();
    caller.begin(&piece(&session, 0))?;
    let outcome = caller.outcome(LIMIT);
    let cycles = time::cycles() - begin;
    session.close()?;
    match outcome {
        Some(Ok((DONE, [OK, BYTES]))) => Ok(cycles as u32),
        _ => Err(Failure::TooLate),
    }
}

/// Waits for the beginning of a tick.
fn align() {
    let now = time::ticks();
    while time::ticks() == now {}
}

/// Kills the worker after about `cycles` cycles.
fn kill(
    stage: &Stage<'_>,
    caller: &Caller,
    (number, cycles, tick): (u32, u32, u32),
    tally: &mut Tally,
) -> Result<(), Failure> {
    let session = stage.open()?;
    let slice = session.number().unwrap_or(u32::MAX);
    let frames = session.frames().unwrap_or(CapName::NONE);
    stage.prepare()?;
    align();
    let (now, ticks) = (time::cycles() as u32, cycles / tick + 1);
    // A wait that begins behind a tick lasts for one tick more than it has milliseconds.
    caller.begin_at(&piece(&session, 0), now.wrapping_add((ticks + 1) * tick - cycles))?;
    time::sleep(ticks);
    // Both frames, the Thread's, the UTCB's; or the client closes, in the end without the service's having the
    // capability to the frames any more.
    let mut session = Some(session);
    match number % 5 {
        0 => calls::reclaim(frames, 0, 2)?,
        1 => calls::reclaim(frames, 0, 1)?,
        2 => calls::reclaim(frames, 1, 1)?,
        3 => cancel(stage.service.name())?,
        _ => {
            calls::revoke(SlotRef::own(frames))?;
            cancel(stage.service.name())?;
            session.take().map_or(Ok(()), Session::close)?;
        }
    }
    let outcome = caller.outcome(SOON);
    match outcome {
        Some(Ok((DONE, [OK, BYTES]))) if stage.reply_is_right()? => tally.complete += 1,
        // It was not yet received, or it was, or the session was over before it was sent.
        Some(Err(Error::PeerGone | Error::Canceled | Error::NoCapability)) => tally.learnt += 1,
        _ => tally.wrong += 1,
    }
    tally.left += u32::from(!stage.is_cleared(slice)?);
    session.map_or(Ok(()), Session::close)?;
    tally.spoilt += u32::from(!stage.plays_well()?);
    if number.is_multiple_of(SAMPLE) {
        tally.spoilt += u32::from(!stage.serves(1)?);
    }
    Ok(())
}
