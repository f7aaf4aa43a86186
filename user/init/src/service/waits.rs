//! Clients that wait for a session and give up, are cancelled, die, or take back what they gave for it: nothing is
//! left of their waiting, and those who have sessions notice nothing.

use freehold_protocol::answer::FAILED;
use freehold_protocol::transfer::{OPEN, PERIOD};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::calls::{self, Lend};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::transfer::{Failure as Broken, Session, cancel};
use freehold_rt::{CapName, Error, Rights, Utcb, memory};

use super::caller::{Caller, Piece};
use super::ground::Ground;
use super::looper::{Habit, Looper, end_all, start_all};
use super::stage::{LIMIT, PRIORITY, RANGES, Stage};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// A capability node that this program does not have.
const NODE: u32 = 31;
/// Slices that there are.
const SLICES: u32 = 2;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, SLICES, file_bytes()?))?;
    waits_that_end(&stage, claims)?;
    taken_back(&stage, claims)?;
    claims.holds("nothing is left of the sessions", stage.is_cleared(0)? && stage.is_cleared(1)?);
    claims.holds("a real client is served", stage.serves(1)?);
    stage.end()?;
    ground.end()
}

fn sessions(loopers: &[Looper]) -> u32 {
    loopers.iter().map(|looper| looper.did().sessions).sum()
}

/// A wait that its client gives up, and one that is cancelled, leave nothing behind.
fn waits_that_end(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let mut loopers = start_all(stage, &[Habit::Keeps; SLICES as usize + 1])?;
    let waits = || Ok(sessions(&loopers) == SLICES && stage.troupe.waiting()? == 1);
    claims.holds("one of three waits", until(LIMIT, waits)?);
    let limits = (LIMIT, PERIOD);
    let found = Utcb::current().within(limits, || Session::open(stage.service.name(), FRAME, PRIORITY));
    let found = (found.err(), until(2 * PERIOD, || Ok(stage.troupe.waiting()? == 1))?);
    let given_up = (Some(Broken::Call(Error::Timeout)), true);
    claims.equal("a client gives up, and its place is free again", found, given_up);
    let index = loopers.iter().position(|looper| looper.did().sessions == 0).unwrap_or(0);
    let waiter = loopers.swap_remove(index);
    waiter.tell_to_end();
    cancel(waiter.service())?;
    let did = waiter.end()?;
    let found = (did.failed, stage.troupe.waiting()?, sessions(&loopers));
    claims.equal("a wait is cancelled by another thread", found, (1, 0, SLICES));
    end_all(loopers).map(|_| ())
}

/// Frames that a played client offers, and how.
struct Offer {
    frames: Extent,
    proxy: Slot,
    worker: Slot,
}

impl Offer {
    fn new() -> Result<Offer, Failure> {
        let frames = memory::take(2, 1).ok_or(Failure::NoMemory)?;
        let (proxy, worker) = (Slot::take().ok_or(Failure::NoSlot)?, Slot::take().ok_or(Failure::NoSlot)?);
        let (rights, roots) = (Rights::EDIT.or(Rights::SHARE), calls::range(frames.first, 2));
        calls::lend(frames.container, proxy.reference(), rights, roots, Lend::exactly(8), 2)?;
        Ok(Offer { frames, proxy, worker })
    }

    /// The message that asks for a session.
    fn message(&self, stage: &Stage<'_>) -> Piece {
        Piece {
            worker: stage.service.name(),
            label: OPEN,
            words: [FRAME, PRIORITY.into(), 0, 0, 0, 0],
            count: 2,
            ranges: RANGES,
            declared: 0,
            item: Some((self.proxy.name(), self.worker.name())),
        }
    }

    fn end(self) -> Result<(), Failure> {
        drop((self.proxy, self.worker));
        Ok(memory::release(self.frames)?)
    }
}

/// A client that waits takes back the capability to its frames, or uses them otherwise; or it is destroyed.
fn taken_back(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let waits = || until(LIMIT, || Ok(stage.troupe.waiting()? == 1));
    for uses in [false, true] {
        let keepers = start_all(stage, &[Habit::Keeps; SLICES as usize])?;
        until(LIMIT, || Ok(sessions(&keepers) == SLICES))?;
        let (offer, caller) = (Offer::new()?, Caller::new(0, PRIORITY)?);
        caller.begin(&offer.message(stage))?;
        let waited = waits()?;
        let error = if uses {
            let Extent { container, first, .. } = offer.frames;
            calls::make_cap_node(container, first, CapName::NONE, NODE)?;
            Error::NotData
        } else {
            calls::revoke(offer.proxy.reference())?;
            Error::NoCapability
        };
        end_all(keepers)?;
        let found = (waited, caller.outcome(LIMIT));
        let expected = (true, Some(Ok((FAILED, [error as u32, 0]))));
        let what = if uses { "made something else of its frames" } else { "taken its frames back" };
        claims.equal(format_args!("a client that waits has {what}"), found, expected);
        caller.destroy()?;
        offer.end()?;
    }
    let keepers = start_all(stage, &[Habit::Keeps; SLICES as usize])?;
    until(LIMIT, || Ok(sessions(&keepers) == SLICES))?;
    let (offer, caller) = (Offer::new()?, Caller::new(0, PRIORITY)?);
    caller.begin(&offer.message(stage))?;
    let waited = waits()?;
    caller.destroy()?;
    let left = until(2 * PERIOD, || Ok(stage.troupe.waiting()? == 0))?;
    claims.equal("a client that waits is destroyed, and waits no more", (waited, left), (true, true));
    end_all(keepers)?;
    offer.end()
}
