//! A program destroyed in the middle of a transfer, and what the others find.
//!
//! What must hold: the point at which it strikes is reached exactly, or the strike does not happen.

use core::fmt::{self, Display, Formatter};

use freehold_protocol::answer::FAILED;
use freehold_protocol::client::{CARRIED, CLOSE, OUTCOME, PING, TRANSFER};
use freehold_protocol::transfer::{ABORTED, NO_SERVER, TIME};
use freehold_protocol::{pager, server};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::slots::Slot;
use freehold_rt::{Error, Message, calls, time};

use super::carried::{Carried, digest_in};
use super::troupe::{Size, Troupe, until};
use crate::failure::Failure;
use crate::services::Services;

/// The client whose transfer is struck, and the other one.
const STRUCK: u32 = 1;
const OTHER: u32 = 2;
/// Milliseconds in which programs must have come to where they are expected.
const LIMIT: u32 = 2_000;
/// Milliseconds in which the service must have noticed that a worker is gone: well before its time is up.
const SOON: u32 = TIME / 2;

/// Who is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Client,
    Worker,
    Server,
}

/// Where the transfer is then.
#[derive(Clone, Copy, Debug)]
pub enum Point {
    /// The client waits for its page of that number.
    Source(u32),
    /// The worker waits for the slice's page of that number.
    Target(u32),
    /// After so many milliseconds.
    After(u32),
}

impl Display for Victim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Victim::Client => "client",
            Victim::Worker => "worker",
            Victim::Server => "server",
        })
    }
}

impl Display for Point {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Point::Source(page) => write!(f, "while the client's page {page} is missing"),
            Point::Target(page) => write!(f, "while the slice's page {page} is missing"),
            Point::After(milliseconds) => write!(f, "after {milliseconds} ms"),
        }
    }
}

/// What became of the struck client's transfer, as the client tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody is left to tell.
    Silence,
    /// It had been completed, with the right digest.
    Carried,
    /// The call to the worker failed.
    Failed(Option<Error>),
    /// The worker could not reach the server.
    NoServer(Option<Error>),
    /// Something that must not be.
    Wrong,
}

/// What is found afterwards.
#[derive(Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// Of the struck transfer.
    pub outcome: Outcome,
    /// Sessions at the service, and frames in the struck slice.
    pub left: (u32, u32),
    /// What the other client gets: its digest and its faults are right, or why not.
    pub other: Outcome,
    /// What the struck client gets when it begins anew.
    pub again: Outcome,
    /// Whether there are as many frames of each type as before.
    pub frames_are_back: bool,
}

/// A transfer in the middle.
pub struct Case {
    troupe: Troupe,
    bytes: u32,
    point: Point,
    slice: u32,
    /// The frames that the worker stands on.
    worker: Slot,
}

impl Case {
    /// Starts the programs, and brings the transfer to its point.
    ///
    /// # Errors
    /// [`Failure`]; TooLate if it does not come there.
    pub fn begin(services: &Services, bytes: u32, point: Point) -> Result<Case, Failure> {
        let frames = 2 * bytes.div_ceil(FRAME);
        let troupe = Troupe::start(services, Size { clients: 2, slices: 2, bytes, frames })?;
        troupe.set_source(STRUCK, bytes)?;
        let (slice, worker) = troupe.open(STRUCK, bytes)?;
        let client = troupe.client(STRUCK)?;
        let arrived = match point {
            Point::Source(page) => {
                troupe.pager().obeys(pager::QUIET, &[STRUCK, page])?;
                client.tell(TRANSFER, &[bytes])?;
                until(LIMIT, || Ok(troupe.faults(STRUCK)? == (page, true)))?
            }
            Point::Target(page) => {
                troupe.paging(server::QUIET, &[slice, page])?;
                client.tell(TRANSFER, &[bytes])?;
                until(LIMIT, || Ok(troupe.slice(slice)?.held && troupe.slice(slice)?.frames == page))?
            }
            Point::After(milliseconds) => {
                client.tell(TRANSFER, &[bytes])?;
                time::sleep(milliseconds);
                true
            }
        };
        if arrived { Ok(Case { troupe, bytes, point, slice, worker }) } else { Err(Failure::TooLate) }
    }

