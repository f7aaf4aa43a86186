//! The programs of a transfer, on stage: clients, their pager, the transfer service, the server. Each is
//! given exactly what its part takes.
//!
//! | program | is given |
//! |---|---|
//! | client | the pager, the transfer service and the server, to send to, under its number |
//! | pager | each client's space (Edit); the file's frames, to map read-only |
//! | transfer | the server's two endpoints, to send to |
//! | server | the transfer service, to send to; memory for the slices |
//!
//! All have the console, and an endpoint of their own to receive from. The first program keeps the
//! endpoints: when a program ends it deletes them, so that those who wait for it learn so.

use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::{client, pager, server, transfer};
use freehold_rt::abi::info::start::BLOCKS;
use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_rt::calls::{self, Stop};
use freehold_rt::load::{Grant, Part, Program};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, Utcb, time};

use crate::actor::{Actor, expect, new_endpoint};
use crate::failure::Failure;
use crate::modules;
use crate::services::Services;

/// The boot module whose contents are transferred.
pub const FILE: &str = "file";

/// Numbers at the console begin here.
const CONSOLE: u32 = 16;
/// Priorities. Clients and their workers have the usual one, below all who serve them.
const PAGER: u8 = 12;
const SERVICE: u8 = 12;
const SERVER: u8 = 10;
/// The server's second endpoint.
const PAGING: usize = 1;
/// Frames for what a program's work needs beside what is counted: books, slots, a heap.
const SLACK: u32 = 64;

/// How large a troupe is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Clients, 1 to [`pager::CLIENTS_MAX`].
    pub clients: u32,
    /// Slices of the server's, as many sessions can be open at a time.
    pub slices: u32,
    /// Bytes that each slice has room for.
    pub bytes: u32,
    /// Frames that the server has for all slices together.
    pub frames: u32,
}

impl Size {
    fn tables(&self) -> u32 {
        self.bytes.div_ceil(BLOCK).max(1)
    }
}

/// The programs.
#[derive(Debug)]
pub struct Troupe {
    /// By number − 1; `None`: destroyed.
    clients: Vec<Option<Actor>>,
    pager: Actor,
    transfer: Actor,
    /// Endpoint 0: requests. Endpoint 1: paging.
    server: Option<Actor>,
}

impl Troupe {
    /// Starts all of them, with the slices set up.
    ///
    /// # Errors
    /// [`Failure`]; nothing is left then.
    pub fn start(services: &Services, size: Size) -> Result<Troupe, Failure> {
        let (paged, manager) = (new_endpoint()?, new_endpoint()?);
        let (requests, paging) = (new_endpoint()?, new_endpoint()?);
        let start = |name, endpoints, number, settings, grants: &[Grant<'_>]| {
            Actor::serving(endpoints, services, name, CONSOLE + number, settings, grants)
        };

        let settings = Program { frames: SLACK + 4 * size.tables(), ..Program::new(&[]) };
        let mut clients = Vec::new();
        for number in 1..=size.clients {
            let grants = [
                Grant::send("pager", paged.name(), number),
                Grant::send(transfer::TRANSFER, manager.name(), number),
                Grant::send(server::SERVER, requests.name(), number),
            ];
            let orders = Vec::from([(client::ORDERS, new_endpoint()?)]);
            clients.push(Some(start("client", orders, number, settings, &grants)?));
        }

        let spaces = pager::SPACES.into_iter().zip(clients.iter().flatten());
        let spaces = spaces.map(|(name, client)| Grant::whole(name, client.space(), Rights::EDIT, 0));
        let frames = pager::FRAMES.into_iter().zip(file_parts()).map(|(name, (source, part))| Grant {
            name,
            source,
            rights: Rights::EDIT.or(Rights::SHARE),
            part,
            total: 0,
        });
        let grants: Vec<Grant<'_>> = spaces.chain(frames).collect();
        let settings = Program { priority: PAGER, ..Program::new(&[]) };
        let pager = start("pager", Vec::from([(pager::ORDERS, paged)]), 10, settings, &grants)?;

        let grants = [
            Grant::send(transfer::SELF, manager.name(), transfer::WORKER),
            Grant::send(server::REQUESTS, requests.name(), server::SERVICE),
            Grant::send(server::PAGING, paging.name(), server::SERVICE),
        ];
        let given = [Grant::send(transfer::TRANSFER, manager.name(), transfer::SERVER)];
        let settings = Program { priority: SERVICE, ..Program::new(&[]) };
        let transfer = start("transfer", Vec::from([(transfer::MANAGER, manager)]), 11, settings, &grants)?;

        let frames = SLACK + 4 * size.tables() * size.slices + size.frames;
        let settings = Program { priority: SERVER, frames, ..Program::new(&[]) };
        let endpoints = Vec::from([(server::REQUESTS, requests), (server::PAGING, paging)]);
        let server = start("server", endpoints, 12, settings, &given)?;
        server.obeys(server::SETUP, &[size.slices, size.tables()])?;
        Ok(Troupe { clients, pager, transfer, server: Some(server) })
    }

