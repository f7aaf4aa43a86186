//! The programs of the scenarios: the caller, the files server, the transfer service between them.
//!
//! | program | is given |
//! |---|---|
//! | caller | the server's two endpoints, to send to; the first one twice, the second time for its bystander |
//! | files | the transfer service, to send to |
//! | transfer | the server's endpoints for requests and for pages, to send to |
//!
//! All have the console, and endpoints of their own to receive from.
//!
//! Under a design with a pool the caller has pages of it beside its own memory, to lend to the server. Programs that do not
//! trust each other are strangers to the design as well: where it knows untrusted spaces, theirs are. The transfer service,
//! which both trust, is none; nor is anything of a pair that trust each other.

use alloc::string::String;
use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::caller::{
    self, BESIDE, Measured, NOT_POSSIBLE, NULL, RUN, SHARED_BEHIND, SHARED_BYTES, WATCHED,
};
use freehold_protocol::{files, server, trace, transfer};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::buffer::Trust;
use freehold_rt::calls::Stop;
use freehold_rt::layout::OWN;
use freehold_rt::load::{Grant, Program};
use freehold_rt::memory::MapError;
use freehold_rt::message::bytes;
use freehold_rt::roots::Extent;
use freehold_rt::{CapName, Message, Rights, calls, memory};

use super::cell::Cell;
use crate::actor::{Actor, expect, new_endpoint};
use crate::failure::Failure;
use crate::services::Services;
use crate::trust;

/// Numbers at the console begin here.
const CONSOLE: u32 = 32;
/// The server's priority, which is its pager's; requests are below. The caller, and its session's worker, have the
/// usual one, below both.
const SERVER: u8 = 14;
/// Of the transfer service's manager.
const SERVICE: u8 = 12;
/// Frames of the caller: two buffers, as much again for their store, memory for containers, a heap.
const CALLER_FRAMES: u32 = 2_600;
/// Of the files server: three buffers and their store, a slice, the files, a heap.
const FILES_FRAMES: u32 = 4_200;
/// The caller's number at the transfer service.
const CLIENT: u32 = 1;
/// The files server's second endpoint.
const ORDERS: usize = 1;

/// The programs.
pub struct Pair {
    caller: Actor,
    files: Actor,
    transfer: Actor,
    /// Goes when those have ended.
    lent: Lent,
    trust: Option<trust::Trust>,
}

/// Frames that are roots of the pool's mappings, until this is dropped.
struct Lent(Vec<Extent>);

impl Lent {
    /// Puts so many pages into a space, at `address`.
    fn give(&mut self, space: CapName, address: u32, pages: u32) -> Result<(), Failure> {
        let mut done = 0;
        while done < pages {
            let extent = memory::take_up_to(pages - done, 1).ok_or(MapError::OutOfMemory)?;
            self.0.push(extent);
            let range = calls::range(extent.first, extent.count);
            calls::give(extent.container, range, space, address + done * FRAME, Rights::WRITE)?;
            done += extent.count;
        }
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        for extent in self.0.drain(..) {
            // A frame that cannot be reclaimed is missed when frames are counted.
            let _ = memory::release(extent);
        }
    }
}

/// What a cell came to.
pub enum Ended {
    /// It was carried out.
    Measured(Measured),
    /// A program refused to, for this reason.
    Refused(String),
    /// It failed, in these words.
    Failed(String),
}

/// What a bystander found.
#[derive(Clone, Copy)]
pub struct Beside {
    /// Whether it called the server while the caller waited.
    pub meanwhile: bool,
    /// Whether it had its answer before the caller's pager did anything.
    pub at_once: bool,
}

