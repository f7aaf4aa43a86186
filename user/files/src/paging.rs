//! Pages of the slice in which the transfer service brings requests and takes replies from.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_protocol::answer::{DONE, EXHAUSTED, REFUSED};
use freehold_protocol::server::{FILL, RELEASE, SERVICE};
use freehold_protocol::trace::FAULT;
use freehold_rt::abi::layout::FRAME;
use freehold_rt::calls::Received;
use freehold_rt::memory::MapError;
use freehold_rt::transfer::slices::Slices;
use freehold_rt::{CapName, Message, serve, trace};

use crate::service::SLICES_AT;

/// The slices; there is one.
pub static SLICES: Slices = Slices::new(SLICES_AT);
/// Its number.
const SLICE: u32 = 0;
/// Pages that workers found missing.
static MISSED: AtomicU32 = AtomicU32::new(0);

/// Serves the endpoint until it is gone.
pub fn serve(endpoint: CapName) {
    serve::serve(endpoint, |received| Some(answer(&received.ok()?)));
}

fn answer(received: &Received) -> Message {
    let (slice, page) = (received.message.word(0), received.message.word(1));
    match (received.badge, received.message.label()) {
        (SERVICE, FILL) => {
            trace::note(FAULT, SLICES_AT + page.wrapping_mul(FRAME), 0);
            MISSED.fetch_add(1, Relaxed);
            Message::new(if SLICES.fill(slice, page).is_ok() { DONE } else { EXHAUSTED })
        }
        (SERVICE, RELEASE) => match SLICES.release(slice) {
            Some(count) => Message::of(DONE, &[count]),
            None => Message::new(REFUSED),
        },
        _ => Message::new(REFUSED),
    }
}

/// Takes all frames out of the slice. Returns how many there were.
pub fn empty() -> u32 {
    SLICES.release(SLICE).unwrap_or(0)
}

/// Puts frames into its first pages, for so many bytes.
///
/// # Errors
/// [`MapError`].
pub fn fill(bytes: u32) -> Result<(), MapError> {
    (0..bytes.div_ceil(FRAME)).try_for_each(|page| SLICES.fill(SLICE, page))
}

/// Pages that workers found missing so far, and pages that have been filled.
pub fn counts() -> [u32; 2] {
    [MISSED.load(Relaxed), SLICES.counts(SLICE).map_or(0, |[fills, _]| fills)]
}
