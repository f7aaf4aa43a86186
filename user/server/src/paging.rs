//! The server's own pager: fills pages of the slices when the transfer service asks, and takes them back.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::server::{FILL, FILLS, HUSH, QUIET, RELEASE, SERVICE, SPEAK};
use freehold_protocol::transfer::SESSIONS_MAX;
use freehold_rt::calls::{self, Received};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, serve};

use crate::SLICES;

/// A request for a page that is not answered for now.
struct Held {
    page: u32,
    reply: Slot,
}

/// What the pager is ordered to do about a slice.
#[derive(Default)]
struct Manner {
    /// Pages to be filled before it falls silent; `None`: it does not.
    until_quiet: Option<u32>,
    held: Option<Held>,
    /// RELEASE is held.
    hushed: bool,
    /// The last one that was. Whoever asked before has given up.
    unanswered: Option<Slot>,
    /// How often it was asked for the release of the slice.
    releases: u32,
}

/// Serves the endpoint until it is gone.
pub fn serve(endpoint: CapName) {
    let mut manners: [Manner; SESSIONS_MAX] = Default::default();
    serve::serve(endpoint, |received| answer(&mut manners, &received.ok()?));
}

fn answer(manners: &mut [Manner], received: &Received) -> Option<Message> {
    let request = &received.message;
    let (slice, argument) = (request.word(0), request.word(1));
    let Some(manner) = manners.get_mut(slice as usize) else { return Some(Message::new(REFUSED)) };
    Some(match (received.badge, request.label()) {
        (SERVICE, FILL) => return manner.fill(slice, argument),
        (SERVICE, RELEASE) => {
            manner.releases += 1;
            if manner.hushed {
                let reply = Slot::take()?;
                calls::save_reply(reply.name()).ok()?;
                manner.unanswered = Some(reply);
                return None;
            }
            manner.release(slice)
        }
        (0, FILLS) => match SLICES.counts(slice) {
            Some([fills, frames]) => {
                Message::of(DONE, &[fills, frames, manner.held.is_some().into(), manner.releases])
            }
            None => Message::new(REFUSED),
        },
        (0, QUIET) => {
            manner.until_quiet = Some(argument);
            Message::new(DONE)
        }
        (0, HUSH) => {
            manner.hushed = true;
            Message::new(DONE)
        }
        (0, SPEAK) => {
            manner.speak(slice);
            Message::new(DONE)
        }
        _ => Message::new(REFUSED),
    })
}

impl Manner {
    /// The answer to a request for a page, if it gets one.
    fn fill(&mut self, slice: u32, page: u32) -> Option<Message> {
        match &mut self.until_quiet {
            None => {}
            Some(0) => {
                let reply = Slot::take()?;
                calls::save_reply(reply.name()).ok()?;
                self.held = Some(Held { page, reply });
                return None;
            }
            Some(count) => *count -= 1,
        }
        Some(crate::answer(SLICES.fill(slice, page)))
    }

    /// The answer to a request for the slice's release.
    fn release(&mut self, slice: u32) -> Message {
        let Some(count) = SLICES.release(slice) else { return Message::new(REFUSED) };
        // Whoever still waits for a page waits for nothing: it learns PeerGone.
        self.held = None;
        Message::of(DONE, &[count])
    }

    fn speak(&mut self, slice: u32) {
        self.until_quiet = None;
        self.hushed = false;
        if let Some(reply) = self.unanswered.take() {
            // The manager may have given up; it asks again then.
            let _ = calls::reply(Some(reply.name()), &self.release(slice));
        }
        if let Some(held) = self.held.take() {
            // The worker may be gone; then nobody waits for the page.
            let _ = calls::reply(Some(held.reply.name()), &crate::answer(SLICES.fill(slice, held.page)));
        }
    }
}
