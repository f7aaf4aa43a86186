//! Way 5: by the transfer service, a third task that the server trusts ([`crate::transfer`]).
//!
//! A worker on the client's frames copies between what the client declared and a slice of the server's. A page that
//! is missing at the client is the client's, who touches it and goes on; one that is missing in the slice is asked of
//! the server's pager by the worker. The server hears of a request when all of it lies in its slice, works on it
//! there, and has nothing more to do with it when it has answered. Client and server need not trust each other.
//!
//! What must hold: the server keeps the slice from its being released for as long as the handler works
//! ([`Slices::work`]). It knows the session, not the client behind it: the badge of such a request is the service's.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::server::SERVICE;

use super::serve::{Along, Answer, Handler, Request};
use super::wire::Letter;
use super::{Done, Failure, Peer, Way};
use crate::transfer::slices::Slices;

/// Calls the server through the peer's session.
///
/// # Errors
/// [`Failure`]: NoMeans without a session, TooLarge if it was opened for less, Service.
pub fn call(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    reply: &mut [u8],
) -> Result<Done, Failure> {
    let (session, bytes) = peer.session.as_mut().ok_or(Failure::NoMeans)?;
    if request.len().max(reply.len()) > *bytes as usize {
        return Err(Failure::TooLarge);
    }
    let answer = session.call(op, args, request, reply).map_err(Failure::Service)?;
    let (bytes, retries) = (answer.bytes, answer.resumed);
    Ok(Done { status: answer.status, bytes, way: Way::Service, retries, messages: 1 + retries })
}

/// Deals with COMPLETE `[slice, bytes, op, first, second, room]`. The reply goes behind the request.
pub(super) fn complete(slices: Option<&Slices>, letter: &Letter, handler: Handler<'_>) -> Answer {
    let [slice, bytes, op, first, second, room] = core::array::from_fn(|index| letter.word(index));
    let work = slices.and_then(|slices| slices.work(slice, bytes, room, true));
    let Some(mut work) = work else { return Letter::bare(REFUSED).into() };
    let offset = work.offset();
    let (data, place) = work.parts();
    let response =
        handler(Request { badge: SERVICE, op: op as u16, args: [first, second], data, room: place });
    let letter = Letter::new(DONE, [response.status, response.bytes.min(room)]);
    Answer { letter, along: Along::Word(offset) }
}
