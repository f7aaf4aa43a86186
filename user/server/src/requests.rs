//! What is asked of the server.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::server::{COMPLETE, DAWDLE, HELD, HOLD, LET_GO, PING, SERVICE, SETUP};
use freehold_protocol::transfer::{SESSIONS_MAX, TRANSFER};
use freehold_protocol::victim::ECHO;
use freehold_rt::calls::{self, Received};
use freehold_rt::slots::Slot;
use freehold_rt::transfer::slices::Work;
use freehold_rt::{CapName, Error, Message, serve, start, time};

use crate::ops::{self, Request};
use crate::{SLICES, WORKERS};

/// Requests completed.
static COMPLETED: AtomicU32 = AtomicU32::new(0);

/// Serves the endpoint `endpoint` until it is gone.
pub fn serve(endpoint: u32) {
    let mut places: [Place; SESSIONS_MAX] = Default::default();
    serve::serve(CapName(endpoint), |received| answer(&mut places, &received.ok()?));
}

/// What the server is ordered to do about a slice's requests.
#[derive(Default)]
enum Place {
    /// To answer them.
    #[default]
    Answering,
    /// To hold the next one.
    Holding,
    /// To do nothing for so many milliseconds first.
    Dawdling(u32),
    /// It holds one.
    Held { request: Request, work: Work<'static>, reply: Slot },
}

fn answer(places: &mut [Place], received: &Received) -> Option<Message> {
    let message = &received.message;
    let place = places.get_mut(message.word(0) as usize);
    Some(match (received.badge, message.label()) {
        (_, ECHO) => Message::of(DONE, &[message.word(0), message.word(1)]),
        (_, PING) => Message::of(DONE, &[COMPLETED.load(Ordering::Relaxed)]),
        (SERVICE, COMPLETE) => return complete(place?, message),
        (0, SETUP) => crate::answer(match start::capability(TRANSFER) {
            Some(service) => SLICES.make(service, message.word(0), message.word(1), WORKERS),
            None => Err(Error::NoCapability.into()),
        }),
        (0, HOLD) => {
            *place? = Place::Holding;
            Message::new(DONE)
        }
        (0, DAWDLE) => {
            *place? = Place::Dawdling(message.word(1));
            Message::new(DONE)
        }
        (0, LET_GO) => Message::of(DONE, &[u32::from(let_go(place?))]),
        (0, HELD) => Message::of(DONE, &[u32::from(matches!(place?, Place::Held { .. }))]),
        _ => Message::new(REFUSED),
    })
}

/// The answer to a complete request, if it gets one now.
fn complete(place: &mut Place, message: &Message) -> Option<Message> {
    let request = Request {
        slice: message.word(0),
        bytes: message.word(1),
        op: message.word(2),
        words: [message.word(3), message.word(4)],
        room: message.word(5),
    };
    if let Place::Dawdling(milliseconds) = *place {
        *place = Place::Answering;
        time::sleep(milliseconds);
    }
    let reply = request.reply_bytes().unwrap_or(0);
    let Some(mut work) = SLICES.work(request.slice, request.bytes, reply, false) else {
        return Some(Message::new(REFUSED));
    };
    if matches!(place, Place::Holding) {
        let reply = Slot::take()?;
        calls::save_reply(reply.name()).ok()?;
        *place = Place::Held { request, work, reply };
        return None;
    }
    Some(run(&request, &mut work))
}

fn run(request: &Request, work: &mut Work<'_>) -> Message {
    let answer = ops::run(request, work);
    COMPLETED.fetch_add(1, Ordering::Relaxed);
    Message::of(DONE, &answer)
}

/// Answers what is held. Returns whether something was.
fn let_go(place: &mut Place) -> bool {
    let Place::Held { request, mut work, reply } = core::mem::take(place) else { return false };
    let answer = run(&request, &mut work);
    // From the answer on the slice is the transfer service's.
    drop(work);
    // The worker may be gone; then nobody waits for the answer.
    let _ = calls::reply(Some(reply.name()), &answer);
    true
}
