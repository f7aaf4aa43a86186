//! The victim: a client that works by the clock, and its server; and, for attacks upon it, the transfer service between them.
//!
//! | program | priority | is given |
//! |---|---|---|
//! | client | 8 | its server, to send to; the transfer service; with a pool, the root's memory |
//! | server | 9 (its pager 10) | two endpoints to serve; the transfer service; with a pool, the root's memory |
//! | transfer | 12 | its endpoint; the server's two, to send to |

use alloc::vec::Vec;

use freehold_first::actor::{Actor, new_endpoint};
use freehold_first::failure::Failure;
use freehold_first::services::Services;
use freehold_protocol::attack::{MEMORY, NEWCOMER, ORDERS, SERVER, VICTIM, VICTIM_SERVER, WORK, Worked};
use freehold_protocol::{server, transfer};
use freehold_rt::abi::designs::Design;
use freehold_rt::load::{Grant, Program};
use freehold_rt::{CapName, Message, Utcb, calls, time};

use crate::memory::Memory;

/// Priorities.
const CLIENT: u8 = 8;
const PAGER: u8 = 10;
const SERVICE: u8 = 12;
/// Numbers at the console.
const CONSOLE: u32 = 1;
/// Operations that the client is to do in each period: so much, of three, of what it can do alone.
const LOAD_THIRDS: u32 = 2;
/// More than it can do in a period.
const TOO_MANY: u32 = 100_000;
/// Ticks of its periods.
const PERIOD: u32 = 4;
/// Milliseconds that the client may take longer than its window before it counts as hung.
const GRACE: u32 = 2_000;
/// Slices of the server's, of one Table each, and frames for all of them.
const SLICES: u32 = 2;
const SLICE_FRAMES: u32 = 64;

/// The programs.
pub struct Victim {
    client: Actor,
    server: Actor,
    transfer: Option<(Actor, CapName)>,
    requests: CapName,
    /// Operations of a period.
    batch: u32,
}

impl Victim {
    /// Starts them.
    ///
    /// # Errors
    /// [`Failure`]; nothing is left then.
    pub fn start(services: &Services, memory: &Memory, with_transfer: bool) -> Result<Victim, Failure> {
        let requests = new_endpoint()?;
        let requests_name = requests.name();
        let mut of_server: Vec<Grant<'_>> = memory.grant(MEMORY, VICTIM_SERVER).into_iter().collect();
        let mut endpoints = Vec::from([(server::REQUESTS, requests)]);
        let transfer = if with_transfer {
            let (manager, paging) = (new_endpoint()?, new_endpoint()?);
            let (manager_name, paging_name) = (manager.name(), paging.name());
            let grants = [
                Grant::send(transfer::SELF, manager_name, transfer::WORKER),
                Grant::send(server::REQUESTS, requests_name, server::SERVICE),
                Grant::send(server::PAGING, paging_name, server::SERVICE),
            ];
            let settings = Program { priority: SERVICE, ..Program::new(&[]) };
            let serves = Vec::from([(transfer::MANAGER, manager)]);
            let service = Actor::serving(serves, services, "transfer", CONSOLE, settings, &grants)?;
            of_server.push(Grant::send(transfer::TRANSFER, manager_name, transfer::SERVER));
            endpoints.push((server::PAGING, paging));
            Some((service, manager_name))
        } else {
            None
        };

        let frames = 64 + if with_transfer { 4 * SLICES + SLICE_FRAMES } else { 0 };
        let settings = Program { priority: PAGER, arguments: "part=1", frames, ..Program::new(&[]) };
        let server = Actor::serving(endpoints, services, "victim", CONSOLE + 1, settings, &of_server)?;
        if with_transfer {
            server.obeys(server::SETUP, &[SLICES, 1])?;
        }

        let manager = transfer.as_ref().map(|&(_, manager)| manager);
        let client = start_client(services, memory, (requests_name, manager), VICTIM)?;
        let mut victim = Victim { client, server, transfer, requests: requests_name, batch: TOO_MANY };
        let most = victim.work(PERIOD).map_or(0, |worked| worked.done);
        victim.batch = (most * LOAD_THIRDS / 3).max(1);
        Ok(victim)
    }

    /// Where the server takes requests.
    pub fn requests(&self) -> CapName {
        self.requests
    }

    /// The transfer service's manager.
    pub fn manager(&self) -> Option<CapName> {
        self.transfer.as_ref().map(|&(_, manager)| manager)
    }

    /// Has the client work for `window` ticks. `None`: it did not come to the end of them.
    pub fn work(&self, window: u32) -> Option<Worked> {
        work(&self.client, window, self.batch)
    }

    /// Starts another client of the server's, and has it work for a moment. Returns what that came to, and the cycles until
    /// its first operation was done; `None`: it did not come so far.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn newcomer(
        &self,
        services: &Services,
        memory: &Memory,
    ) -> Result<(Option<Worked>, Option<u64>), Failure> {
        let begin = time::cycles();
        let client = start_client(services, memory, (self.requests, None), NEWCOMER)?;
        let worked = work(&client, PERIOD, 1);
        let first = worked.map(Worked::first).filter(|&first| first != 0);
        client.destroy()?;
        Ok((worked, first.map(|first| first - begin)))
    }

    /// Bytes of the pool that the server's space has to pay for; it asks for nothing there.
    pub fn server_charged(&self, design: Design) -> u32 {
        match design {
            Design::KernelQuota => calls::account(self.server.space()).map_or(0, |account| account.bytes),
            _ => 0,
        }
    }

    /// What it does in so many ticks if nobody disturbs it.
    pub fn whole(&self, window: u32) -> u32 {
        window / PERIOD * self.batch
    }

    /// Ends all of them.
    ///
    /// # Errors
    /// [`Failure`]: frames could not be reclaimed.
    pub fn destroy(self) -> Result<(), Failure> {
        self.client.destroy()?;
        self.server.destroy()?;
        if let Some((service, _)) = self.transfer {
            service.destroy()?;
        }
        Ok(())
    }
}

/// A client: its server, and the transfer service's manager if it is to use that.
fn start_client(
    services: &Services,
    memory: &Memory,
    (requests, manager): (CapName, Option<CapName>),
    badge: u32,
) -> Result<Actor, Failure> {
    let mut grants = Vec::from([Grant::send(SERVER, requests, badge)]);
    grants.extend(memory.grant(MEMORY, badge));
    let way = |manager| Grant::send(transfer::TRANSFER, manager, transfer_badge(badge, CLIENT));
    grants.extend(manager.map(way));
    let settings = Program { priority: CLIENT, arguments: "part=0", frames: 96, ..Program::new(&[]) };
    let orders = Vec::from([(ORDERS, new_endpoint()?)]);
    Actor::serving(orders, services, "victim", CONSOLE + 1 + badge, settings, &grants)
}

/// Has a client work for `window` ticks. `None`: it did not come to the end of them.
fn work(client: &Actor, window: u32, batch: u32) -> Option<Worked> {
    let limit = window + GRACE;
    let message = Message::of(WORK, &[window, batch]);
    let client = client.endpoint(0);
    let answer = Utcb::current().within((limit, limit), || calls::call(client, &message)).ok()?;
    Some(Worked::from_words(answer.words()))
}

/// The badge at the transfer service's manager of a client whose workers get `priority` at most.
pub fn transfer_badge(client: u32, priority: u8) -> u32 {
    client | (1 + u32::from(priority)) << transfer::CEILING_SHIFT
}