    /// Strikes, sees what becomes of the others, and ends them. Of the frames it says nothing yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn strike(mut self, victim: Victim, right: &[u32]) -> Result<Aftermath, Failure> {
        let mut again = Outcome::Silence;
        let (outcome, left, other) = match victim {
            Victim::Client => {
                self.troupe.destroy_client(STRUCK)?;
                let left = self.left()?;
                (Outcome::Silence, left, self.served(OTHER, right)?)
            }
            Victim::Worker => {
                calls::reclaim(self.worker.name(), 0, 2)?;
                // The session is over before the client, if it waits for a page, goes on.
                let left = self.left()?;
                let outcome = self.outcome(right)?;
                let other = self.served(OTHER, right)?;
                again = self.served(STRUCK, right)?;
                (outcome, left, other)
            }
            Victim::Server => {
                self.troupe.destroy_server()?;
                let outcome = self.outcome(right)?;
                let other = self.without_server(right)?;
                self.troupe.client(STRUCK)?.obeys(CLOSE, &[])?;
                (outcome, (self.troupe.sessions()?, 0), other)
            }
        };
        let Case { troupe, worker, .. } = self;
        drop(worker);
        troupe.destroy()?;
        Ok(Aftermath { outcome, left, other, again, frames_are_back: false })
    }

    /// What the struck client's transfer came to, once nothing holds the client up.
    fn outcome(&self, right: &[u32]) -> Result<Outcome, Failure> {
        self.troupe.pager().obeys(pager::SPEAK, &[STRUCK])?;
        Ok(judge(&self.troupe.client(STRUCK)?.order(OUTCOME, &[])?, right))
    }

    /// What is left of the session, which ends without its client's help: sessions, frames in the slice.
    fn left(&self) -> Result<(u32, u32), Failure> {
        until(SOON, || Ok(self.troupe.sessions()? == 0))?;
        Ok((self.troupe.sessions()?, self.troupe.slice(self.slice)?.frames))
    }

    /// What a client gets from a server that is there.
    fn served(&self, client: u32, right: &[u32]) -> Result<Outcome, Failure> {
        if matches!(self.point, Point::Target(_)) {
            // The server's pager goes on filling the slice that it fell silent for.
            self.troupe.paging(server::SPEAK, &[self.slice])?;
        }
        let carried = Carried::of(&self.troupe, client, self.bytes)?;
        let pages = carried.pages();
        let good = carried.digest == right && carried.faults == (pages, pages);
        Ok(if good { Outcome::Carried } else { Outcome::Wrong })
    }

    /// What the other client gets without a server: errors, not silence.
    fn without_server(&self, right: &[u32]) -> Result<Outcome, Failure> {
        let other = self.troupe.client(OTHER)?;
        let answer = other.order(PING, &[])?;
        if (answer.label(), Error::from_status(answer.word(0))) != (FAILED, Some(Error::NoCapability)) {
            return Ok(Outcome::Wrong);
        }
        self.troupe.set_source(OTHER, self.bytes)?;
        let (_, worker) = self.troupe.open(OTHER, self.bytes)?;
        let answer = other.order(TRANSFER, &[self.bytes])?;
        drop(worker);
        other.obeys(CLOSE, &[])?;
        Ok(judge(&answer, right))
    }
}

/// Reads a client's answer to TRANSFER or OUTCOME.
fn judge(answer: &Message, right: &[u32]) -> Outcome {
    match (answer.label(), answer.word(0)) {
        (CARRIED, _) if digest_in(answer) == right => Outcome::Carried,
        (FAILED, error) => Outcome::Failed(Error::from_status(error)),
        (ABORTED, NO_SERVER) => Outcome::NoServer(Error::from_status(answer.word(1))),
        _ => Outcome::Wrong,
    }
}
