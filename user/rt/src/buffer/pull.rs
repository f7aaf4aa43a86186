//! Way 6: the client declares where its buffers lie, and the server copies.
//!
//! The server decides when, and how much. A page that is missing at the client ends the client's call with
//! address and progress; the client touches it and calls again with the offset. A page that is missing at
//! the server is touched and the copy goes on. Nobody waits for the other one's pager, so this way needs no trust.
//!
//! What must hold: what the server has of a request is in the client's place, so that it can be dropped; the copy
//! reads and writes nothing but what the client declared in the very call that waits now.

use freehold_protocol::answer::DONE;
use freehold_protocol::buffer::{FAULTED, HEAD_WORDS, MORE, PULL, STOPPED, TAKE};
use freehold_protocol::trace as events;

use freehold_abi::Error;
use freehold_abi::layout::FRAME;

use super::peer::Tally;
use super::places::Kept;
use super::serve::{Answer, Handler, Server, bad};
use super::wire::{self, Head, Letter};
use super::{Done, Failure, Peer, Way, own};
use crate::utcb::{Part, Range};
use crate::{Utcb, calls, trace};

/// Ranges, by their number.
const REQUEST: u32 = 0;
const REPLY: u32 = 1;

/// How often a client goes on, beside twice for each of its pages.
const RESUMES: u32 = 8;

/// Calls the server.
///
/// # Errors
/// [`Failure`]: Lost, TooLarge, Missing, Kernel, and Bad or Nonsense from a server that does not play along.
pub fn call(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    reply: &mut [u8],
) -> Result<Done, Failure> {
    let head = Peer::head(op, args, request, reply);
    let (from, to) = (own::part(request), own::part(reply));
    let most = 2 * (from.bytes.div_ceil(FRAME) + to.bytes.div_ceil(FRAME)) + RESUMES;
    let range = |part: Part, writable| Range { address: part.address, bytes: part.bytes, writable };
    let mut tally = Tally::default();
    let (mut half, mut offset) = (PULL, 0);
    loop {
        let mut letter = match half {
            PULL => head.letter(PULL, [offset]),
            _ => Letter::new(TAKE, [head.ticket.into(), offset]),
        };
        if head.bytes | head.room != 0 {
            Utcb::current().set_ranges(&[range(from, false), range(to, true)]);
            letter.tag = letter.tag.with_ranges();
        }
        let answer = tally.call(peer.server, letter)?;
        let (first, second) = (answer.word(0), answer.word(1));
        (half, offset) = match answer.label() {
            DONE => {
                let (status, bytes) = wire::done(&answer, reply.len())?;
                return Ok(tally.done(Way::Pull, status, bytes));
            }
            FAULTED if own::holds(from, first) && second <= from.bytes => {
                trace::note(events::STOPPED, Error::FaultMine as u32, second);
                // SAFETY: the request is borrowed.
                unsafe { own::touch_from(from, first, false) };
                tally.retry(most, Failure::Missing(first))?;
                (PULL, second)
            }
            STOPPED if own::holds(to, first) && second <= to.bytes => {
                trace::note(events::STOPPED, Error::FaultMine as u32, second);
                // SAFETY: the reply is borrowed for writing.
                unsafe { own::touch_from(to, first, true) };
                tally.retry(most, Failure::Missing(first))?;
                (TAKE, second)
            }
            MORE if first <= from.bytes => {
                tally.retry(most, Failure::Lost)?;
                (PULL, first)
            }
            _ => return Err(wire::failure(&answer)),
        }
    }
}

/// Deals with PULL.
pub(super) fn pull(server: &mut Server<'_>, badge: u32, letter: &Letter, handler: Handler<'_>) -> Answer {
    let Some(head) = Head::read(letter) else { return bad(None) };
    let offset = letter.word(HEAD_WORDS) as usize;
    let Some(bytes) = server.accept(&head) else { return server.too_large() };
    let place = if offset == 0 {
        let place = server.places.take(badge, head.ticket);
        server.places.gather(place, head);
        place
    } else {
        match server.places.gathering(badge, head.ticket.into()) {
            Some((place, known, have)) if known == head && have == offset => place,
            Some((_, known, have)) if known == head => {
                return Letter::new(MORE, [have as u32, 0]).into();
            }
            _ => return Letter::new(MORE, [0, 0]).into(),
        }
    };
    let to = own::part(&server.places.piece(place)[..bytes]);
    let mut have = offset as u32;
    while have < to.bytes {
        let Part { address, bytes } = own::behind(to, have);
        // SAFETY: the place's piece is the server's, and nothing of it counts behind `have`.
        let copied = unsafe { calls::copy_in(None, REQUEST, have, address, bytes) };
        have += copied.done;
        trace::note(events::COPIED, copied.done, 0);
        match copied.stop {
            None => {}
            // SAFETY: as above.
            Some((Error::FaultMine, address)) => unsafe { own::touch_one(to, address, true) },
            Some((Error::FaultTheirs, address)) => {
                server.places.gathered(place, have as usize);
                return Letter::new(FAULTED, [address, have]).into();
            }
            Some((error, _)) => return bad(Some(error)),
        }
    }
    server.take_gathered(place);
    let kept = server.finish(place, badge, &head, handler);
    give(&kept, server.places.piece(place), 0)
}

/// Deals with TAKE: more of a reply.
pub(super) fn take(server: &mut Server<'_>, badge: u32, letter: &Letter) -> Answer {
    match server.places.kept(badge, letter.word(0)) {
        Ok((place, kept)) => give(&kept, server.places.piece(place), letter.word(1)),
        Err(label) => Letter::bare(label).into(),
    }
}

/// Copies a reply to the client from `offset` on.
fn give(kept: &Kept, reply: &[u8], offset: u32) -> Answer {
    let from = own::part(&reply[..kept.bytes as usize]);
    let mut done = offset.min(kept.bytes);
    while done < from.bytes {
        let Part { address, bytes } = own::behind(from, done);
        let copied = calls::copy_out(None, REPLY, done, address, bytes);
        done += copied.done;
        trace::note(events::COPIED, copied.done, 1);
        match copied.stop {
            None => {}
            // SAFETY: the reply is borrowed.
            Some((Error::FaultMine, address)) => unsafe { own::touch_one(from, address, false) },
            Some((Error::FaultTheirs, address)) => {
                return Letter::new(STOPPED, [address, done]).into();
            }
            Some((error, _)) => return bad(Some(error)),
        }
    }
    Letter::new(DONE, [kept.status, kept.bytes]).into()
}
