//! Death in the middle of a transfer: the client, the worker of its session, the server are destroyed,
//! each at several points, each time with a fresh set of programs. Whoever is left learns of it and goes
//! on, other clients are served if there is a server, and nothing leaks.
//!
//! "In the middle" is exact where somebody's page is missing: its pager falls silent there, so that the
//! transfer stands still when the first program strikes. A few more strikes fall wherever the programs are
//! after so many milliseconds.

use freehold_rt::abi::layout::FRAME;
use freehold_rt::{Error, println, records, serde_json};

use super::carried::{digest, file_bytes};
use super::strike::{Aftermath, Case, Outcome, Point, Victim};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::services::Services;

/// Bytes that are transferred, if the file has so many.
const BYTES: u32 = 256 << 10;
/// Strikes at no particular place: milliseconds after the transfer was ordered. All of it takes about 15.
const MOMENTS: [u32; 4] = [1, 4, 9, 14];

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let bytes = file_bytes()?.min(BYTES);
    let Some(last) = bytes.div_ceil(FRAME).checked_sub(1) else {
        println!("  the file has no page to die at");
        return Ok(());
    };
    let right = digest(bytes)?;
    // In a file of a page or two some of these are the same.
    let standing = [0, last.div_ceil(2), last].into_iter();
    let standing = standing.flat_map(|page| [Point::Source(page), Point::Target(page)]);
    for victim in [Victim::Client, Victim::Worker, Victim::Server] {
        for point in standing.clone().chain(MOMENTS.map(Point::After)) {
            let before = Frames::now();
            let case = Case::begin(services, bytes, point)?;
            let mut found = case.strike(victim, &right)?;
            found.frames_are_back = Frames::now() == before;
            claims.equal(
                format_args!("{victim} destroyed {point}"),
                &found,
                &expected(victim, point, &found),
            );
            report(victim, point, &found)?;
        }
    }
    Ok(())
}

/// What must be found.
fn expected(victim: Victim, point: Point, found: &Aftermath) -> Aftermath {
    let outcome = match (victim, point) {
        (Victim::Client, _) => Outcome::Silence,
        // The worker has answered the last piece; the next one finds no session.
        (Victim::Worker, Point::Source(_)) => Outcome::Failed(Some(Error::NoCapability)),
        // The worker was about to answer.
        (Victim::Worker, Point::Target(_)) => Outcome::Failed(Some(Error::PeerGone)),
        // The worker finds the slice gone, and nobody who could fill it.
        (Victim::Server, Point::Source(_)) => Outcome::NoServer(Some(Error::NoCapability)),
        // The server held the worker's request for a page.
        (Victim::Server, Point::Target(_)) => Outcome::NoServer(Some(Error::PeerGone)),
        // Wherever it was: it was completed, or the client learns that it failed.
        (_, Point::After(_)) => match found.outcome {
            Outcome::Silence | Outcome::Wrong => Outcome::Carried,
            told => told,
        },
    };
    let (other, again) = match victim {
        Victim::Client => (Outcome::Carried, Outcome::Silence),
        Victim::Worker => (Outcome::Carried, Outcome::Carried),
        Victim::Server => (Outcome::NoServer(Some(Error::NoCapability)), Outcome::Silence),
    };
    Aftermath { outcome, left: (0, 0), other, again, frames_are_back: true }
}

fn report(victim: Victim, point: Point, found: &Aftermath) -> Result<(), Failure> {
    let (at, number) = match point {
        Point::Source(page) => ("source", page),
        Point::Target(page) => ("target", page),
        Point::After(milliseconds) => ("after_ms", milliseconds),
    };
    let (outcome, error) = match found.outcome {
        Outcome::Silence => ("none", None),
        Outcome::Carried => ("carried", None),
        Outcome::Failed(error) => ("failed", error.map(Error::name)),
        Outcome::NoServer(error) => ("aborted", error.map(Error::name)),
        Outcome::Wrong => ("wrong", None),
    };
    Ok(records::write(&serde_json::json!({
        "tour": "death",
        "victim": alloc::format!("{victim}"),
        "at": at,
        "number": number,
        "client_outcome": outcome,
        "client_error": error,
        "sessions_left": found.left.0,
        "slice_frames_left": found.left.1,
        "other_served": found.other == Outcome::Carried,
        "frames_are_back": found.frames_are_back,
    }))?)
}
