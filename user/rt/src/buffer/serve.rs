//! The server's side: one loop that answers in all six ways at once.
//!
//! What must hold: a complete request lies in the arrival buffer, and the reply to it is written to the client's
//! place; between two messages nothing else counts. Before each receive all that the next message could use is
//! set anew: buffer, fault limits, slot. A capability that came with a message is gone before it is answered. The handler may
//! call other servers, but must not receive.

use freehold_protocol::buffer::{
    BAD, DISTRUST, GET, HOOK, LEND, PULL, PUT, PUT_ON, REST, STRING, TAKE, TOO_LARGE,
};

use freehold_protocol::server::{COMPLETE, SERVICE};

use freehold_abi::designs::Fpage;
use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::{CapName, Error};

use super::places::{Kept, Places};
use super::wire::{Head, Letter};
use super::{Trust, container, own, pull, registers, service, strings};
use crate::Utcb;
use crate::calls::{self, Broken};
use crate::memory::MapError;
use crate::slots::Slot;
use crate::transfer::slices::Slices;
use crate::utcb::Part;

/// What a server is made of.
pub struct Config<'a> {
    /// The endpoint, with Receive.
    pub endpoint: CapName,
    /// What the server makes of its clients.
    pub trust: Trust,
    /// Its buffers' memory, cut into `clients` + 1 equal pieces: requests and replies have at most the bytes of
    /// a piece, but for those in containers and slices.
    pub memory: &'a mut [u8],
    /// Clients that a buffer can be kept for: as many as there are badges, if none is to lose it ever.
    pub clients: usize,
    /// Directory index at which containers are hooked, or pages lent by a map item come to lie; nothing else lies there.
    /// `None`: none are.
    pub window: Option<u32>,
    /// The slices that a transfer service brings requests in, if there is one: its badge here is
    /// [`freehold_protocol::server::SERVICE`].
    pub slices: Option<&'a Slices>,
}

/// A server.
pub struct Server<'a> {
    pub(super) endpoint: CapName,
    pub(super) trust: Trust,
    pub(super) window: Option<u32>,
    slices: Option<&'a Slices>,
    /// Where requests come to lie.
    pub(super) arrival: &'a mut [u8],
    pub(super) places: Places<'a>,
    /// Where a capability arrives; `None`: none can.
    pub(super) slot: Option<Slot>,
}

/// A complete request.
#[derive(Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub badge: u32,
    /// What it asks.
    pub op: u16,
    /// The arguments of that.
    pub args: [u32; 2],
    /// The request's bytes.
    pub data: &'a [u8],
    /// Where the reply goes: as much room as client and server have. It holds what earlier calls have left there,
    /// other clients' among them: what the handler counts as reply it must have written.
    pub room: &'a mut [u8],
}

/// What a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// The parties' own.
    pub status: u32,
    /// Bytes of the reply, at the beginning of the room.
    pub bytes: u32,
}

