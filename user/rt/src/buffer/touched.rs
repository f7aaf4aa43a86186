//! Way 3: as strings, the client's memory touched beforehand and not waited for.
//!
//! Touching costs nothing if the pages are there, and promises nothing: they may be gone again when the transfer
//! comes to them. Then it stops, and the client touches and tries again. After three failures memory is so short
//! that touching will not do: the client wires what it sends, or what is left of the reply ([`super::wired`]).

use super::strings::{self, Present};
use super::{Done, Failure, Peer, Way, own, wired};
use crate::pager::Pinned;
use crate::utcb::Part;

/// The failure after which the client wires.
const FAILURES: u32 = 3;
/// The last one there can be: the request was wired then, and the reply was missing.
const LAST: u32 = FAILURES + 1;

/// Calls the server.
///
/// # Errors
/// [`Failure`]: Lost, TooLarge, Kernel; Missing if the memory stays missing though it is wired, NoMeans if it cannot be
/// wired; Bad or Nonsense from a server that does not play along.
pub fn call(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    reply: &mut [u8],
) -> Result<Done, Failure> {
    // SAFETY: both are borrowed, the reply for writing.
    unsafe {
        own::touch(own::part(request), false);
        own::touch(own::part(reply), true);
    }
    let mut touch = Touch { pins: [None, None] };
    strings::exchange(peer, (op, args), request, reply, Way::Touched, &mut touch)
}

/// What had to be wired after all: of the request, of the reply.
struct Touch {
    pins: [Option<Pinned>; 2],
}

impl Present for Touch {
    fn missing(&mut self, part: Part, address: u32, write: bool, count: u32) -> Result<(), Failure> {
        let done = address.saturating_sub(part.address).min(part.bytes);
        let rest = own::behind(part, done);
        match count {
            0..FAILURES => {
                // SAFETY: the call has borrowed the part, for writing if it is the reply.
                unsafe { own::touch(if write { rest } else { part }, write) };
                Ok(())
            }
            _ if count > LAST => Err(Failure::Missing(address)),
            _ => {
                self.pins[usize::from(write)] = wired::pin(if write { rest } else { part })?;
                Ok(())
            }
        }
    }
}
