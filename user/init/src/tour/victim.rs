//! A client and a server that exchange short calls, and what these cost.

use freehold_protocol::server::{REQUESTS, SERVER};
use freehold_protocol::victim::{MEASURE, Measured, RESULT};
use freehold_rt::calls::Stop;
use freehold_rt::load::{Grant, Program};
use freehold_rt::slots::Slot;

use crate::actor::{self, Actor};
use crate::failure::Failure;
use crate::services::Services;

/// Numbers at the console.
const SERVER_NUMBER: u32 = 2;
const CLIENT_NUMBER: u32 = 3;
/// Of both.
const PRIORITY: u8 = 8;

/// The two programs. They end when this is dropped.
pub struct Victim {
    client: Actor,
    server: Actor,
    _endpoint: Slot,
}

impl Victim {
    /// Starts them.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(services: &Services) -> Result<Victim, Failure> {
        let endpoint = actor::new_endpoint()?;
        let settings = Program { priority: PRIORITY, ..Program::new(&[]) };
        let given = [Grant::receive(REQUESTS, endpoint.name())];
        let server = Actor::start(services, "server", SERVER_NUMBER, settings, &given)?;
        let given = [Grant::send(SERVER, endpoint.name(), 1)];
        let client = Actor::start(services, "client", CLIENT_NUMBER, settings, &given)?;
        Ok(Victim { client, server, _endpoint: endpoint })
    }

    /// Has the client make `calls` calls. Whatever else runs meanwhile, runs between the first and the
    /// last of them: the sorting comes later.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn measure(&self, calls: u32) -> Result<Measured, Failure> {
        self.client.obeys(MEASURE, &[calls])?;
        Ok(Measured::from_words(self.client.obeys(RESULT, &[])?.words()))
    }

    /// Ends both.
    ///
    /// # Errors
    /// A [`Stop`]: frames could not be reclaimed.
    pub fn destroy(self) -> Result<(), Stop> {
        self.client.destroy()?;
        self.server.destroy()?;
        Ok(())
    }
}