    /// Client `number`, from 1 on.
    ///
    /// # Errors
    /// NoSuchProgram: it has been destroyed.
    pub fn client(&self, number: u32) -> Result<&Actor, Failure> {
        let member = self.clients.get(number.wrapping_sub(1) as usize).and_then(Option::as_ref);
        member.ok_or(Failure::NoSuchProgram)
    }

    /// The pager.
    pub fn pager(&self) -> &Actor {
        &self.pager
    }

    /// The transfer service.
    pub fn transfer(&self) -> &Actor {
        &self.transfer
    }

    /// The server.
    ///
    /// # Errors
    /// NoSuchProgram: it has been destroyed.
    pub fn server(&self) -> Result<&Actor, Failure> {
        self.server.as_ref().ok_or(Failure::NoSuchProgram)
    }

    /// Names and spaces of all that are left.
    pub fn spaces(&self) -> impl Iterator<Item = (&'static str, CapName)> {
        let clients = ["client1", "client2", "client3", "client4"].into_iter().zip(&self.clients);
        let clients = clients.filter_map(|(name, client)| Some((name, client.as_ref()?)));
        let server = self.server.iter().map(|server| ("server", server));
        let others = [("pager", &self.pager), ("transfer", &self.transfer)];
        clients.chain(others).chain(server).map(|(name, member)| (name, member.space()))
    }

