//! The root's memory, under designs with a pool: pages for each client, mapped by map items on request or where it faults.
//!
//! What must hold: a client has at most [`PAGES`] mappings of the root's, in at most [`BLOCKS`] blocks of 4 MiB: a page
//! that it asks for again is taken back from where it was before. So what a client costs the kernel *through the root* is
//! bounded, by a careful root; what it does with its pages afterwards is not.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

use freehold_first::actor::new_endpoint;
use freehold_first::failure::Failure;
use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_protocol::attack::{BLOCKS, MAP, PAGES, UNMAP};
use freehold_rt::abi::designs::{Design, Fpage, MapItem};
use freehold_rt::abi::fault::{PAGE_FAULT, RESUME, STOP};
use freehold_rt::abi::layout::{BLOCK, FRAME};
use freehold_rt::calls::Received;
use freehold_rt::load::Grant;
use freehold_rt::lock::Mutex;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options};
use freehold_rt::{CapName, Error, Message, Rights, calls, layout, memory, serve};

use crate::plan::ATTACKERS_MAX;

/// Of the thread that serves it: above all clients.
const PRIORITY: u8 = 13;
/// Where clients' pages lie in the own space, one client's behind the other's: far from where modules are seen.
const PLACE: u32 = layout::OWN + 64 * BLOCK;

/// Clients at most: the victim's two programs, and attackers.
const CLIENTS_MAX: u32 = 2 + 2 * ATTACKERS_MAX;

static CLIENTS: Mutex<BTreeMap<u32, Client>> = Mutex::new(BTreeMap::new());

/// A client, by its badge.
struct Client {
    frames: Vec<Extent>,
    /// Address of its page 0 in the own space.
    place: u32,
    /// Pages that are mapped somewhere in its space, a bit each.
    mapped: u64,
    /// Blocks of its space in which it has had pages.
    blocks: Vec<u32>,
    /// Faults dealt with.
    faults: u32,
}

const _: () = assert!(PAGES == u64::BITS);

/// The thread that serves it; nothing, under designs without a pool.
pub struct Memory(Option<Slot>);

impl Memory {
    /// Starts it.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(design: Design) -> Result<Memory, Failure> {
        if !design.has_pool() {
            return Ok(Memory(None));
        }
        // The own tables for these addresses, which stay when the pages are gone, are there before anything is counted.
        for block in 0..CLIENTS_MAX * PAGES * FRAME / BLOCK + 1 {
            let frame = memory::take(1, 1).ok_or(Failure::NoMemory)?;
            let (range, place) = (calls::range(frame.first, 1), PLACE + block * BLOCK);
            calls::give(frame.container, range, CapName::NONE, place, Rights::NONE)?;
            memory::release(frame)?;
        }
        let endpoint = new_endpoint()?;
        thread::spawn(run, endpoint.name().0, Options { stack_pages: 8, ..Options::new(PRIORITY) })?;
        Ok(Memory(Some(endpoint)))
    }

    /// The way to it, for this client.
    pub fn grant<'a>(&self, name: &'a str, badge: u32) -> Option<Grant<'a>> {
        self.0.as_ref().map(|endpoint| Grant::send(name, endpoint.name(), badge))
    }

    /// Takes back all that was mapped onward from a client's pages, which it keeps asking for.
    ///
    /// # Errors
    /// The kernel's.
    pub fn take_back(badge: u32) -> Result<(), Error> {
        let place = CLIENTS.lock().get(&badge).map(|client| client.place);
        place.map_or(Ok(()), |place| calls::fpage_unmap(Fpage::new(place, PAGES.ilog2(), 0), false))
    }

    /// Forgets all clients and takes their pages back, wherever they are mapped.
    ///
    /// # Errors
    /// [`Failure`]: some could not be.
    pub fn clear(&self) -> Result<(), Failure> {
        let clients = core::mem::take(&mut *CLIENTS.lock());
        for extent in clients.into_values().flat_map(|client| client.frames) {
            memory::release(extent)?;
        }
        Ok(())
    }
}

