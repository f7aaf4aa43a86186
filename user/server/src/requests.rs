//! What is asked of the server.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::server::{COMPLETE, PING, SERVICE, SETUP};
use freehold_protocol::victim::ECHO;
use freehold_rt::calls::Received;
use freehold_rt::{CapName, Message, serve};

use crate::{hash, setup};

/// Requests completed.
static COMPLETED: AtomicU32 = AtomicU32::new(0);

/// Serves the endpoint `endpoint` until it is gone.
pub fn serve(endpoint: u32) {
    serve::serve(CapName(endpoint), |received| Some(answer(&received.ok()?)));
}

fn answer(received: &Received) -> Message {
    let request = &received.message;
    match (received.badge, request.label()) {
        (_, ECHO) => Message::of(DONE, &[request.word(0), request.word(1)]),
        (_, PING) => Message::of(DONE, &[COMPLETED.load(Ordering::Relaxed)]),
        (SERVICE, COMPLETE) => match hash::slice(request.word(0), request.word(1)) {
            Some(digest) => {
                COMPLETED.fetch_add(1, Ordering::Relaxed);
                Message::of(DONE, &digest)
            }
            None => Message::new(REFUSED),
        },
        (0, SETUP) => setup::run(request.word(0), request.word(1)),
        _ => Message::new(REFUSED),
    }
}