/// A handler as the ways see it.
pub(super) type Handler<'h> = &'h mut dyn FnMut(Request<'_>) -> Response;

/// How a message is answered.
pub(super) struct Answer {
    pub letter: Letter,
    pub along: Along,
}

/// What goes along with an answer.
pub(super) enum Along {
    Nothing,
    /// A third word.
    Word(u32),
    /// Bytes of a kept reply, behind the two words.
    Words(Part),
    /// What is left of a kept reply, as a string.
    String(Part),
}

impl From<Letter> for Answer {
    fn from(letter: Letter) -> Answer {
        Answer { letter, along: Along::Nothing }
    }
}

/// The answer to what makes no sense.
pub(super) fn bad(error: Option<Error>) -> Answer {
    bad_letter(error).into()
}

fn bad_letter(error: Option<Error>) -> Letter {
    Letter::new(BAD, [error.map_or(0, |error| error as u32), 0])
}

impl<'a> Server<'a> {
    /// A server that has heard nothing yet.
    ///
    /// # Errors
    /// OutOfSlots; OutOfMemory if the memory has no byte for each client.
    pub fn new(config: Config<'a>) -> Result<Server<'a>, MapError> {
        let Config { endpoint, trust, memory, clients, window, slices } = config;
        let clients = clients.max(1);
        let size = memory.len() / (clients + 1);
        if size == 0 {
            return Err(MapError::OutOfMemory);
        }
        // A server that trusts nobody has no slot: clearing away what is sent to it could take long, since
        // its sender chooses what hangs on it.
        let slot = match trust {
            Trust::Trusting => Some(Slot::take().ok_or(MapError::OutOfSlots)?),
            Trust::Distrusting => None,
        };
        let mut pieces = memory.chunks_exact_mut(size).take(clients + 1);
        let arrival = pieces.next().expect("two pieces or more");
        let places = Places::new(pieces);
        Ok(Server { endpoint, trust, window, slices, arrival, places, slot })
    }

    /// Bytes that a request, or a reply, can have in a buffer of the server's.
    pub fn bytes_max(&self) -> usize {
        self.arrival.len()
    }

    /// The request's bytes, if they fit.
    pub(super) fn accept(&self, head: &Head) -> Option<usize> {
        Some(head.bytes as usize).filter(|&bytes| bytes <= self.bytes_max())
    }

    /// The answer to one that does not fit.
    pub(super) fn too_large(&self) -> Answer {
        Letter::new(TOO_LARGE, [self.bytes_max() as u32, 0]).into()
    }

    /// A gathered request becomes the one that is dealt with.
    pub(super) fn take_gathered(&mut self, place: usize) {
        self.places.swap(place, &mut self.arrival);
    }

    /// Has the request handled that lies in the arrival buffer, and keeps the reply.
    pub(super) fn finish(&mut self, place: usize, badge: u32, head: &Head, handler: Handler<'_>) -> Kept {
        let room = self.places.piece(place);
        let most = room.len().min(head.room as usize);
        let (data, room) = (&self.arrival[..head.bytes as usize], &mut room[..most]);
        let response = handler(Request { badge, op: head.op, args: head.args, data, room });
        let kept = Kept { status: response.status, bytes: response.bytes.min(most as u32) };
        self.places.keep(place, kept);
        kept
    }

    /// Deals with a message. Whatever of it is in the UTCB is read before anything is called.
    fn handle(&mut self, badge: u32, letter: &Letter, handler: Handler<'_>) -> Answer {
        match letter.label() {
            COMPLETE if badge == SERVICE => service::complete(self.slices, letter, handler),
            PUT => registers::put(self, badge, letter, handler),
            PUT_ON => registers::put_on(self, badge, letter, handler),
            GET => registers::get(self, badge, letter),
            STRING => strings::string(self, badge, letter, handler),
            REST => strings::rest(self, badge, letter),
            PULL => pull::pull(self, badge, letter, handler),
            TAKE => pull::take(self, badge, letter),
            HOOK | LEND if self.slot.is_none() => Letter::bare(DISTRUST).into(),
            HOOK | LEND => container::hook(self, badge, letter, handler),
            _ => bad(None),
        }
    }

    /// Makes ready for the next message.
    fn prepare(&mut self) {
        let utcb = Utcb::current();
        match &self.slot {
            Some(slot) => utcb.set_slots(slot.name(), 1),
            None => utcb.set_slots(CapName::NONE, 0),
        }
        // SAFETY: the arrival buffer is the server's alone, and nothing of it counts now.
        unsafe { utcb.set_buffers(&[own::part(self.arrival)]) };
        utcb.set_receive_faults(FOREVER, self.trust.patience());
        utcb.set_send_faults(FOREVER, self.trust.patience());
    }

    /// Answers, if there is an answer to give, and takes the next message.
    fn exchange(&mut self, answer: Option<Answer>) -> Result<(u32, Letter), Broken> {
        self.prepare();
        let (badge, tag, words) = match answer {
            None => calls::receive_strings_short(self.endpoint)?,
            Some(Answer { letter, along: Along::String(string) }) => {
                Utcb::current().set_strings(&[string]);
                match calls::reply_receive_strings_short(letter.tag, letter.words, self.endpoint) {
                    Err(broken) if not_answered(broken, string) => {
                        calls::receive_strings_short(self.endpoint)?
                    }
                    received => received?,
                }
            }
            Some(Answer { mut letter, along }) => {
                match along {
                    Along::Word(word) => letter.put(&word.to_le_bytes()),
                    // SAFETY: it lies in a place's piece, which nobody else has changed since.
                    Along::Words(part) => letter.put(unsafe { own::bytes(part) }),
                    Along::Nothing | Along::String(_) => {}
                }
                calls::reply_receive_strings_short(letter.tag, letter.words, self.endpoint)?
            }
        };
        Ok((badge, Letter { tag, words }))
    }

    /// What arrived in the slot leaves.
    fn clear(&self, letter: &Letter) {
        // Pages go to a window, and leave it when their giver says so.
        let arrived = letter.tag.items() != 0 && letter.label() != LEND;
        if let Some(slot) = self.slot.as_ref().filter(|_| arrived) {
            // An own slot can be deleted.
            let _ = calls::delete(slot.reference());
        }
    }
}

/// Whether it was the answer with `string` that failed, and not what was received behind it; deals with that.
fn not_answered(broken: Broken, string: Part) -> bool {
    match broken {
        // The client asks for the rest, which then is here.
        Broken { error: Error::FaultMine, address, .. } if own::holds(string, address) => {
            // SAFETY: it lies in a place's piece, which is the server's.
            unsafe { own::touch_from(string, address, false) };
        }
        // It said that it has room, and has none.
        Broken { error: error @ Error::NoRoom, .. } => {
            // It may be gone by now.
            let letter = bad_letter(Some(error));
            let _ = calls::reply_strings_short(letter.tag, letter.words);
        }
        // It touches its memory and asks for the rest; or it is gone.
        Broken { error: Error::FaultTheirs | Error::PeerGone | Error::NoReply, .. } => {}
        _ => return false,
    }
    true
}

/// Serves until nothing can be received any more, and says why: the endpoint is gone, or the thread's time limit
/// has passed, after which it can be called again. Requests go to `handler` when they are complete.
pub fn serve(server: &mut Server<'_>, mut handler: impl FnMut(Request<'_>) -> Response) -> Error {
    let pages = server.window.filter(|_| server.slot.is_some() && calls::design().has_pool());
    Utcb::current().set(utcb::WINDOW, pages.map_or(Fpage::NONE, container::pages).0);
    let mut answer = None;
    loop {
        match server.exchange(answer.take()) {
            Ok((badge, letter)) => {
                answer = Some(server.handle(badge, &letter, &mut handler));
                server.clear(&letter);
            }
            // Its own page, while a request arrived. The client hears of it, and tries again.
            Err(Broken { error: Error::FaultMine, address, .. }) => {
                // SAFETY: the arrival buffer is the server's.
                unsafe { own::touch_from(own::part(server.arrival), address, true) };
            }
            // The client is gone, or gave no way to answer.
            Err(Broken { error: Error::NoReply, .. }) => {}
            Err(broken) => {
                // Slot and window are the server's, which may end now.
                Utcb::current().set_slots(CapName::NONE, 0);
                Utcb::current().set(utcb::WINDOW, Fpage::NONE.0);
                return broken.error;
            }
        }
    }
}
