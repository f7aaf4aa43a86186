//! The programs of the scenarios: the caller, the files server, the transfer service between them.
//!
//! | program | is given |
//! |---|---|
//! | caller | the server's two endpoints, to send to; the first one twice, the second time for its bystander |
//! | files | the transfer service, to send to |
//! | transfer | the server's endpoints for requests and for pages, to send to |
//!
//! All have the console, and endpoints of their own to receive from.

use alloc::string::String;
use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::caller::{self, BESIDE, Measured, NOT_POSSIBLE, NULL, RUN, WATCHED};
use freehold_protocol::{files, server, trace, transfer};
use freehold_rt::Message;
use freehold_rt::buffer::Trust;
use freehold_rt::calls::Stop;
use freehold_rt::load::{Grant, Program};
use freehold_rt::message::bytes;

use super::cell::Cell;
use crate::actor::{Actor, expect, new_endpoint};
use crate::failure::Failure;
use crate::services::Services;

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
        let start = |name, endpoints, number, settings, grants: &[Grant<'_>]| {
            Actor::serving(endpoints, services, name, CONSOLE + number, settings, grants)
        };
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
        let transfer = start("transfer", endpoints, 0, settings, &to_transfer)?;
        let settings = Program { arguments, frames: CALLER_FRAMES, ..Program::new(&[]) };
        let endpoints = Vec::from([(caller::ORDERS, new_endpoint()?)]);
        let caller = start("caller", endpoints, 1, settings, &to_caller)?;
        let settings = Program { arguments, frames: FILES_FRAMES, priority: SERVER, ..Program::new(&[]) };
        let endpoints =
            Vec::from([(files::REQUESTS, requests), (files::ORDERS, orders), (server::PAGING, paging)]);
        let files = start("files", endpoints, 2, settings, &to_files)?;
        Ok(Pair { caller, files, transfer })
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
        // All of them end, whatever happens to one.
        let ends = [self.caller, self.files, self.transfer].map(Actor::destroy);
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
