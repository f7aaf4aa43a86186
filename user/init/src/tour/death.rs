//! Death in the middle of a transfer: the client, the worker of its session, the server are destroyed,
//! each at several points, each time with a fresh set of programs. Whoever is left learns of it and goes
//! on, other clients are served if there is a server, and nothing leaks.
//!
//! "In the middle" is exact where somebody's page is missing: its pager falls silent there, so that the
//! transfer stands still when the first program strikes. A few more strikes fall wherever the programs are
//! after so many milliseconds.

use core::fmt::{self, Display, Formatter};

use freehold_protocol::answer::{DONE, FAILED};
use freehold_protocol::client::{CARRIED, CLOSE, OUTCOME, PING, TRANSFER};
use freehold_protocol::transfer::{ABORTED, NO_SERVER};
use freehold_protocol::{pager, server};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::slots::Slot;
use freehold_rt::{Error, Message, calls, println, records, serde_json, time};

use super::carried::{Carried, digest, digest_in, file_bytes};
use super::troupe::{Size, Troupe, until};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::services::Services;

/// The client whose transfer is struck, and the other one.
const STRUCK: u32 = 1;
const OTHER: u32 = 2;
/// Bytes that are transferred, if the file has so many.
const BYTES: u32 = 256 << 10;
/// Milliseconds in which programs must have come to where they are expected.
const LIMIT: u32 = 2_000;
/// Strikes at no particular place: milliseconds after the transfer was ordered. All of it takes about 15.
const MOMENTS: [u32; 4] = [1, 4, 9, 14];

/// Who is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Client,
    Worker,
    Server,
}

/// Where the transfer is then.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// The client waits for its page of that number.
    Source(u32),
    /// The worker waits for the slice's page of that number.
    Target(u32),
    /// After so many milliseconds.
    After(u32),
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

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let bytes = file_bytes()?.min(BYTES);
    let pages = bytes.div_ceil(FRAME);
    let Some(last) = pages.checked_sub(1) else {
        println!("  the file has no page to die at");
        return Ok(());
    };
    let right = digest(bytes)?;
    // A short file has its first, middle and last page in one; the same point twice does no harm.
    let standing = [0, pages / 2, last].into_iter().flat_map(|at| [Point::Source(at), Point::Target(at)]);
    for victim in [Victim::Client, Victim::Worker, Victim::Server] {
        for point in standing.clone().chain(MOMENTS.map(Point::After)) {
            let before = Frames::now();
            println!("  {victim:?} destroyed {point}:");
            let case = Case::begin(services, bytes, point)?;
            let outcome = case.strike(claims, victim, &right)?;
            let leaks = claims.equal("all frames are back", Frames::now(), before);
            report(victim, point, outcome, !leaks)?;
        }
    }
    Ok(())
}

fn report(victim: Victim, point: Point, outcome: Option<Message>, leaks: bool) -> Result<(), Failure> {
    let (at, number) = match point {
        Point::Source(page) => ("source", page),
        Point::Target(page) => ("target", page),
        Point::After(milliseconds) => ("after_ms", milliseconds),
    };
    let outcome = outcome.map(|outcome| match outcome.label() {
        CARRIED => "carried",
        ABORTED => Error::from_status(outcome.word(1)).map_or("aborted", Error::name),
        _ => Error::from_status(outcome.word(0)).map_or("refused", Error::name),
    });
    Ok(records::write(&serde_json::json!({
        "tour": "death",
        "victim": match victim {
            Victim::Client => "client",
            Victim::Worker => "worker",
            Victim::Server => "server",
        },
        "at": at,
        "number": number,
        "client_outcome": outcome,
        "leaks": leaks,
    }))?)
}

/// A transfer in the middle.
struct Case {
    troupe: Troupe,
    bytes: u32,
    point: Point,
    slice: u32,
    /// The frames that the worker stands on.
    worker: Slot,
}

impl Case {
    /// Starts the programs, and brings the transfer to its point.
    fn begin(services: &Services, bytes: u32, point: Point) -> Result<Case, Failure> {
        let frames = 2 * bytes.div_ceil(FRAME);
        let troupe = Troupe::start(services, Size { clients: 2, slices: 2, bytes, frames })?;
        troupe.set_source(STRUCK, bytes)?;
        let (slice, worker) = troupe.open(STRUCK, bytes)?;
        match point {
            Point::Source(page) => {
                troupe.pager().obey(DONE, pager::QUIET, &[STRUCK, page])?;
            }
            Point::Target(page) => {
                troupe.server()?.ask(1, server::QUIET, &[slice, page])?;
            }
            Point::After(_) => {}
        }
        troupe.client(STRUCK)?.tell(TRANSFER, &[bytes])?;
        let arrived = match point {
            Point::Source(_) => until(LIMIT, || Ok(troupe.faults(STRUCK)?.1))?,
            Point::Target(_) => until(LIMIT, || Ok(troupe.slice(slice)?.held))?,
            Point::After(milliseconds) => {
                time::sleep(milliseconds);
                true
            }
        };
        if arrived { Ok(Case { troupe, bytes, point, slice, worker }) } else { Err(Failure::TooLate) }
    }

