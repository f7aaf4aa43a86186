//! A server's loop: receive, deal with it, answer, receive.

use freehold_abi::{CapName, Error};

use crate::calls::{self, Received};
use crate::message::Message;

/// Serves an endpoint until it is gone; returns why. `handle` returns the answer, or `None` if there is
/// none to give (now). It also hears why nothing was received: a time limit that passed.
pub fn serve(endpoint: CapName, mut handle: impl FnMut(Result<Received, Error>) -> Option<Message>) -> Error {
    let mut answer: Option<Message> = None;
    loop {
        let received = match answer.take() {
            None => calls::receive(endpoint),
            Some(answer) => calls::reply_receive(None, &answer, endpoint),
        };
        match received {
            Err(error @ (Error::NoCapability | Error::Gone | Error::NoRight | Error::WrongKind)) => {
                return error;
            }
            // The caller is gone, or gave no way to answer it: there is nothing to do about that.
            Err(Error::NoReply) => {}
            // The answer's capabilities did not fit where the caller wants them: it learns that much.
            Err(Error::NoSlots) => drop(calls::reply(None, &Message::new(UNDELIVERED))),
            other => answer = handle(other),
        }
    }
}

/// Label of the reply to a caller that had no slots for the capabilities in its answer.
pub const UNDELIVERED: u16 = 0xFFFF;
