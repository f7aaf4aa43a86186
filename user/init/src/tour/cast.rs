//! The programs, alive side by side, for a look at them: two clients, of which one has carried the
//! beginning of the file to the server and keeps its session open, and the attacker at its bound.

use freehold_protocol::attacker::FLOOD;
use freehold_protocol::client::{CARRIED, TRANSFER};
use freehold_rt::CapName;
use freehold_rt::abi::layout::FRAME;
use freehold_rt::slots::Slot;

use super::carried::file_bytes;
use super::flood;
use super::troupe::{Size, Troupe};
use crate::actor::{self, Actor};
use crate::failure::Failure;
use crate::services::Services;

/// Bytes of the file that are carried at most.
const BYTES_MAX: u32 = 1 << 20;
/// Clients, and the one that carries them.
const CLIENTS: u32 = 2;
const CLIENT: u32 = 1;
/// The attacker's number at the console.
const ATTACKER: u32 = 1;

/// The programs. They end when this is dropped.
pub struct Cast {
    troupe: Troupe,
    attacker: Actor,
    _worker: Slot,
    _stop: Slot,
}

impl Cast {
    /// Starts them.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(services: &Services) -> Result<Cast, Failure> {
        let bytes = file_bytes()?.min(BYTES_MAX);
        let frames = CLIENTS * bytes.div_ceil(FRAME);
        let troupe = Troupe::start(services, Size { clients: CLIENTS, slices: CLIENTS, bytes, frames })?;
        troupe.set_source(CLIENT, bytes)?;
        let (_, worker) = troupe.open(CLIENT, bytes)?;
        actor::expect(troupe.client(CLIENT)?.order(TRANSFER, &[bytes])?, CARRIED)?;
        let stop = actor::new_notification()?;
        let attacker = flood::attacker(services, ATTACKER, &stop)?;
        attacker.obeys(FLOOD, &[])?;
        Ok(Cast { troupe, attacker, _worker: worker, _stop: stop })
    }

    /// Names and spaces.
    pub fn spaces(&self) -> impl Iterator<Item = (&'static str, CapName)> {
        self.troupe.spaces().chain([("attacker", self.attacker.space())])
    }
}