impl Pair {
    /// Starts them.
    ///
    /// # Errors
    /// [`Failure`]; nothing is left then.
    pub fn start(services: &Services, trust: Trust) -> Result<Pair, Failure> {
        let (requests, orders, paging) = (new_endpoint()?, new_endpoint()?, new_endpoint()?);
        let manager = new_endpoint()?;
        let design = calls::design();
        let strangers = match trust {
            Trust::Trusting => None,
            Trust::Distrusting => Some(trust::Trust::start(services, design)?),
        };
        let distrust = |space| strangers.as_ref().map_or(Ok(()), |strangers| strangers.distrust(space));
        let mut lent = Lent(Vec::new());
        let arguments = match trust {
            Trust::Trusting => caller::TRUSTING,
            Trust::Distrusting => caller::DISTRUSTING,
        };

        let to_caller = [
            Grant::send(files::FILES, requests.name(), files::CALLER),
            Grant::send(files::FILES_BESIDE, requests.name(), files::BYSTANDER),
            Grant::send(files::FILES_ORDERS, orders.name(), files::CALLER),
            Grant::send(transfer::TRANSFER, manager.name(), CLIENT),
        ];
        let to_files = [Grant::send(transfer::TRANSFER, manager.name(), transfer::SERVER)];
        let to_transfer = [
            Grant::send(transfer::SELF, manager.name(), transfer::WORKER),
            Grant::send(server::REQUESTS, requests.name(), server::SERVICE),
            Grant::send(server::PAGING, paging.name(), server::SERVICE),
        ];

        // All endpoints exist, so whoever calls before the other one has started waits until it serves.
        let settings = Program { priority: SERVICE, ..Program::new(&[]) };
        let endpoints = Vec::from([(transfer::MANAGER, manager)]);
        let transfer = Actor::serving(endpoints, services, "transfer", CONSOLE, settings, &to_transfer)?;
        let settings = Program { arguments, frames: CALLER_FRAMES, ..Program::new(&[]) };
        let endpoints = Vec::from([(caller::ORDERS, new_endpoint()?)]);
        let number = CONSOLE + 1;
        let caller = Actor::prepared(endpoints, services, "caller", number, settings, &to_caller, |space| {
            if design.has_pool() {
                lent.give(space, OWN + SHARED_BEHIND, SHARED_BYTES / FRAME)?;
            }
            distrust(space)
        })?;
        let settings = Program { arguments, frames: FILES_FRAMES, priority: SERVER, ..Program::new(&[]) };
        let endpoints =
            Vec::from([(files::REQUESTS, requests), (files::ORDERS, orders), (server::PAGING, paging)]);
        let number = CONSOLE + 2;
        let files = Actor::prepared(endpoints, services, "files", number, settings, &to_files, distrust)?;
        Ok(Pair { caller, files, transfer, lent, trust: strangers })
    }

    /// Measures an empty call.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn null(&self, rounds: u32) -> Result<Measured, Failure> {
        Ok(Measured::from_words(self.caller.obeys(NULL, &[rounds])?.words()))
    }

    /// Carries a cell out, `rounds` times.
    ///
    /// # Errors
    /// [`Failure`]: the caller could not be ordered to.
    pub fn run(&self, cell: Cell, rounds: u32) -> Result<Ended, Failure> {
        let [case, way, residency] = cell.words();
        ended(&self.caller.order(RUN, &[case, way, residency, rounds])?)
    }

    /// Carries a cell out once, watched.
    ///
    /// # Errors
    /// As [`Pair::run`].
    pub fn watched(&self, cell: Cell) -> Result<Ended, Failure> {
        ended(&self.caller.order(WATCHED, &cell.words())?)
    }

    /// Carries a cell out once while a bystander calls the server. `None`: the cell is not possible.
    ///
    /// # Errors
    /// As [`Pair::run`].
    pub fn beside(&self, cell: Cell) -> Result<Option<Beside>, Failure> {
        let answer = self.caller.order(BESIDE, &cell.words())?;
        match answer.label() {
            DONE => Ok(Some(Beside { meanwhile: answer.word(0) != 0, at_once: answer.word(1) != 0 })),
            NOT_POSSIBLE => Ok(None),
            label => Err(Failure::Refused(label)),
        }
    }

    /// What the caller noted, and what the server noted, while they were watched: words, an event after the other.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn events(&self) -> Result<[Vec<u32>; 2], Failure> {
        Ok([events(&self.caller, 0)?, events(&self.files, ORDERS)?])
    }

    /// Ends them. Returns the frames that came back.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed.
    pub fn destroy(self) -> Result<u32, Stop> {
        let Pair { caller, files, transfer, lent, trust } = self;
        // All of them end, whatever happens to one.
        let ends = [caller, files, transfer].map(Actor::destroy);
        drop((lent, trust));
        ends.into_iter().sum()
    }
}

/// Reads the answer to an order to carry out a cell.
fn ended(answer: &Message) -> Result<Ended, Failure> {
    match answer.label() {
        DONE => Ok(Ended::Measured(Measured::from_words(answer.words()))),
        NOT_POSSIBLE => {
            let words: Vec<u8> = bytes::decode(answer).collect();
            let words = String::from_utf8_lossy(&words).into_owned();
            Ok(if answer.word(1) != 0 { Ended::Refused(words) } else { Ended::Failed(words) })
        }
        label => Err(Failure::Refused(label)),
    }
}

fn events(actor: &Actor, endpoint: usize) -> Result<Vec<u32>, Failure> {
    let mut events = Vec::new();
    loop {
        let have = (events.len() / trace::EVENT_WORDS) as u32;
        let answer = expect(actor.order_at(endpoint, trace::EVENTS, &[have])?, DONE)?;
        let new = answer.words().get(1..).unwrap_or(&[]);
        events.extend_from_slice(new);
        if new.is_empty() {
            return Ok(events);
        }
    }
}
