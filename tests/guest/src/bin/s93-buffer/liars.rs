//! Servers that do not play along: a client learns it, after a bounded number of calls, and nothing but its reply is
//! ever written.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::{board, check, check_eq};
use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::buffer::{
    BAD, DISTRUST, FAULTED, LOST, MORE, PUT, PUT_ON, STOPPED, TOO_LARGE, UNKNOWN,
};
use freehold_rt::buffer::{Failure, Peer, Trust, Way};
use freehold_rt::{Error, Message, calls, time};

use crate::duo::{self, Duo, PLAIN, REPLY, REQUEST};

/// Words of the board: label and words of every answer; messages so far; how often a request's pieces are forgotten.
const ANSWER: usize = 32;
const MESSAGES: usize = 35;
const FORGETS: usize = 36;

/// Bytes of request and reply.
const BYTES: usize = 1000;

/// Answers everything with the same.
fn liar(_: u32) {
    serve(|_| Message::of(board::get(ANSWER) as u16, &[board::get(ANSWER + 1), board::get(ANSWER + 2)]));
}

/// Takes requests in registers, and forgets what it has of them a few times.
fn forgetful(_: u32) {
    let mut have = 0;
    serve(|message| {
        match message.label() {
            PUT => have = 228,
            PUT_ON if board::get(FORGETS) != 0 => {
                board::set(FORGETS, board::get(FORGETS) - 1);
                have = 0;
            }
            _ => have += 240,
        }
        if have < BYTES as u32 { Message::of(MORE, &[have]) } else { Message::of(DONE, &[77, 0]) }
    });
}

fn serve(mut answer: impl FnMut(&Message) -> Message) {
    while !duo::client_is_there() {
        time::sleep(1);
    }
    while let Ok(received) = calls::receive(duo::server_endpoint()) {
        board::add(MESSAGES, 1);
        // A client that is gone needs none.
        let _ = calls::reply(None, &answer(&received.message));
    }
    duo::server_ends(Error::Canceled);
}

/// Every way that leads to the server itself, every answer that a liar could give.
pub fn lies() {
    duo::with_companion(liar, || {
        let duo = Duo::of_companion();
        let name = duo.client(1);
        let mut peer = Peer::new(name.name(), Trust::Distrusting);
        let (request, reply) = (REQUEST.0, REPLY.0);
        let bytes = BYTES as u32;
        // An answer, and what it comes to if it makes sense to no way, else `None`: any failure.
        let answers = [
            (DONE, [0, bytes + 1], Some(Failure::Nonsense(DONE))),
            (DONE, [0, u32::MAX], Some(Failure::Nonsense(DONE))),
            (MORE, [0, 0], None),
            (MORE, [bytes, 0], None),
            (MORE, [bytes + 1, 0], Some(Failure::Nonsense(MORE))),
            (MORE, [u32::MAX, 0], Some(Failure::Nonsense(MORE))),
            (FAULTED, [request, 0], None),
            (FAULTED, [request, bytes + 1], Some(Failure::Nonsense(FAULTED))),
            (FAULTED, [request - 1, 0], Some(Failure::Nonsense(FAULTED))),
            (FAULTED, [request + bytes, 0], Some(Failure::Nonsense(FAULTED))),
            (FAULTED, [0, 0], Some(Failure::Nonsense(FAULTED))),
            (STOPPED, [reply, 0], None),
            (STOPPED, [request, 0], Some(Failure::Nonsense(STOPPED))),
            (STOPPED, [reply + bytes, 0], Some(Failure::Nonsense(STOPPED))),
            (STOPPED, [u32::MAX, u32::MAX], Some(Failure::Nonsense(STOPPED))),
            (UNKNOWN, [0, 0], Some(Failure::Nonsense(UNKNOWN))),
            (LOST, [0, 0], Some(Failure::Lost)),
            (DISTRUST, [0, 0], Some(Failure::Distrust)),
            (TOO_LARGE, [0, 0], Some(Failure::TooLarge)),
            (BAD, [Error::NoRoom as u32, 0], Some(Failure::Bad(Some(Error::NoRoom)))),
            (BAD, [12345, 0], Some(Failure::Bad(None))),
            (REFUSED, [0, 0], Some(Failure::Bad(None))),
            (0xABCD, [1, 2], Some(Failure::Nonsense(0xABCD))),
        ];
        for (label, words, expected) in answers {
            board::set(ANSWER, label.into());
            board::set(ANSWER + 1, words[0]);
            board::set(ANSWER + 2, words[1]);
            for way in [Way::Registers, Way::Wired, Way::Touched, Way::Pull] {
                // Strings that nobody accepts: the liar hears nothing of them, and the client knows why.
                let sends: &[usize] =
                    if matches!(way, Way::Wired | Way::Touched) { &[0] } else { &[0, BYTES] };
                for &sent in sends {
                    duo::fill(1, sent, BYTES + FRAME as usize);
                    board::set(MESSAGES, 0);
                    let (data, room) = duo::buffers(sent, BYTES);
                    let result = peer.call_by(way, PLAIN, [0; 2], data, room);
                    let what = (label, words, way, sent);
                    match (result, expected) {
                        (Err(failure), Some(expected)) if sent != 0 || label != FAULTED && label != MORE => {
                            check_eq!(failure, expected, "{what:?}");
                        }
                        (result, _) => _ = check!(result.is_err(), "{what:?}: {result:?}"),
                    }
                    check!(board::get(MESSAGES) <= 16, "{} messages: {what:?}", board::get(MESSAGES));
                    let (_, behind) = duo::buffers(0, BYTES + 64);
                    check!(behind[BYTES..].iter().all(|&byte| byte == 0xA5), "{what:?}");
                }
            }
        }
        let (data, _) = duo::buffers(BYTES, 0);
        for way in [Way::Wired, Way::Touched] {
            check_eq!(peer.call_by(way, PLAIN, [0; 2], data, &mut []), Err(Failure::TooLarge));
        }
    });
}

/// A request in pieces begins anew when the server has dropped it, three times.
pub fn forgets() {
    duo::with_companion(forgetful, || {
        let duo = Duo::of_companion();
        let name = duo.client(1);
        let mut peer = Peer::new(name.name(), Trust::Distrusting);
        duo::fill(1, BYTES, 0);
        let (data, _) = duo::buffers(BYTES, 0);
        for forgets in 0..=3 {
            board::set(FORGETS, forgets);
            let done = peer.call_by(Way::Registers, PLAIN, [0; 2], data, &mut []);
            let done = done.map(|done| (done.status, done.messages, done.retries));
            // Five messages; each time that it is forgotten, the first two were in vain.
            check_eq!(done, Ok((77, 5 + 2 * forgets, forgets)));
        }
        board::set(FORGETS, 4);
        check_eq!(peer.call_by(Way::Registers, PLAIN, [0; 2], data, &mut []), Err(Failure::Lost));
    });
}