    /// Strikes, sees what becomes of the others, and ends them. Returns what the struck client's transfer
    /// came to, if the client is left to say it.
    fn strike(
        mut self,
        claims: &mut Claims,
        victim: Victim,
        right: &[u32],
    ) -> Result<Option<Message>, Failure> {
        let outcome = match victim {
            Victim::Client => {
                let (_, all) = self.troupe.destroy_client(STRUCK)?;
                claims.holds("all frames of the client came back", all);
                None
            }
            Victim::Worker => {
                calls::reclaim(self.worker.name(), 0, 2)?;
                Some(self.outcome(claims, victim, right)?)
            }
            Victim::Server => {
                let (_, all) = self.troupe.destroy_server()?;
                claims.holds("all frames of the server came back", all);
                Some(self.outcome(claims, victim, right)?)
            }
        };
        if victim == Victim::Server {
            self.without_server(claims)?;
        } else {
            self.cleared(claims)?;
            self.served(claims, OTHER, right)?;
            if victim == Victim::Worker {
                self.troupe.client(STRUCK)?.obey(DONE, CLOSE, &[])?;
                self.served(claims, STRUCK, right)?;
            }
        }
        let Case { troupe, worker, .. } = self;
        drop(worker);
        let (_, all) = troupe.destroy();
        claims.holds("all frames of the others came back", all);
        Ok(outcome)
    }

    /// What the client's transfer came to, once nothing holds the client up.
    fn outcome(&self, claims: &mut Claims, victim: Victim, right: &[u32]) -> Result<Message, Failure> {
        if victim == Victim::Worker {
            // The client learns it from whomever it asks first: the session must be over.
            until(LIMIT, || Ok(self.troupe.sessions()? == 0))?;
        }
        self.troupe.pager().obey(DONE, pager::SPEAK, &[STRUCK])?;
        let outcome = self.troupe.client(STRUCK)?.ask(0, OUTCOME, &[])?;
        let words = [outcome.label().into(), outcome.word(0), outcome.word(1)];
        let failed = |error: Error| [FAILED.into(), error as u32, 0];
        let aborted = |error: Error| [ABORTED.into(), NO_SERVER, error as u32];
        match (victim, self.point) {
            // Its worker answered the last piece; the next finds no session.
            (Victim::Worker, Point::Source(_)) => {
                claims.equal("the client learns NoCapability", words, failed(Error::NoCapability));
            }
            // The worker was about to answer.
            (Victim::Worker, Point::Target(_)) => {
                claims.equal("the client learns PeerGone", words, failed(Error::PeerGone));
            }
            // The worker meets the missing slice, and nobody to fill it.
            (Victim::Server, Point::Source(_)) => {
                claims.equal("the client learns: no server", words, aborted(Error::NoCapability));
            }
            // The worker waits for a page of the server's when that ends.
            (Victim::Server, Point::Target(_)) => {
                claims.equal("the client learns: server gone", words, aborted(Error::PeerGone));
            }
            // It may have been done by then.
            _ => {
                let done = outcome.label() == CARRIED && digest_in(&outcome) == right;
                let failed = matches!(outcome.label(), FAILED | ABORTED);
                claims.holds("the client has the right answer, or learns of it", done || failed);
            }
        }
        Ok(outcome)
    }

    /// The session ends without its client's help, and its slice is empty.
    fn cleared(&self, claims: &mut Claims) -> Result<(), Failure> {
        let over = until(LIMIT, || Ok(self.troupe.sessions()? == 0))?;
        let left = self.troupe.slice(self.slice)?.frames;
        claims.equal("the session is over, its slice empty", (over, left), (true, 0));
        Ok(())
    }

    /// A client is served as ever.
    fn served(&self, claims: &mut Claims, client: u32, right: &[u32]) -> Result<(), Failure> {
        // Whatever the silent ones were told, they are silent no more.
        self.troupe.server()?.ask(1, server::SPEAK, &[self.slice])?;
        let carried = Carried::of(&self.troupe, client, self.bytes)?;
        let what = format_args!("client {client} is served");
        let pages = carried.pages();
        claims.equal(what, (&carried.digest[..], carried.faults), (right, (pages, pages)));
        Ok(())
    }

    /// Without a server others get errors, not silence.
    fn without_server(&self, claims: &mut Claims) -> Result<(), Failure> {
        let other = self.troupe.client(OTHER)?;
        let answer = other.ask(0, PING, &[])?;
        let found = (answer.label(), Error::from_status(answer.word(0)));
        claims.equal("the other's call fails", found, (FAILED, Some(Error::NoCapability)));
        self.troupe.set_source(OTHER, self.bytes)?;
        let (_, worker) = self.troupe.open(OTHER, self.bytes)?;
        let answer = other.ask(0, TRANSFER, &[self.bytes])?;
        let found = (answer.label(), answer.word(0));
        claims.equal("the other's transfer is aborted", found, (ABORTED, NO_SERVER));
        drop(worker);
        for client in [STRUCK, OTHER] {
            self.troupe.client(client)?.obey(DONE, CLOSE, &[])?;
        }
        claims.equal("no session is left", self.troupe.sessions()?, 0);
        Ok(())
    }
}
