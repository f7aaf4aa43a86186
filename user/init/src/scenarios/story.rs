//! One cell, told step by step: what the two programs noted while it was carried out, in the order of their clock.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use freehold_protocol::scenario::{CASES, RESIDENCIES, Residency};
use freehold_protocol::trace::{
    CALLS, COPIED, EVENT_WORDS, EVICTED, FAILS, FAULT, HOOKED, PINNED, RETURNS, SENDS, STOPPED, TOUCHED,
    WORKED, WORKS,
};
use freehold_protocol::{buffer, files, transfer};
use freehold_rt::buffer::{Trust, Way};
use freehold_rt::{Error, println};

use super::cell::Cell;
use super::pair::{Ended, Pair};
use crate::failure::Failure;
use crate::services::Services;

/// Who noted an event.
const WHO: [&str; 2] = ["caller", "files"];

/// Events that are told: so many of the first ones, and of the last ones.
const FIRST: usize = 24;
const LAST: usize = 16;

/// The number of an event that was not kept.
const NOT_KEPT: u32 = 0;

/// An event.
struct Event {
    cycles: i64,
    who: &'static str,
    what: u32,
    words: [u32; 2],
}

/// Names what cells there are.
pub fn list() {
    println!("scenario CASE[.WAY[.RESIDENCY[.TRUST]]], by default registers, resident, distrusting");
    println!("case:      {}", joined(CASES.iter().map(|case| case.name)));
    println!("way:       {}", joined(Way::ALL.iter().map(|way| way.name())));
    println!("residency: {}", joined(RESIDENCIES.iter().map(|(name, _)| *name)));
    println!("trust:     {}", joined([Trust::Trusting, Trust::Distrusting].iter().map(|trust| trust.name())));
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

/// Carries the cell of this name out and tells about it.
///
/// # Errors
/// [`Failure`]: the programs cannot be started, or do not answer.
pub fn tell(services: &Services, name: &str) -> Result<(), Failure> {
    let Some(cell) = Cell::named(name) else {
        println!("there is no scenario {name}");
        list();
        return Ok(());
    };
    println!("{}", cell.name());
    println!("  {}", trust(cell.trust()));
    println!("  {}", residency(cell.residency()));
    let pair = Pair::start(services, cell.trust())?;
    let ended = pair.watched(cell)?;
    let events = in_order(pair.events()?);
    pair.destroy()?;
    show(&events);
    outcome(&ended);
    Ok(())
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Trusting => {
            "caller and files trust each other: each waits for the other's pages, and takes its memory"
        }
        Trust::Distrusting => {
            "neither trusts the other: nobody waits for the other's pages, or uses its memory"
        }
    }
}

fn residency(residency: Residency) -> &'static str {
    match residency {
        Residency::Resident => "the buffers of both are in memory",
        Residency::ClientFaults => "the caller's buffers are out of memory, those of files are in it",
        Residency::ServerFaults => "the caller's buffers are in memory, those of files are out of it",
        Residency::BothFault => "the buffers of both are out of memory",
    }
}

/// All events by their clock; those that were not kept are between the first and the last ones.
fn in_order(noted: [Vec<u32>; 2]) -> Vec<Event> {
    let mut events = Vec::new();
    for (who, words) in WHO.into_iter().zip(&noted) {
        let mut cycles = 0;
        for &[low, high, what, first, second] in words.as_chunks::<EVENT_WORDS>().0 {
            if what != NOT_KEPT {
                cycles = i64::from(high) << 32 | i64::from(low);
            }
            events.push(Event { cycles, who, what, words: [first, second] });
        }
    }
    events.sort_by_key(|event| event.cycles);
    events
}

/// Shows events, with the instructions from the beginning of the call on.
fn show(events: &[Event]) {
    let begin = events.iter().find(|event| event.what == CALLS).map_or(0, |event| event.cycles);
    let last = events.len().saturating_sub(LAST).max(FIRST);
    for (number, event) in events.iter().enumerate() {
        if number == FIRST && number < last {
            println!("             and {} events more, until", last - FIRST);
        }
        if number < FIRST || number >= last {
            let at = event.cycles - begin;
            println!("  {at:>9}  {:<6} {}", event.who, text(event.what, event.words));
        }
    }
}

