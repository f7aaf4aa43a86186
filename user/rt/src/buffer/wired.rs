//! Way 2: as strings, the client's memory wired: pinned beforehand ([`pager::pin`]), unpinned afterwards.
//!
//! Nothing of the client's can be missing in transit. It costs two calls of the pager library (none of the kernel's if
//! the pages are there), and the pages from a bound that the program has set itself ([`pager::Config::pinned`]): a
//! buffer that is larger is refused, and another way has to be gone.
//!
//! What must hold: what is pinned is unpinned whatever becomes of the call. Memory that is in no region of the
//! pager's is never taken away by it, so it needs no pin.

use super::strings::{self, Present};
use super::{Done, Failure, Peer, Way, own};
use crate::pager::{self, PinError, Pinned};
use crate::utcb::Part;

/// Calls the server.
///
/// # Errors
/// [`Failure`]: NoMeans if the program has no pager, or must not pin so much; Lost, TooLarge, Missing, Kernel, and Bad
/// or Nonsense from a server that does not play along.
pub fn call(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    reply: &mut [u8],
) -> Result<Done, Failure> {
    let mut wire = Wire { _request: pin(own::part(request))?, _reply: pin(own::part(reply))? };
    strings::exchange(peer, (op, args), request, reply, Way::Wired, &mut wire)
}

/// Pins a part. `None`: there is nothing to pin.
pub(super) fn pin(part: Part) -> Result<Option<Pinned>, Failure> {
    if part.bytes == 0 {
        return Ok(None);
    }
    match pager::pin(part.address, part.bytes) {
        Ok(pinned) => Ok(Some(pinned)),
        Err(PinError::Pager(pager::Error::NotMine)) => Ok(None),
        Err(_) => Err(Failure::NoMeans),
    }
}

/// Both buffers, pinned.
struct Wire {
    _request: Option<Pinned>,
    _reply: Option<Pinned>,
}

impl Present for Wire {
    /// A page of the pager's cannot be missing; any other is beyond its power.
    fn missing(&mut self, _: Part, address: u32, _: bool, _: u32) -> Result<(), Failure> {
        Err(Failure::Missing(address))
    }
}
