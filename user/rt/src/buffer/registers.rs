//! Way 1: in message registers, as many messages as it takes, both directions.
//!
//! Nothing is touched in transit but the two UTCBs, which cannot be missing; each side copies to and from its
//! own buffer by itself, so that its page faults are its own. It costs two copies by programs and a call for
//! every 240 bytes.
//!
//! What must hold: no client holds the server's state hostage by not sending the rest. A request that comes in
//! pieces is gathered in the client's one buffer, which is dropped whenever somebody else needs it; each piece
//! names its offset, so one that does not continue what is there is answered with where to go on
//! ([`MORE`]) and changes nothing. Likewise a reply that is fetched in pieces is kept in that buffer, and a piece is
//! read by its offset, as often as the client likes, until the buffer is dropped or the client's next call begins.

use freehold_protocol::answer::DONE;
use freehold_protocol::buffer::{GET, HEAD_WORDS, MORE, PUT, PUT_ON};

use super::peer::Tally;
use super::places::Kept;
use super::serve::{Answer, Handler, Server, bad};
use super::wire::{self, FIRST, Head, NEXT};
use super::{Done, Failure, Peer, Way};
use crate::Message;

/// How often a client begins anew because the server dropped what it had.
const RESTARTS: u32 = 3;

/// Calls the server.
///
/// # Errors
/// [`Failure`]: Lost, TooLarge, Kernel, and Bad or Nonsense from a server that does not play along.
pub fn call(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    reply: &mut [u8],
) -> Result<Done, Failure> {
    let head = Peer::head(op, args, request, reply);
    let mut tally = Tally::default();
    let mut sent = 0;
    let mut answer = loop {
        let (message, end) = piece(&head, request, sent);
        let answer = tally.call(peer.server, &message)?;
        match (answer.label(), answer.word(0) as usize) {
            (MORE, have) if have == end && end < request.len() => sent = end,
            (MORE, have) if have <= request.len() => {
                tally.retry(RESTARTS, Failure::Lost)?;
                sent = have;
            }
            _ => break answer,
        }
    };
    let (status, bytes) = wire::done(&answer, reply.len())?;
    for (index, piece) in reply[..bytes].chunks_mut(NEXT).enumerate() {
        if index > 0 {
            let offset = (index * NEXT) as u32;
            answer = tally.call(peer.server, &Message::of(GET, &[head.ticket.into(), offset]))?;
            wire::done(&answer, bytes)?;
        }
        if !wire::pull(&answer.words()[2..], piece) {
            return Err(Failure::Nonsense(DONE));
        }
    }
    Ok(tally.done(Way::Registers, status, bytes))
}

/// The message with the request's bytes from `sent` on, and which is the first one behind them.
fn piece(head: &Head, request: &[u8], sent: usize) -> (Message, usize) {
    let (mut message, most) = match sent {
        0 => (head.message(PUT), FIRST),
        _ => (Message::of(PUT_ON, &[head.ticket.into(), sent as u32]), NEXT),
    };
    let end = request.len().min(sent + most);
    wire::push(&mut message, &request[sent..end]);
    (message, end)
}

/// Deals with PUT: a request, or the beginning of one.
pub(super) fn put(server: &mut Server<'_>, badge: u32, message: &Message, handler: Handler<'_>) -> Answer {
    let Some(head) = Head::read(message) else { return bad(None) };
    let Some(bytes) = server.accept(&head) else { return server.too_large() };
    let words = &message.words()[HEAD_WORDS..];
    let place = server.places.take(badge, head.ticket);
    if bytes <= FIRST {
        if !wire::pull(words, &mut server.arrival[..bytes]) {
            return bad(None);
        }
        return first_piece(&server.finish(place, badge, &head, handler), server, place);
    }
    let piece = server.places.gather(place, head);
    if !wire::pull(words, &mut piece[..FIRST]) {
        return bad(None);
    }
    more(server.places.gathered(place, FIRST))
}

/// Deals with PUT_ON: what follows.
pub(super) fn put_on(server: &mut Server<'_>, badge: u32, message: &Message, handler: Handler<'_>) -> Answer {
    let (ticket, offset) = (message.word(0), message.word(1) as usize);
    let Some((place, head, have)) = server.places.gathering(badge, ticket) else { return more(0) };
    if offset != have {
        return more(have);
    }
    let end = (head.bytes as usize).min(have + NEXT);
    let words = message.words().get(2..).unwrap_or(&[]);
    if !wire::pull(words, &mut server.places.piece(place)[have..end]) {
        return more(have);
    }
    if end < head.bytes as usize {
        return more(server.places.gathered(place, end));
    }
    server.take_gathered(place);
    first_piece(&server.finish(place, badge, &head, handler), server, place)
}

/// Deals with GET: more of a reply.
pub(super) fn get(server: &mut Server<'_>, badge: u32, message: &Message) -> Answer {
    match server.places.kept(badge, message.word(0)) {
        Ok((place, kept)) => reply_piece(&kept, server.places.piece(place), message.word(1)),
        Err(label) => Message::new(label).into(),
    }
}

fn first_piece(kept: &Kept, server: &mut Server<'_>, place: usize) -> Answer {
    reply_piece(kept, server.places.piece(place), 0)
}

fn reply_piece(kept: &Kept, reply: &[u8], offset: u32) -> Answer {
    let mut message = Message::of(DONE, &[kept.status, kept.bytes]);
    let rest = reply[..kept.bytes as usize].get(offset as usize..).unwrap_or(&[]);
    wire::push(&mut message, &rest[..rest.len().min(NEXT)]);
    message.into()
}

fn more(have: usize) -> Answer {
    Message::of(MORE, &[have as u32]).into()
}
