//! A caller in a space of its own, where this program's cannot be the caller's: `redirector` and `local-only`, where
//! messages are measured between spaces that nobody trusts. Whoever is not trusted cannot say that it is to be, so that the
//! first program has to stay what it is.

use freehold_abi::designs::Design;
use freehold_abi::{CapName, Rights};
use freehold_guest_tests::home::Home;
use freehold_rt::calls;

use super::partner::{self, Partner};
use super::trust::Distrust;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::Sample;

/// The caller.
#[derive(Debug)]
pub struct Caller {
    _distrust: Option<Distrust>,
    partner: Partner,
    home: Home,
}

impl Caller {
    /// Whether the design asks for one.
    pub fn needed() -> bool {
        matches!(calls::design(), Design::Redirector | Design::LocalOnly)
    }

    /// A thread that runs `main`, told what to do by [`Caller::sample`]. It has capabilities to send to endpoints, by
    /// these names. It and the spaces of `others` are not trusted.
    pub fn new(others: &[&Home], endpoints: &[(CapName, CapName)], main: fn(u32)) -> Caller {
        let home = Home::new();
        for &(name, endpoint) in endpoints {
            home.give(name, endpoint, Rights::SEND, 0);
        }
        let partner = Partner::start(&home, BESIDE, SERVED, main);
        let mut spaces: alloc::vec::Vec<CapName> = others.iter().map(|home| home.space()).collect();
        spaces.push(home.space());
        Caller { _distrust: Distrust::of(&spaces), partner, home }
    }

    /// Its space.
    pub fn space(&self) -> CapName {
        self.home.space()
    }

    /// What it measured when it was told this.
    pub fn sample(&self, label: u16, words: [u32; 2]) -> Sample {
        self.partner.tell(label, words);
        partner::last()
    }
}
