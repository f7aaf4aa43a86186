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
use super::serve::{Along, Answer, Handler, Server, bad};
use super::wire::{self, FIRST, Head, Letter, NEXT};
use super::{Done, Failure, Peer, Way, own};

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
    let ticket = u32::from(head.ticket);
    let mut tally = Tally::default();
    let mut sent = 0;
    let mut answer = loop {
        let (mut letter, most) = match sent {
            0 => (head.letter(PUT, []), FIRST),
            _ => (Letter::new(PUT_ON, [ticket, sent as u32]), NEXT),
        };
        let end = request.len().min(sent + most);
        letter.put(&request[sent..end]);
        let answer = tally.call(peer.server, letter)?;
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
    let mut have = 0;
    loop {
        let end = bytes.min(have + NEXT);
        if !answer.take(2, &mut reply[have..end]) {
            return Err(Failure::Nonsense(DONE));
        }
        if end == bytes {
            return Ok(tally.done(Way::Registers, status, bytes));
        }
        have = end;
        answer = tally.call(peer.server, Letter::new(GET, [ticket, have as u32]))?;
        wire::done(&answer, bytes)?;
    }
}

/// Deals with PUT: a request, or the beginning of one.
pub(super) fn put(server: &mut Server<'_>, badge: u32, letter: &Letter, handler: Handler<'_>) -> Answer {
    let Some(head) = Head::read(letter) else { return bad(None) };
    let Some(bytes) = server.accept(&head) else { return server.too_large() };
    let place = server.places.take(badge, head.ticket);
    if bytes <= FIRST {
        if !letter.take(HEAD_WORDS, &mut server.arrival[..bytes]) {
            return bad(None);
        }
        let kept = server.finish(place, badge, &head, handler);
        return reply_piece(&kept, server.places.piece(place), 0);
    }
    let piece = server.places.gather(place, head);
    if !letter.take(HEAD_WORDS, &mut piece[..FIRST]) {
        return bad(None);
    }
    more(server.places.gathered(place, FIRST))
}

/// Deals with PUT_ON: what follows.
pub(super) fn put_on(server: &mut Server<'_>, badge: u32, letter: &Letter, handler: Handler<'_>) -> Answer {
    let (ticket, offset) = (letter.word(0), letter.word(1) as usize);
    let Some((place, head, have)) = server.places.gathering(badge, ticket) else { return more(0) };
    if offset != have {
        return more(have);
    }
    let end = (head.bytes as usize).min(have + NEXT);
    if !letter.take(2, &mut server.places.piece(place)[have..end]) {
        return more(have);
    }
    if end < head.bytes as usize {
        return more(server.places.gathered(place, end));
    }
    server.take_gathered(place);
    let kept = server.finish(place, badge, &head, handler);
    reply_piece(&kept, server.places.piece(place), 0)
}

/// Deals with GET: more of a reply.
pub(super) fn get(server: &mut Server<'_>, badge: u32, letter: &Letter) -> Answer {
    match server.places.kept(badge, letter.word(0)) {
        Ok((place, kept)) => reply_piece(&kept, server.places.piece(place), letter.word(1)),
        Err(label) => Letter::bare(label).into(),
    }
}

fn reply_piece(kept: &Kept, reply: &[u8], offset: u32) -> Answer {
    let rest = reply[..kept.bytes as usize].get(offset as usize..).unwrap_or(&[]);
    let piece = own::part(&rest[..rest.len().min(NEXT)]);
    Answer { letter: Letter::new(DONE, [kept.status, kept.bytes]), along: Along::Words(piece) }
}

fn more(have: usize) -> Answer {
    Letter::new(MORE, [have as u32, 0]).into()
}