fn run(endpoint: u32) {
    serve::serve(CapName(endpoint), |received| {
        Some(match received {
            Ok(received) => answer(&received),
            // The answer could not be given: the caller, which still waits, learns why.
            Err(error) => Message::of(FAILED, &[error as u32]),
        })
    });
}

fn answer(received: &Received) -> Message {
    let message = &received.message;
    let [first, second] = [message.word(0), message.word(1)];
    let mut clients = CLIENTS.lock();
    let next = PLACE + clients.len() as u32 * PAGES * FRAME;
    let client = match client(&mut clients, received.badge, next) {
        Ok(client) => client,
        Err(error) => return Message::of(FAILED, &[error as u32]),
    };
    match message.label() {
        MAP => client.map(DONE, first, second).unwrap_or(Message::new(REFUSED)),
        UNMAP => match client.unmap(first) {
            Ok(()) => Message::new(DONE),
            Err(error) => Message::of(FAILED, &[error as u32]),
        },
        PAGE_FAULT => {
            // The upper half of its pages goes round.
            let page = PAGES / 2 + client.faults % (PAGES / 2);
            client.faults += 1;
            client.map(RESUME, page, first & !(FRAME - 1)).unwrap_or(Message::new(STOP))
        }
        _ => Message::new(REFUSED),
    }
}

/// The client with this badge, and its pages, which are made when it first asks.
fn client(clients: &mut BTreeMap<u32, Client>, badge: u32, place: u32) -> Result<&mut Client, Error> {
    match clients.entry(badge) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(free) => Ok(free.insert(Client::new(place)?)),
    }
}

impl Client {
    /// Gives the pool frames for its pages, which are the root's from `place` on.
    fn new(place: u32) -> Result<Client, Error> {
        let mut client = Client { frames: Vec::new(), place, mapped: 0, blocks: Vec::new(), faults: 0 };
        let mut given = 0;
        while given < PAGES {
            let Some(extent) = memory::take_up_to(PAGES - given, 1) else {
                return Err(client.undo(Error::PoolExhausted));
            };
            let range = calls::range(extent.first, extent.count);
            client.frames.push(extent);
            let at = place + given * FRAME;
            if let Err(error) = calls::give(extent.container, range, CapName::NONE, at, Rights::WRITE) {
                return Err(client.undo(error));
            }
            given += extent.count;
        }
        Ok(client)
    }

    /// Gives back what there is of it, and returns the error.
    fn undo(self, error: Error) -> Error {
        for extent in self.frames {
            // What cannot be reclaimed stays out of use, and is seen to be lost.
            let _ = memory::release(extent);
        }
        error
    }

    /// A message that maps page `page` at `address` in the client's space. `None`: it has no such page, or has pages in too
    /// many blocks.
    fn map(&mut self, label: u16, page: u32, address: u32) -> Option<Message> {
        if page >= PAGES {
            return None;
        }
        let block = address / BLOCK;
        if !self.blocks.contains(&block) {
            if self.blocks.len() as u32 == BLOCKS {
                return None;
            }
            self.blocks.push(block);
        }
        if self.mapped & 1 << page != 0 {
            self.unmap(page).ok()?;
        }
        self.mapped |= 1 << page;
        let fpage = Fpage::new(self.place + page * FRAME, 0, Rights::WRITE.bits());
        let item = MapItem { fpage, hot_spot: address / FRAME, grant: false };
        let mut message = Message::new(label);
        message.push_map(item);
        Some(message)
    }

    fn unmap(&mut self, page: u32) -> Result<(), Error> {
        if page >= PAGES {
            return Err(Error::OutOfRange);
        }
        self.mapped &= !(1 << page);
        calls::fpage_unmap(Fpage::new(self.place + page * FRAME, 0, 0), false)
    }
}
