//! What the service and the server can name: a census of their capabilities, slot by slot, before a session, while
//! it is open and in each of its waits, and afterwards.
//!
//! What must hold: a session gives the service an endpoint of its own, a thread and two roots, and nothing else;
//! the server gets nothing, but the reply capability of the worker whose request it holds.

use alloc::vec::Vec;

use freehold_protocol::server::{QUIET, SPEAK};
use freehold_rt::abi::info::Kind;
use freehold_rt::abi::layout::NODE_SLOTS;
use freehold_rt::{CapName, Rights, SlotRef, calls};

use super::caller::Caller;
use super::ground::Ground;
use super::stage::{LIMIT, PRIORITY, SOON, Stage, piece};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::file_bytes;
use crate::tour::troupe::until;

/// Kinds of capability, and sets of rights.
const KINDS: usize = 9;
const SETS: usize = 8;

/// How many capabilities of each kind and with each set of rights there are in a space; and entries, in all
/// containers together.
struct Census {
    count: [[u32; SETS]; KINDS],
    entries: u32,
}

/// A kind, rights, how many more of them.
type More = (usize, usize, i32);

fn more(kind: Kind, rights: Rights) -> More {
    (kind as usize, rights.bits() as usize, 1)
}

impl Census {
    fn of(space: CapName) -> Result<Census, Failure> {
        let mut census = Census { count: [[0; SETS]; KINDS], entries: 0 };
        let nodes = calls::space_summary(space)?.nodes;
        // Slot 0 is no slot.
        for slot in 1..nodes * NODE_SLOTS {
            let info = calls::cap_info(SlotRef::of(space, CapName(slot)))?;
            census.count[info.kind as usize][info.rights.bits() as usize] += 1;
            if info.kind == Kind::Container {
                census.entries += (info.badge >> 10) + 1;
            }
        }
        Ok(census)
    }

    /// What there is more than before, empty slots apart; and how many more entries.
    fn since(&self, before: &Census) -> (Vec<More>, i32) {
        let more = |kind: usize, rights: usize| {
            (kind, rights, self.count[kind][rights] as i32 - before.count[kind][rights] as i32)
        };
        let all = (1..KINDS).flat_map(|kind| (0..SETS).map(move |rights| more(kind, rights)));
        let more = all.filter(|(.., count)| *count != 0).collect();
        (more, self.entries as i32 - before.entries as i32)
    }
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
    let (service, server) = (stage.troupe.transfer().space(), stage.troupe.server()?.space());
    let (service_before, server_before) = (Census::of(service)?, Census::of(server)?);
    // Who makes an object has every right to it.
    let own = [
        more(Kind::Container, Rights::EDIT),
        more(Kind::Thread, Rights::ALL),
        more(Kind::Endpoint, Rights::ALL),
    ];
    let session = stage.open()?;
    let slice = session.number().unwrap_or(u32::MAX);
    let has = |claims: &mut Claims, when: &str, held: &[More]| -> Result<(), Failure> {
        let what = format_args!("{when}: for it the service has two frames, a thread and an endpoint");
        claims.equal(what, Census::of(service)?.since(&service_before), (own.to_vec(), 2));
        let what = if held.is_empty() { "nothing" } else { "the right to answer the worker" };
        let what = format_args!("{when}: for it the server has {what}");
        claims.equal(what, Census::of(server)?.since(&server_before), (held.to_vec(), 0));
        Ok(())
    };
    has(claims, "opened", &[])?;
    let caller = Caller::new(0, PRIORITY)?;
    let reply = [more(Kind::Reply, Rights::NONE)];
    stage.prepare()?;
    stage.troupe.paging(QUIET, &[slice, 1])?;
    caller.begin(&piece(&session, 0))?;
    until(LIMIT, || Ok(stage.troupe.slice(slice)?.held))?;
    has(claims, "while the slice's page is missing", &reply)?;
    stage.hold(slice)?;
    stage.troupe.paging(SPEAK, &[slice])?;
    until(LIMIT, || stage.holds(slice))?;
    has(claims, "while the server works", &reply)?;
    stage.let_go(slice)?;
    let ended = caller.outcome(SOON).is_some_and(|outcome| outcome.is_ok());
    claims.holds("the transfer is complete", ended && stage.reply_is_right()?);
    has(claims, "after a transfer", &[])?;
    // What the client has: its own frames' proxy, and a way to the worker that cannot be passed on by copies.
    let worker = calls::cap_info(SlotRef::own(session.worker().unwrap_or_default()))?;
    let found = (worker.kind, worker.rights, worker.total);
    claims.equal("the client has the right to send to its worker", found, (Kind::Endpoint, Rights::SEND, 0));
    session.close()?;
    caller.destroy()?;
    claims.holds("nothing is left of the session", stage.is_cleared(slice)?);
    let found = (Census::of(service)?.since(&service_before), Census::of(server)?.since(&server_before));
    let nothing = || (Vec::new(), 0);
    claims.equal("closed: service and server have what they had before", found, (nothing(), nothing()));
    stage.end()?;
    ground.end()
}
