//! The client's side: a server as its client sees it.
//!
//! What must hold: a badge has one call under way at a time, and each call has a ticket of its own among the
//! program's last 65,536, so that nothing that the server keeps of one is taken for another's. So two peers with
//! the same badge are used one after the other, and a badge is not given to a second program while the first
//! one's calls can be kept. How long a call may take is the thread's time limits' business.

use core::sync::atomic::{AtomicU16, Ordering};

use freehold_abi::layout::STRING_BYTES_MAX;
use freehold_abi::{CapName, Tag};
use freehold_protocol::trace::SENDS;

use super::choose::{self, Direction};
use super::container::Shared;
use super::wire::{Head, Letter};
use super::{Done, Failure, Trust, Way, container, own, pull, registers, service, touched, wired};
use crate::memory::MapError;
use crate::transfer::{self, Session};
use crate::utcb::Part;
use crate::{calls, trace};

/// A server, and what the client has for calling it.
#[derive(Debug)]
pub struct Peer {
    pub(super) server: CapName,
    pub(super) trust: Trust,
    pub(super) shared: Option<Shared>,
    /// The session, and the bytes that it was opened for.
    pub(super) session: Option<(Session, u32)>,
}

/// The last call's.
static TICKET: AtomicU16 = AtomicU16::new(0);

impl Peer {
    /// The server behind an endpoint, and what the client makes of it.
    pub const fn new(server: CapName, trust: Trust) -> Peer {
        Peer { server, trust, shared: None, session: None }
    }

    /// The same with a region for [`Way::Container`]: `bytes` of memory, in a Table at `address`, a multiple
    /// of 4 MiB among the program's own addresses.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn with_shared(self, address: u32, bytes: u32) -> Result<Peer, MapError> {
        Ok(Peer { shared: Some(Shared::new(address, bytes)?), ..self })
    }

    /// The same with a region that is there already: `bytes` of pages of the pool's at `address`, a multiple of 4 MiB, with
    /// the right to write, for as long as the peer exists. They go to the server by map items.
    pub fn with_lent(self, address: u32, bytes: u32) -> Peer {
        Peer { shared: Some(Shared::lent(address, bytes)), ..self }
    }

    /// The same with a session at the transfer service that `service` leads to, for [`Way::Service`]: requests and
    /// replies of at most `bytes`, a worker of this priority.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn with_service(self, service: CapName, bytes: u32, priority: u8) -> Result<Peer, transfer::Failure> {
        Ok(Peer { session: Some((Session::open(service, bytes, priority)?, bytes)), ..self })
    }

    /// The region for [`Way::Container`], to put requests into and to find replies in without a copy
    /// ([`container::call_in_place`]).
    pub fn shared(&mut self) -> Option<&mut Shared> {
        self.shared.as_mut()
    }

    /// What the client makes of the server.
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// Calls the server by this way: `op` and `args` are the two parties' own, the reply goes to the beginning of
    /// `reply`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn call_by(
        &mut self,
        way: Way,
        op: u16,
        args: [u32; 2],
        request: &[u8],
        reply: &mut [u8],
    ) -> Result<Done, Failure> {
        match way {
            Way::Registers => registers::call(self, op, args, request, reply),
            Way::Wired => wired::call(self, op, args, request, reply),
            Way::Touched => touched::call(self, op, args, request, reply),
            Way::Container => container::call(self, op, args, request, reply),
            Way::Pull => pull::call(self, op, args, request, reply),
            Way::Service => service::call(self, op, args, request, reply),
        }
    }

    /// Calls the server with a request, by the way that the table of crossovers names for its size, for the
    /// client's trust, and for whether it is resident. If that way cannot be gone, and the call was not carried
    /// out, by the next one that the table names; in the end by [`Way::Pull`], which needs nothing.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn send(&mut self, op: u16, args: [u32; 2], request: &[u8]) -> Result<Done, Failure> {
        self.attempt(Direction::Send, own::part(request), |peer, way| {
            peer.call_by(way, op, args, request, &mut [])
        })
    }

    /// The same for a reply.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn receive(&mut self, op: u16, args: [u32; 2], reply: &mut [u8]) -> Result<Done, Failure> {
        self.attempt(Direction::Receive, own::part(reply), |peer, way| {
            peer.call_by(way, op, args, &[], reply)
        })
    }

    /// The way that [`Peer::send`] and [`Peer::receive`] try first.
    pub fn choose(&self, direction: Direction, buffer: &[u8]) -> Way {
        self.choose_but(direction, own::part(buffer), Tried::default())
    }

    /// The same, but for ways that have been tried in vain.
    fn choose_but(&self, direction: Direction, buffer: Part, tried: Tried) -> Way {
        let bytes = buffer.bytes;
        let usable = |way| match way {
            _ if tried[way as usize] => false,
            Way::Container => self.shared.as_ref().is_some_and(|shared| shared.bytes() >= bytes),
            Way::Service => self.session.as_ref().is_some_and(|&(_, most)| most >= bytes),
            Way::Wired | Way::Touched => bytes <= STRING_BYTES_MAX,
            Way::Registers | Way::Pull => true,
        };
        choose::way(direction, self.trust, own::resident(buffer), bytes, usable)
    }

    fn attempt(
        &mut self,
        direction: Direction,
        buffer: Part,
        mut call: impl FnMut(&mut Peer, Way) -> Result<Done, Failure>,
    ) -> Result<Done, Failure> {
        let mut tried = Tried::default();
        loop {
            let way = self.choose_but(direction, buffer, tried);
            match call(self, way) {
                Err(failure) if failure.is_about_the_way() && way != Way::Pull => {
                    tried[way as usize] = true;
                }
                result => return result,
            }
        }
    }

    /// The head of the next call.
    pub(super) fn head(op: u16, args: [u32; 2], request: &[u8], reply: &[u8]) -> Head {
        let ticket = TICKET.fetch_add(1, Ordering::Relaxed);
        // Addresses have 32 bits, so lengths have.
        Head { op, ticket, args, bytes: request.len() as u32, room: reply.len() as u32 }
    }
}

/// Which ways have been tried in vain.
type Tried = [bool; Way::ALL.len()];

/// What a call has taken so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub retries: u32,
    pub messages: u32,
}

impl Tally {
    /// Calls, and counts.
    #[inline]
    pub fn call(&mut self, server: CapName, letter: Letter) -> Result<Letter, Failure> {
        self.sends(letter.tag);
        let (tag, words) = calls::call_short(server, letter.tag, letter.words)?;
        Ok(Letter { tag, words })
    }

    /// Counts a message that is about to be sent.
    pub fn sends(&mut self, tag: Tag) {
        self.messages += 1;
        trace::note(SENDS, tag.label().into(), u32::from(tag.has_strings()));
    }

    /// Counts a retry; fails with `failure` if there were more than `most`.
    pub fn retry(&mut self, most: u32, failure: Failure) -> Result<(), Failure> {
        self.retries += 1;
        if self.retries > most { Err(failure) } else { Ok(()) }
    }

    /// What the call came to.
    pub fn done(self, way: Way, status: u32, bytes: usize) -> Done {
        Done { status, bytes: bytes as u32, way, retries: self.retries, messages: self.messages }
    }
}