/// What an event says.
fn text(what: u32, [first, second]: [u32; 2]) -> String {
    match what {
        EVICTED if second != 0 => format!("has {first} pages of files' buffers go out of memory"),
        EVICTED => format!("has {first} pages of its own buffers go out of memory"),
        FAULT => format!("has a page fault at {first:#x}: its pager brings the page"),
        TOUCHED => format!("touches {first} bytes: {second} pages come"),
        PINNED => format!("pins {first} bytes: {second} pages come"),
        CALLS => format!("calls {} with a request of {second} bytes", operation(first)),
        RETURNS => format!("has its reply: status {first}, {second} bytes"),
        FAILS => "has no reply".into(),
        SENDS if second != 0 => format!("sends a message with strings: {}", message(first)),
        SENDS => format!("sends a message: {}", message(first)),
        STOPPED if first == Error::FaultMine as u32 => {
            format!("is stopped after {second} bytes: a page of its own is missing")
        }
        STOPPED => format!("is stopped after {second} bytes: a page of the server's is missing"),
        WORKS => format!("has the whole request to {}, {second} bytes, and works on it", operation(first)),
        WORKED => format!("is done: status {first}, a reply of {second} bytes"),
        COPIED if second != 0 => format!("copies {first} bytes to the caller"),
        COPIED => format!("copies {first} bytes from the caller"),
        HOOKED => format!("hooks the caller's container: {first} bytes to read, {second} to write"),
        _ => format!("event {what}: {first}, {second}"),
    }
}

/// The name of an operation of the files server's.
fn operation(op: u32) -> &'static str {
    const NAMES: [(u16, &str); 6] = [
        (files::OPEN, "open"),
        (files::READ, "read"),
        (files::WRITE, "write"),
        (files::LIST, "readdir"),
        (files::EXECUTE, "exec"),
        (files::SET, "control"),
    ];
    NAMES.into_iter().find(|(known, _)| u32::from(*known) == op).map_or("something else", |(_, name)| name)
}

/// What a message of `rt::buffer`'s, or to a worker of the transfer service, is for.
fn message(label: u32) -> &'static str {
    const NAMES: [(u16, &str); 11] = [
        (buffer::PUT, "the request begins, in registers"),
        (buffer::PUT_ON, "more of the request, in registers"),
        (buffer::GET, "asking for more of the reply, in registers"),
        (buffer::STRING, "the request"),
        (buffer::REST, "asking for the rest of the reply"),
        (buffer::PULL, "pull the request from these ranges"),
        (buffer::TAKE, "go on with the reply"),
        (buffer::HOOK, "both buffers in this container"),
        (buffer::LEND, "both buffers in these pages"),
        (transfer::PIECE, "carry this request (to the session's worker)"),
        (transfer::REST, "go on with the reply (to the session's worker)"),
    ];
    NAMES.into_iter().find(|(known, _)| u32::from(*known) == label).map_or("something else", |(_, name)| name)
}

fn outcome(ended: &Ended) {
    let measured = match ended {
        Ended::Measured(measured) => measured,
        Ended::Refused(why) => return println!("  refused: {why}"),
        Ended::Failed(why) => return println!("  failed: {why}"),
    };
    let verdict = if measured.wrong == 0 { "right" } else { "WRONG" };
    let (messages, switches, retries) = (measured.messages, measured.switches, measured.retries);
    println!("  reply and effect: {verdict}; {} bytes, there and back", measured.bytes);
    println!("  messages sent: {messages}, of which again: {retries}; space switches: {switches}");
    println!("  page faults: caller {}, files {}", measured.client_faults, measured.server_faults);
    println!("  pages that came: caller {}, files {}", measured.client_pages, measured.server_pages);
    println!("  cost: {} instructions, of which {} are the server's work", measured.max, measured.work);
}
