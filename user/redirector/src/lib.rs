//! The redirector: every message that leaves a space which is not trusted comes here first, and goes on unless it maps
//! something.
//!
//! What must hold: it keeps nothing between two messages, and nothing that a sender does holds it: what it looks at is
//! its own copy, and it never waits but for the next message.

#![no_std]

use freehold_abi::designs::MapItem;
use freehold_abi::layout::utcb;
use freehold_rt::calls::{propagate_and_receive, receive_short};
use freehold_rt::{CapName, Error, Tag, Utcb};

/// Looks at the messages that come to `door`, until it is gone; returns why.
pub fn serve(door: CapName) -> Error {
    let utcb = Utcb::current();
    let receive = || receive_short(door).map(|(_, tag, [first, second])| [0, tag.0, first, second]);
    let mut received = receive();
    loop {
        received = match received {
            Ok([_, tag, first, second]) => {
                propagate_and_receive(judge(utcb, Tag(tag), [first, second]), door)
            }
            Err(error @ (Error::NoCapability | Error::Gone | Error::NoRight | Error::WrongKind)) => {
                return error;
            }
            // Its sender waits no longer, or it was for the redirector itself; who waits for an answer learns that
            // there is none.
            Err(_) => receive(),
        }
    }
}

/// Whether a message may go on that has this tag and these first two words, the others in the UTCB: it may unless
/// one of its items maps.
#[inline(always)]
fn judge(utcb: Utcb, tag: Tag, words: [u32; 2]) -> Result<(), Error> {
    let word = |at: usize| match at {
        1 | 2 => words[at - 1],
        at => utcb.get(utcb::MESSAGE + at),
    };
    for item in 0..tag.items() {
        let at = (1 + tag.words() + 2 * item) as usize;
        if MapItem::decode([word(at), word(at + 1)]).is_some() {
            return Err(Error::MapRefused);
        }
    }
    Ok(())
}