    /// Sets a client's source region: the file's first `bytes` bytes, with none of them present.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn set_source(&self, number: u32, bytes: u32) -> Result<(), Failure> {
        let pages = bytes.div_ceil(FRAME);
        self.client(number)?.obeys(client::PREPARE, &[pages])?;
        self.pager.obeys(pager::REGION, &[number, client::SOURCE, pages, 0])?;
        Ok(())
    }

    /// Entries in use in the client's Tables for the source region, which `bytes` bytes need.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn present(&self, number: u32, bytes: u32) -> Result<u32, Failure> {
        let pages = bytes.div_ceil(FRAME);
        Ok(self.client(number)?.obeys(client::PREPARE, &[pages])?.word(0))
    }

    /// Has a client open a session. Returns its number, which is its slice's, and the capability to the frames
    /// that its worker stands on.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open(&self, number: u32, bytes: u32) -> Result<(u32, Slot), Failure> {
        let frames = Slot::take().ok_or(Failure::NoSlot)?;
        let utcb = Utcb::current();
        utcb.set_slots(frames.name(), 1);
        let answer = self.client(number)?.obeys(client::OPEN, &[bytes]);
        utcb.set_slots(CapName::NONE, 0);
        Ok((answer?.word(0), frames))
    }

    /// Faults of a client's that the pager has dealt with since its region was set, and whether it holds one.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn faults(&self, number: u32) -> Result<(u32, bool), Failure> {
        let answer = self.pager.obeys(pager::FAULTS, &[number])?;
        Ok((answer.word(0), answer.word(1) != 0))
    }

    /// What the server's pager knows of a slice.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn slice(&self, slice: u32) -> Result<SliceState, Failure> {
        let answer = self.paging(server::FILLS, &[slice])?;
        Ok(SliceState { fills: answer.word(0), frames: answer.word(1), held: answer.word(2) != 0 })
    }

    /// How often the service has asked the server for a slice's release.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn releases(&self, slice: u32) -> Result<u32, Failure> {
        Ok(self.paging(server::FILLS, &[slice])?.word(3))
    }

    /// Sessions that are open, or whose slices are not yet cleared away.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn sessions(&self) -> Result<u32, Failure> {
        Ok(self.transfer.obeys(transfer::SESSIONS, &[])?.word(0))
    }

    /// Slices that the service has.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn slices(&self) -> Result<u32, Failure> {
        Ok(self.transfer.obeys(transfer::SESSIONS, &[])?.word(1))
    }

    /// Clients that wait for a session.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn waiting(&self) -> Result<u32, Failure> {
        Ok(self.transfer.obeys(transfer::SESSIONS, &[])?.word(2))
    }

    /// A way to the transfer service's manager under a badge: for a client, or a server, that the first program
    /// plays itself.
    ///
    /// # Errors
    /// NoSlot, or the kernel's.
    pub fn way(&self, badge: u32) -> Result<Slot, Failure> {
        let slot = Slot::take().ok_or(Failure::NoSlot)?;
        calls::derive(self.transfer.endpoint(0), slot.reference(), Rights::SEND, badge, 0)?;
        Ok(slot)
    }

    /// An order to the server's pager, which must be answered with DONE; the answer.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn paging(&self, label: u16, words: &[u32]) -> Result<Message, Failure> {
        expect(self.server()?.order_at(PAGING, label, words)?, DONE)
    }

    /// Destroys a client. Returns the frames that came back.
    ///
    /// # Errors
    /// NoSuchProgram: it has been destroyed before. Stopped: a frame could not be reclaimed.
    pub fn destroy_client(&mut self, number: u32) -> Result<u32, Failure> {
        let member = self.clients.get_mut(number.wrapping_sub(1) as usize).and_then(Option::take);
        Ok(member.ok_or(Failure::NoSuchProgram)?.destroy()?)
    }

    /// Destroys the server. Returns the frames that came back.
    ///
    /// # Errors
    /// As [`Troupe::destroy_client`].
    pub fn destroy_server(&mut self) -> Result<u32, Failure> {
        Ok(self.server.take().ok_or(Failure::NoSuchProgram)?.destroy()?)
    }

    /// Destroys all that are left, first those whom others serve. Returns the frames that came back.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed.
    pub fn destroy(self) -> Result<u32, Stop> {
        let clients = self.clients.into_iter().flatten();
        let others = [self.transfer, self.pager].into_iter().chain(self.server);
        // All of them end, whatever happens to one.
        let ends: Vec<Result<u32, Stop>> = clients.chain(others).map(Actor::destroy).collect();
        ends.into_iter().sum()
    }
}

/// A slice, as the server's pager knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceState {
    /// Pages filled since the slice was made.
    pub fills: u32,
    /// Frames in it now.
    pub frames: u32,
    /// Whether a request for a page is held.
    pub held: bool,
}

/// The file's frames: for each block of memory that it lies in, the container and the part of it.
fn file_parts() -> impl Iterator<Item = (CapName, Part)> {
    let module = modules::all().find(|(name, ..)| *name == FILE).map(|(_, _, module)| module);
    let memory = module.map_or(0..0, |module| module.memory.start..module.memory.end);
    let (first, end) = (memory.start / FRAME, memory.end.div_ceil(FRAME));
    (first / ENTRIES..end.div_ceil(ENTRIES)).filter_map(move |block| {
        let from = first.max(block * ENTRIES);
        let count = end.min((block + 1) * ENTRIES).saturating_sub(from);
        let part = Part::Range { first: from % ENTRIES, count };
        (count != 0).then_some((CapName(BLOCKS.0 + block), part))
    })
}

/// Waits until something holds, at most `limit` milliseconds. Returns whether it does.
///
/// # Errors
/// Those of the condition.
pub fn until(limit: u32, mut holds: impl FnMut() -> Result<bool, Failure>) -> Result<bool, Failure> {
    for _ in 0..limit {
        if holds()? {
            return Ok(true);
        }
        time::sleep(1);
    }
    holds()
}
