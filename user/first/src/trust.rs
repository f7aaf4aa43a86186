//! Who is not trusted, under the designs that know such spaces; and the redirector, through which their messages go where
//! the design has one. Root-only trusts the first program's space alone, and needs not be told.

use alloc::vec::Vec;

use freehold_protocol::redirector::DOOR;
use freehold_rt::abi::designs::Design;
use freehold_rt::load::Program;
use freehold_rt::{CapName, calls};

use crate::actor::{Actor, new_endpoint};
use crate::failure::Failure;
use crate::services::Services;

/// Above everybody whose messages go through it.
const PRIORITY: u8 = 14;
/// Its number at the console.
const CONSOLE: u32 = 8;

/// Whom the design trusts.
#[derive(Debug)]
pub struct Trust {
    design: Design,
    redirector: Option<Actor>,
}

impl Trust {
    /// Starts the redirector, if there is to be one.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(services: &Services, design: Design) -> Result<Trust, Failure> {
        let redirector = match design {
            Design::Redirector => {
                let endpoints = Vec::from([(DOOR, new_endpoint()?)]);
                let settings = Program { priority: PRIORITY, ..Program::new(&[]) };
                Some(Actor::serving(endpoints, services, "redirector", CONSOLE, settings, &[])?)
            }
            _ => None,
        };
        Ok(Trust { design, redirector })
    }

    /// From now on a space is not trusted, if the design knows such a thing.
    ///
    /// # Errors
    /// The kernel's.
    pub fn distrust(&self, space: CapName) -> Result<(), Failure> {
        match self.design {
            Design::Redirector | Design::LocalOnly => {
                Ok(calls::distrust(space, self.redirector.as_ref().map(|actor| actor.endpoint(0)))?)
            }
            _ => Ok(()),
        }
    }
}
