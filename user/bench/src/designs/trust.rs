//! Untrusted spaces: where a design tells them apart, those of the parties are untrusted while they are measured.
//!
//! Under `redirector` their messages go through a thread in a space of its own, which looks for map items and else lets them
//! go on. The order matters: what an untrusted space makes is untrusted, too, so that whatever is to be trusted is made
//! before.

use alloc::vec::Vec;

use freehold_abi::CapName;
use freehold_abi::designs::Design;
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_rt::calls;

use super::partner::Partner;
use crate::ipc::{BESIDE, SERVED};

/// Spaces that are untrusted for as long as this exists.
#[derive(Debug)]
pub struct Distrust {
    spaces: Vec<CapName>,
    redirector: Option<(Partner, Home)>,
}

impl Distrust {
    /// These spaces, if the design tells any apart.
    pub fn of(spaces: &[CapName]) -> Option<Distrust> {
        let redirector = match calls::design() {
            Design::Redirector => {
                let home = Home::new();
                Some((Partner::start(&home, BESIDE, SERVED, redirect), home))
            }
            Design::LocalOnly => None,
            _ => return None,
        };
        let distrust = Distrust { spaces: spaces.to_vec(), redirector };
        for &space in spaces {
            let endpoint = distrust.redirector.as_ref().map(|(partner, _)| partner.name());
            check_eq!(calls::distrust(space, endpoint), Ok(()));
        }
        Some(distrust)
    }
}

impl Drop for Distrust {
    fn drop(&mut self) {
        for &space in &self.spaces {
            check_eq!(calls::trust(space), Ok(()));
        }
    }
}

fn redirect(_: u32) {
    freehold_redirector::serve(SERVED);
}
