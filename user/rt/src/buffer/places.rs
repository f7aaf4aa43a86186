//! What a server keeps for its clients: one buffer each, for a request that is not complete or a reply that is
//! not fetched.
//!
//! What must hold: a place is dropped without asking anybody; its client is known by its badge, its call by the
//! ticket. A server with as many places as it has given badges never drops any; with fewer, the one that was used
//! longest ago goes. So a client costs a server at most one buffer, and one that never comes back, nothing that
//! another one needs.

use alloc::vec::Vec;

use freehold_protocol::buffer::{LOST, UNKNOWN};

use super::wire::Head;

/// What is in a place.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing that counts.
    Empty,
    /// The first so many bytes of a request.
    Gathering(Head, usize),
    /// A reply.
    Kept(Kept),
}

/// A reply that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub status: u32,
    pub bytes: u32,
}

struct Place<'a> {
    /// The client's; `None`: nobody has it.
    badge: Option<u32>,
    ticket: u16,
    used: u32,
    state: State,
    piece: &'a mut [u8],
}

/// All of them.
pub(super) struct Places<'a> {
    places: Vec<Place<'a>>,
    clock: u32,
    /// Whether a client ever lost its place: only then can a client's latest call have been seen and not be known
    /// here. It stays so: who lost a place may come back at any time, and whose badge it was is not kept.
    dropped: bool,
}

impl<'a> Places<'a> {
    /// Places with these buffers.
    pub fn new(pieces: impl Iterator<Item = &'a mut [u8]>) -> Places<'a> {
        let place = |piece| Place { badge: None, ticket: 0, used: 0, state: State::Empty, piece };
        Places { places: pieces.map(place).collect(), clock: 0, dropped: false }
    }

    fn find(&mut self, badge: u32) -> Option<usize> {
        let found = self.places.iter().position(|place| place.badge == Some(badge))?;
        self.clock = self.clock.wrapping_add(1);
        self.places[found].used = self.clock;
        Some(found)
    }

    /// The client's place for a new call, whatever was in it.
    pub fn take(&mut self, badge: u32, ticket: u16) -> usize {
        let index = self.find(badge).unwrap_or_else(|| {
            self.clock = self.clock.wrapping_add(1);
            let age = |place: &Place<'_>| match place.badge {
                None => u32::MAX,
                Some(_) => self.clock.wrapping_sub(place.used),
            };
            let oldest = (0..self.places.len()).max_by_key(|&index| age(&self.places[index]));
            let oldest = oldest.expect("a server has at least one place");
            let place = &mut self.places[oldest];
            self.dropped |= place.badge.is_some();
            place.badge = Some(badge);
            place.used = self.clock;
            oldest
        });
        let place = &mut self.places[index];
        (place.ticket, place.state) = (ticket, State::Empty);
        index
    }

    /// The place begins to gather a request.
    pub fn gather(&mut self, place: usize, head: Head) -> &mut [u8] {
        let place = &mut self.places[place];
        place.state = State::Gathering(head, 0);
        place.piece
    }

    /// The first `have` bytes of the request are there. Returns `have`.
    pub fn gathered(&mut self, place: usize, have: usize) -> usize {
        if let State::Gathering(_, known) = &mut self.places[place].state {
            *known = have;
        }
        have
    }

    /// The request that is being gathered for this call: place, head, bytes that are there.
    pub fn gathering(&mut self, badge: u32, ticket: u32) -> Option<(usize, Head, usize)> {
        let index = self.find(badge)?;
        match self.places[index].state {
            State::Gathering(head, have) if u32::from(head.ticket) == ticket => Some((index, head, have)),
            _ => None,
        }
    }

    /// Keeps a reply that lies in the place's buffer.
    pub fn keep(&mut self, place: usize, kept: Kept) {
        self.places[place].state = State::Kept(kept);
    }

    /// The reply of a call. The error is the label of the answer to who asks for one that is not there. UNKNOWN says
    /// for certain that the call was not carried out, if it is the client's latest one, and an honest client asks for no
    /// other; of an earlier call, whose place the latest one took, it says nothing.
    pub fn kept(&mut self, badge: u32, ticket: u32) -> Result<(usize, Kept), u16> {
        let Some(index) = self.find(badge) else { return Err(if self.dropped { LOST } else { UNKNOWN }) };
        let place = &self.places[index];
        match place.state {
            State::Kept(kept) if u32::from(place.ticket) == ticket => Ok((index, kept)),
            _ if u32::from(place.ticket) == ticket || self.dropped => Err(LOST),
            _ => Err(UNKNOWN),
        }
    }

    /// The place's buffer.
    pub fn piece(&mut self, place: usize) -> &mut [u8] {
        self.places[place].piece
    }

    /// Exchanges the place's buffer for another one.
    pub fn swap(&mut self, place: usize, other: &mut &'a mut [u8]) {
        core::mem::swap(&mut self.places[place].piece, other);
    }
}
