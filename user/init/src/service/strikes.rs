//! A session struck at every step: its frames, the capability to them, its caller taken away; closed, cancelled. Each
//! time: whoever waits learns of it, other clients are served while and after, the
//! slice is empty in the end and serves again.

use core::fmt::{self, Display, Formatter};

use freehold_protocol::answer::DONE;
use freehold_protocol::server::{OK, QUIET, SPEAK};
use freehold_protocol::transfer::{FAULTED, REPLY_FAULTED};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::transfer::{Session, cancel};
use freehold_rt::{CapName, Error, SlotRef, Utcb, calls};

use super::caller::{Caller, Outcome};
use super::ground::{AT, Ground};
use super::stage::{BYTES, LIMIT, PRIORITY, REPLY_AT, SOON, Stage, piece};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No transfer has begun.
    Opened,
    /// The client has been told that its page 1 is missing.
    Request,
    /// The worker waits for the server's pager, with page 1 of the slice.
    Filling,
    /// The server works on the request.
    Working,
    /// The client has been told that page 1 of its room for the reply is missing.
    Reply,
    /// A transfer is complete.
    Complete,
}

/// All of them, in order.
pub const STEPS: [Step; 6] =
    [Step::Opened, Step::Request, Step::Filling, Step::Working, Step::Reply, Step::Complete];

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Opened => "before its first transfer",
            Step::Request => "while the request's page is missing",
            Step::Filling => "while the slice's page is missing",
            Step::Working => "while the server works",
            Step::Reply => "while the reply's page is missing",
            Step::Complete => "after a transfer",
        })
    }
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strike {
    /// The client takes both of the worker's frames back.
    Frames,
    /// Only the Thread's.
    Thread,
    /// Only the UTCB's.
    Utcb,
    /// Only the capability to them; it closes the session then.
    Capability,
    /// The client closes it: from another thread, if one waits.
    Close,
    /// The server cancels it.
    Cancel,
    /// The thread that waits is destroyed.
    Caller,
}

const STRIKES: [Strike; 7] = [
    Strike::Frames,
    Strike::Thread,
    Strike::Utcb,
    Strike::Capability,
    Strike::Close,
    Strike::Cancel,
    Strike::Caller,
];

impl Display for Strike {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Strike::Frames => "both frames taken back",
            Strike::Thread => "the Thread's frame taken back",
            Strike::Utcb => "the UTCB's frame taken back",
            Strike::Capability => "the capability to the frames taken back",
            Strike::Close => "closed",
            Strike::Cancel => "cancelled by the server",
            Strike::Caller => "the waiting thread destroyed",
        })
    }
}

/// What is found afterwards.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// What the thread that waited learnt, if one did and still is there.
    outcome: Option<Outcome>,
    /// While the session was in its step, and when it was struck: the server answers, another client's
    /// transfer is right.
    meanwhile: [bool; 2],
    /// While the server works on it, the slice is not given to anybody.
    kept: bool,
    /// In the end no session is left, and the slice is empty.
    cleared: bool,
    /// The struck client opens anew and its transfer is right.
    again: bool,
    /// There are as many frames of each type as before.
    frames_are_back: bool,
}

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, 2, file_bytes()?))?;
    // What both sides keep from a first transfer is there from here on.
    stage.serves(1)?;
    stage.plays_well()?;
    for step in STEPS {
        let waits = matches!(step, Step::Filling | Step::Working);
        for strike in STRIKES {
            if strike == Strike::Caller && !waits {
                continue;
            }
            let before = Frames::now();
            let mut found = strike_at(&stage, step, strike)?;
            found.frames_are_back = Frames::now() == before;
            let gone = strike == Strike::Caller;
            let outcome = (waits && !gone).then_some(Err(Error::PeerGone));
            let expected = Found {
                outcome,
                meanwhile: [true; 2],
                kept: true,
                cleared: true,
                again: true,
                frames_are_back: true,
            };
            claims.equal(format_args!("{strike} {step}"), found, expected);
        }
    }
    stage.end()?;
    ground.end()
}

/// Brings a new session to a step, in which `caller` waits or has waited. Returns it and its slice.
///
/// # Errors
/// [`Failure`]; TooLate if it does not come there.
pub fn reach(stage: &Stage<'_>, step: Step, caller: &Caller) -> Result<(Session, u32), Failure> {
    let session = stage.open()?;
    let slice = session.number().unwrap_or(u32::MAX);
    stage.prepare()?;
    let first = piece(&session, 0);
    let call = || Utcb::current().within((LIMIT, LIMIT), || first.call());
    let there = match step {
        Step::Opened => true,
        Step::Request => {
            stage.ground.hide(1, 1)?;
            let answer = call()?;
            (answer.label(), answer.words()) == (FAULTED, &[AT + FRAME, FRAME])
        }
        Step::Filling => {
            stage.troupe.paging(QUIET, &[slice, 1])?;
            caller.begin(&first)?;
            until(LIMIT, || Ok(stage.troupe.slice(slice)?.held))?
        }
        Step::Working => {
            stage.hold(slice)?;
            caller.begin(&first)?;
            until(LIMIT, || stage.holds(slice))?
        }
        Step::Reply => {
            stage.ground.hide(REPLY_AT + 1, 1)?;
            let answer = call()?;
            (answer.label(), answer.words()) == (REPLY_FAULTED, &[AT + (REPLY_AT + 1) * FRAME, FRAME])
        }
        Step::Complete => {
            let answer = call()?;
            (answer.label(), answer.words()) == (DONE, &[OK, BYTES])
        }
    };
    if there { Ok((session, slice)) } else { Err(Failure::TooLate) }
}

fn strike_at(stage: &Stage<'_>, step: Step, strike: Strike) -> Result<Found, Failure> {
    let caller = Caller::new(0, PRIORITY)?;
    let (session, slice) = reach(stage, step, &caller)?;
    let before = stage.server_answers()? && stage.serves(1)?;
    let frames = session.frames().unwrap_or(CapName::NONE);
    let mut caller = Some(caller);
    match strike {
        Strike::Frames => calls::reclaim(frames, 0, 2)?,
        Strike::Thread => calls::reclaim(frames, 0, 1)?,
        Strike::Utcb => calls::reclaim(frames, 1, 1)?,
        Strike::Capability => {
            calls::revoke(SlotRef::own(frames))?;
            cancel(stage.service.name())?;
        }
        Strike::Close => cancel(stage.service.name())?,
        Strike::Cancel => stage.cancel(slice)?,
        Strike::Caller => caller.take().map_or(Ok(()), Caller::destroy)?,
    }
    // The slice that the server's pager was silent about may be another client's by now.
    stage.troupe.paging(SPEAK, &[slice])?;
    let after = stage.server_answers()? && stage.serves(1)?;
    let working = step == Step::Working;
    let kept = !working || stage.troupe.sessions()? == 1 && stage.troupe.slice(slice)?.frames != 0;
    stage.let_go(slice)?;
    if strike == Strike::Caller {
        // Nobody has ended the session yet.
        cancel(stage.service.name())?;
    }
    let cleared = stage.is_cleared(slice)?;
    // Without the capability to its frames the worker is only stopped: its caller waits until they go.
    session.close()?;
    let waits = matches!(step, Step::Filling | Step::Working);
    let outcome = caller.as_ref().filter(|_| waits).and_then(|caller| caller.outcome(SOON));
    caller.map_or(Ok(()), Caller::destroy)?;
    let again = stage.plays_well()?;
    Ok(Found { outcome, meanwhile: [before, after], kept, cleared, again, frames_are_back: false })
}
