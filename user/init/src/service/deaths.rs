//! A client's program destroyed at every step of a transfer: others are served, its slice is free and serves again,
//! all frames are back.

use freehold_protocol::client::TRANSFER;
use freehold_protocol::pager;
use freehold_protocol::server::{PING, QUIET, SPEAK};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::layout::{BLOCK, STACK_END, THREADS};

use super::ground::Ground;
use super::stage::{LIMIT, SOON, Stage};
use super::strikes::{STEPS, Step};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// The client that dies. Client 1 goes on.
const VICTIM: u32 = 2;
/// The page of its request, and of its slice, at which a transfer stops.
const PAGE: u32 = 1;
/// Where its first thread's block of addresses begins.
const FIRST_BLOCK: u32 = THREADS - BLOCK;

/// What is found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// It died in the step that is meant.
    there: bool,
    /// With the session in its step, and after its client's death: the server answers, another client's transfer is
    /// right.
    served: [bool; 2],
    /// While the server works on it, the slice is not given to anybody.
    kept: bool,
    /// Soon no session is left, and the slice is empty.
    cleared: bool,
    /// A whole transfer is right then.
    again: bool,
}

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    for step in STEPS {
        let before = Frames::now();
        let found = die_at(services, &ground, step)?;
        let expected = Found { there: true, served: [true; 2], kept: true, cleared: true, again: true };
        claims.equal(format_args!("a client's program destroyed {step}"), found, expected);
        claims.equal("all frames are back", Frames::now(), before);
    }
    ground.end()
}

fn die_at(services: &Services, ground: &Ground, step: Step) -> Result<Found, Failure> {
    let bytes = file_bytes()?;
    let mut stage = Stage::start(services, ground, (2, 2, bytes))?;
    stage.troupe.set_source(VICTIM, bytes)?;
    let (slice, worker) = stage.troupe.open(VICTIM, bytes)?;
    let there = bring(&stage, step, slice, bytes)?;
    let before = stage.server_answers()? && stage.serves(1)?;
    drop(worker);
    stage.troupe.destroy_client(VICTIM)?;
    // The slice that the server's pager was silent about may be another client's by now.
    stage.troupe.paging(SPEAK, &[slice])?;
    let after = stage.server_answers()? && stage.serves(1)?;
    let mut kept = true;
    if step == Step::Working {
        let gone = until(SOON, || Ok(stage.troupe.sessions()? == 0))?;
        kept = !gone && stage.troupe.slice(slice)?.frames != 0;
        stage.let_go(slice)?;
    }
    let cleared = stage.is_cleared(slice)?;
    let again = stage.plays_well()?;
    stage.end()?;
    Ok(Found { there, served: [before, after], kept, cleared, again })
}

/// Brings the victim's transfer to a step. Returns whether it came there.
fn bring(stage: &Stage<'_>, step: Step, slice: u32, bytes: u32) -> Result<bool, Failure> {
    let troupe = &stage.troupe;
    let tell = || troupe.client(VICTIM)?.tell(TRANSFER, &[bytes]).map_err(Failure::from);
    let faults = || troupe.faults(VICTIM);
    match step {
        Step::Opened => Ok(troupe.sessions()? == 1),
        Step::Request => {
            troupe.pager().obeys(pager::QUIET, &[VICTIM, PAGE])?;
            tell()?;
            until(LIMIT, || Ok(faults()? == (PAGE, true)))
        }
        Step::Filling => {
            troupe.paging(QUIET, &[slice, PAGE])?;
            tell()?;
            until(LIMIT, || Ok(troupe.slice(slice)?.held))
        }
        Step::Working => work(stage, slice, &tell),
        Step::Reply => {
            let worked = work(stage, slice, &tell)?;
            // The room for its reply lies on its stack, which its pager takes away and does not bring back.
            let stack = [VICTIM, FIRST_BLOCK, STACK_END / FRAME, 0];
            troupe.pager().obeys(pager::REGION, &stack)?;
            troupe.pager().obeys(pager::QUIET, &[VICTIM, 0])?;
            let completed = || -> Result<u32, Failure> { Ok(troupe.server()?.obeys(PING, &[])?.word(0)) };
            let before = completed()?;
            stage.let_go(slice)?;
            let stopped = until(LIMIT, || Ok(faults()? == (0, true)))?;
            Ok(worked && stopped && completed()? == before + 1 && troupe.sessions()? == 1)
        }
        Step::Complete => {
            tell()?;
            // An order is received when the one before it has been carried out.
            let present = troupe.present(VICTIM, bytes)?;
            Ok(present == bytes.div_ceil(FRAME) && troupe.sessions()? == 1)
        }
    }
}

/// The server holds the victim's request.
fn work(stage: &Stage<'_>, slice: u32, tell: &dyn Fn() -> Result<(), Failure>) -> Result<bool, Failure> {
    stage.hold(slice)?;
    tell()?;
    until(LIMIT, || stage.holds(slice))
}
