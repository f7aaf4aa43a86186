//! Requests that a transfer service brings, and the pages that it brings them in. Only the service is served here.

use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED, REFUSED};
use freehold_protocol::server::{ADD, BAD_REQUEST, FILL, OK, RELEASE, SERVICE};
use freehold_protocol::transfer::TRANSFER;
use freehold_rt::calls::Received;
use freehold_rt::layout::OWN;
use freehold_rt::memory::MapError;
use freehold_rt::transfer::slices::Slices;
use freehold_rt::{CapName, Error, Message, serve, start};

/// Of the service's workers, at most: below the server's threads, so that none of them delays it.
const WORKERS: u8 = 8;

static SLICES: Slices = Slices::new(OWN);

/// The answer to the order to make slices.
pub fn make(count: u32, tables: u32) -> Message {
    let service = start::capability(TRANSFER).ok_or(MapError::Kernel(Error::NoCapability));
    answer(service.and_then(|service| SLICES.make(service, count, tables, WORKERS)))
}

/// The answer to a complete request: the request with `first` added to each byte.
pub fn complete(message: &Message) -> Message {
    let [slice, bytes, op, first, _, room] = core::array::from_fn(|index| message.word(index));
    if op != ADD || bytes > room {
        return Message::of(DONE, &[BAD_REQUEST, 0]);
    }
    let Some(mut work) = SLICES.work(slice, bytes, bytes, false) else { return Message::new(REFUSED) };
    work.in_place()[..bytes as usize].iter_mut().for_each(|byte| *byte = byte.wrapping_add(first as u8));
    Message::of(DONE, &[OK, bytes])
}

/// Fills and releases pages until the endpoint is gone.
pub fn page(endpoint: CapName) {
    serve::serve(endpoint, |received| received.ok().map(|received| paged(&received)));
}

fn paged(received: &Received) -> Message {
    let (slice, page) = (received.message.word(0), received.message.word(1));
    match (received.badge, received.message.label()) {
        (SERVICE, FILL) => answer(SLICES.fill(slice, page)),
        (SERVICE, RELEASE) => {
            SLICES.release(slice).map_or(Message::new(REFUSED), |count| Message::of(DONE, &[count]))
        }
        _ => Message::new(REFUSED),
    }
}

fn answer(result: Result<(), MapError>) -> Message {
    match result {
        Ok(()) => Message::new(DONE),
        Err(MapError::Kernel(error)) => Message::of(FAILED, &[error as u32]),
        Err(MapError::OutOfMemory | MapError::OutOfSlots) => Message::new(EXHAUSTED),
    }
}
