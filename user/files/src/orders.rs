//! Orders: the server's buffers in memory or out of it, counts, the trace.

use core::sync::atomic::Ordering::Relaxed;

use freehold_protocol::answer::{DONE, EXHAUSTED, REFUSED};
use freehold_protocol::files::{COUNTS, PREPARE};
use freehold_protocol::trace::{EVENTS, WATCH};
use freehold_rt::{CapName, Message, pager, serve, trace};

use crate::paging;
use crate::service::{self, REQUESTS, WORK};

/// Serves the endpoint until it is gone.
pub fn serve(endpoint: u32) {
    let mut before = Counts::default();
    serve::serve(CapName(endpoint), |received| Some(obey(&received.ok()?.message, &mut before)));
}

/// What has happened to the server's pages: to its buffers, and to its slice.
#[derive(Clone, Copy, Default)]
struct Counts {
    faults: u32,
    brought: u32,
}

impl Counts {
    fn now() -> Counts {
        // The pager has been started, so there is no error to meet.
        let pager = pager::statistics().unwrap_or_default();
        let [missed, filled] = paging::counts();
        Counts { faults: pager.faults + missed, brought: pager.brought + filled }
    }
}

fn obey(order: &Message, before: &mut Counts) -> Message {
    match order.label() {
        PREPARE => {
            let pages = match order.word(0) {
                0 => bring(order.word(1), order.word(2)),
                _ => Some(service::evict() + paging::empty()),
            };
            let Some(pages) = pages else { return Message::new(EXHAUSTED) };
            REQUESTS.store(0, Relaxed);
            WORK.store(0, Relaxed);
            *before = Counts::now();
            Message::of(DONE, &[pages])
        }
        COUNTS => {
            let now = Counts::now();
            let (faults, brought) = (now.faults - before.faults, now.brought - before.brought);
            Message::of(DONE, &[faults, brought, REQUESTS.load(Relaxed), WORK.load(Relaxed)])
        }
        WATCH => {
            trace::watch(order.word(0) != 0);
            Message::new(DONE)
        }
        EVENTS => trace::events(order.word(0)),
        _ => Message::new(REFUSED),
    }
}

/// Has all memory present that a request and a reply of so many bytes can come to lie in. Returns that no page went.
fn bring(request: u32, reply: u32) -> Option<u32> {
    service::touch(request.max(reply)).ok()?;
    // In the slice the reply lies behind the request.
    paging::fill(request.next_multiple_of(16) + reply).ok()?;
    Some(0)
}
