//! Clients that wait for a session, in the order in which they came.
//!
//! What must hold, so that no flood keeps anybody from a session: a client waits in one place at most, and
//! who asks again goes to the end; there are at most [`WAITING_MAX`] places; a client gets at most one session
//! in [`PAUSE`] ms. So the work that OPENs cause is bounded for each client (one session made, one ended, one
//! RELEASE asked of the server in that time), and whoever waits is passed by nobody for a slice that it can
//! use. A client that does not wait any more is noticed within [`PERIOD`](freehold_protocol::transfer::PERIOD) ms.

use freehold_protocol::transfer::{CLIENT_NUMBERS, PAUSE, WAITING_MAX};
use freehold_rt::abi::info::Kind;
use freehold_rt::slots::Slot;
use freehold_rt::{calls, time};

use crate::session::Wish;

/// A client that waits.
pub struct Waiter {
    /// What it wants.
    pub wish: Wish,
    /// The capability to answer it.
    pub reply: Slot,
}

impl Waiter {
    /// Whether it still waits: its call can have ended by its limit, or with it.
    fn is_there(&self) -> bool {
        calls::cap_info(self.reply.reference()).is_ok_and(|info| info.kind == Kind::Reply)
    }
}

/// The queue.
pub struct Waiting {
    /// Without gaps, the longest waiting first.
    list: [Option<Waiter>; WAITING_MAX],
    /// Tick at which each client got its last session.
    last: [u32; CLIENT_NUMBERS as usize + 1],
}

impl Waiting {
    /// Nobody waits.
    pub fn new() -> Waiting {
        Waiting { list: [const { None }; WAITING_MAX], last: [0; CLIENT_NUMBERS as usize + 1] }
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.list.iter().flatten().count()
    }

    /// Adds one at the end.
    ///
    /// # Errors
    /// There is no place: the waiter.
    pub fn add(&mut self, waiter: Waiter) -> Result<(), Waiter> {
        if self.list[WAITING_MAX - 1].is_some() {
            self.purge();
        }
        match self.list.iter_mut().find(|place| place.is_none()) {
            Some(place) => {
                *place = Some(waiter);
                Ok(())
            }
            None => Err(waiter),
        }
    }

    /// Takes out those who do not wait any more.
    pub fn purge(&mut self) {
        self.remove_where(|waiter| !waiter.is_there());
    }

    /// A client's wait is over: it learns PeerGone.
    pub fn remove_client(&mut self, client: u32) {
        self.remove_where(|waiter| waiter.wish.client == client);
    }

    fn remove_where(&mut self, leaves: impl Fn(&Waiter) -> bool) {
        let mut kept = 0;
        for index in 0..WAITING_MAX {
            match self.list[index].take() {
                Some(waiter) if !leaves(&waiter) => {
                    self.list[kept] = Some(waiter);
                    kept += 1;
                }
                _ => {}
            }
        }
    }

    /// Takes out the first whose pause is over and who `can` have what it wants.
    pub fn next(&mut self, can: impl Fn(&Wish) -> bool) -> Option<Waiter> {
        let now = time::ticks();
        let index = self.list.iter().position(|place| {
            place.as_ref().is_some_and(|waiter| self.is_due(waiter, now) && can(&waiter.wish))
        })?;
        let waiter = self.list[index].take()?;
        self.list[index..].rotate_left(1);
        self.last[waiter.wish.client as usize] = now;
        Some(waiter)
    }

    /// Whether somebody's pause is over who wants a slice like one of `bytes` bytes.
    pub fn wants(&self, bytes: u32) -> bool {
        let now = time::ticks();
        self.list.iter().flatten().any(|waiter| waiter.wish.bytes <= bytes && self.is_due(waiter, now))
    }

    /// Whether somebody waits for its pause to be over.
    pub fn is_pausing(&self) -> bool {
        let now = time::ticks();
        self.list.iter().flatten().any(|waiter| !self.is_due(waiter, now))
    }

    fn is_due(&self, waiter: &Waiter, now: u32) -> bool {
        now.wrapping_sub(self.last[waiter.wish.client as usize]) >= PAUSE
    }
}
