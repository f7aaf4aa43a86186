//! What ways 2 and 3 share: the exchange by strings, stopped and resumed.
//!
//! A request that stops is sent again from its first byte: the server learned nothing of it. A reply that stops
//! ends the call, and its status and length did not travel; the server keeps it, and the client asks for what is
//! behind the bytes that it has ([`REST`]), so often as needed.
//!
//! What must hold: if a page was missing at the server, the client cannot tell by that whether it was in the
//! request or in the reply. It asks: the server says [`UNKNOWN`] only if it never saw the call. So no call is
//! carried out twice.

use freehold_protocol::answer::DONE;
use freehold_protocol::buffer::{REST, STRING, UNKNOWN};
use freehold_protocol::trace::STOPPED;

use freehold_abi::Error;

use super::peer::Tally;
use super::places::Kept;
use super::serve::{Along, Answer, Handler, Server, bad};
use super::wire::{self, Head, Letter};
use super::{Done, Failure, Peer, Way, own};
use crate::calls::{self, Broken};
use crate::utcb::Part;
use crate::{Utcb, trace};

/// How often a client tries again because a page was missing at the server, beside once for each piece that the
/// server touches at a time.
const ATTEMPTS: u32 = 8;

/// The client's memory, made present in the way's own manner.
pub(super) trait Present {
    /// The page at `address` of `part` was missing, for the `count`th time.
    ///
    /// # Errors
    /// [`Failure`]: it cannot be made present.
    fn missing(&mut self, part: Part, address: u32, write: bool, count: u32) -> Result<(), Failure>;
}

/// Which half of the call is under way.
#[derive(Clone, Copy)]
enum Half {
    Request,
    /// The reply, of which so many bytes are here. `Asked`: it is not certain that there is one.
    Reply {
        done: u32,
        asked: bool,
    },
}

/// Calls the server by strings.
pub(super) fn exchange(
    peer: &mut Peer,
    (op, args): (u16, [u32; 2]),
    request: &[u8],
    reply: &mut [u8],
    way: Way,
    present: &mut dyn Present,
) -> Result<Done, Failure> {
    let head = Peer::head(op, args, request, reply);
    let (from, to) = (own::part(request), own::part(reply));
    let most = ATTEMPTS + 2 * (from.bytes.div_ceil(own::AHEAD) + to.bytes.div_ceil(own::AHEAD));
    let mut tally = Tally::default();
    let (mut mine, mut theirs) = (0, 0);
    let mut half = Half::Request;
    loop {
        let done = match half {
            Half::Request => 0,
            Half::Reply { done, .. } => done,
        };
        match attempt(peer, &mut tally, &head, half, from, own::behind(to, done)) {
            Ok(answer) if answer.label() == UNKNOWN && matches!(half, Half::Reply { asked: true, .. }) => {
                half = Half::Request;
            }
            Ok(answer) => {
                let (status, whole) = wire::done(&answer, reply.len())?;
                if done as usize + answer.arrived() as usize != whole {
                    return Err(Failure::Nonsense(DONE));
                }
                return Ok(tally.done(way, status, whole));
            }
            Err(Broken { error: Error::FaultMine, done: more, address }) => {
                mine += 1;
                tally.retries += 1;
                trace::note(STOPPED, Error::FaultMine as u32, more);
                if own::holds(to, address) {
                    // The call was carried out: whatever is wanting now, another way would carry it out again.
                    present.missing(to, address, true, mine).map_err(|_| Failure::Missing(address))?;
                    half = Half::Reply { done: done + more, asked: false };
                } else {
                    present.missing(from, address, false, mine)?;
                }
            }
            Err(Broken { error: Error::FaultTheirs, done: more, address }) => {
                theirs += 1;
                tally.retries += 1;
                trace::note(STOPPED, Error::FaultTheirs as u32, more);
                if theirs > most {
                    return Err(Failure::Missing(address));
                }
                half = match half {
                    Half::Request if to.bytes == 0 => Half::Request,
                    Half::Request => Half::Reply { done: more.min(to.bytes), asked: from.bytes != 0 },
                    Half::Reply { .. } => Half::Reply { done: done + more, asked: false },
                };
            }
            Err(Broken { error: Error::NoRoom | Error::TooLong, .. }) => return Err(Failure::TooLarge),
            Err(broken) => return Err(Failure::Kernel(broken.error)),
        }
    }
}

fn attempt(
    peer: &Peer,
    tally: &mut Tally,
    head: &Head,
    half: Half,
    from: Part,
    to: Part,
) -> Result<Letter, Broken> {
    let utcb = Utcb::current();
    let mut letter = match half {
        Half::Request => head.letter(STRING, []),
        Half::Reply { done, .. } => Letter::new(REST, [head.ticket.into(), done]),
    };
    // Its own faults stop it: what is made present beforehand is, unless memory is short.
    if matches!(half, Half::Request) && from.bytes != 0 {
        utcb.set_strings(&[from]);
        utcb.set_send_faults(0, peer.trust.patience());
        letter.tag = letter.tag.with_strings();
    }
    if to.bytes != 0 {
        utcb.set_receive_faults(0, peer.trust.patience());
        // SAFETY: `to` is what the caller has borrowed for writing until the call is over.
        unsafe { utcb.set_buffers(&[to]) };
    }
    tally.sends(letter.tag);
    let (tag, words) = calls::call_strings_short(peer.server, letter.tag, letter.words, to.bytes != 0)?;
    Ok(Letter { tag, words })
}

/// Deals with STRING.
pub(super) fn string(server: &mut Server<'_>, badge: u32, letter: &Letter, handler: Handler<'_>) -> Answer {
    match Head::read(letter) {
        Some(head) if head.bytes == letter.arrived() => {
            let place = server.places.take(badge, head.ticket);
            let kept = server.finish(place, badge, &head, handler);
            answer(&kept, server.places.piece(place), 0)
        }
        _ => bad(None),
    }
}

/// Deals with REST.
pub(super) fn rest(server: &mut Server<'_>, badge: u32, letter: &Letter) -> Answer {
    match server.places.kept(badge, letter.word(0)) {
        Ok((place, kept)) => answer(&kept, server.places.piece(place), letter.word(1)),
        Err(label) => Letter::bare(label).into(),
    }
}

/// The answer that brings what is left of a reply.
fn answer(kept: &Kept, reply: &[u8], offset: u32) -> Answer {
    let mut letter = Letter::new(DONE, [kept.status, kept.bytes]);
    let string = own::behind(own::part(&reply[..kept.bytes as usize]), offset.min(kept.bytes));
    if string.bytes == 0 {
        return letter.into();
    }
    letter.tag = letter.tag.with_strings();
    Answer { letter, along: Along::String(string) }
}
