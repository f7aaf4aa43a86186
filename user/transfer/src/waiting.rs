//! Clients that wait for a session, in the order of their ranks, and of each rank in the order in which they came.
//!
//! What must hold, so that no flood keeps anybody from a session: a client waits in one place at most, and
//! who asks again goes to the end; there are at most [`WAITING_MAX`] places, of which nobody keeps one from a client
//! of a higher rank; a client gets at most one session
//! in [`PAUSE`] ms. So the work that OPENs cause is bounded for each client (one session made, one ended, one
//! RELEASE asked of the server in that time), and whoever waits is passed by nobody of its own rank or a lower one for a
//! slice that it can use. A client that does not wait any more is noticed within [`PERIOD`](freehold_protocol::transfer::PERIOD) ms.

use core::cmp::Reverse;

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

    /// Adds one at the end. Returns whom there is no place for: the last of those whose rank is lowest.
    pub fn add(&mut self, waiter: Waiter) -> Option<Waiter> {
        if self.list[WAITING_MAX - 1].is_some() {
            self.purge();
        }
        if let Some(place) = self.list.iter_mut().find(|place| place.is_none()) {
            *place = Some(waiter);
            return None;
        }
        let rank = |index: &usize| self.list[*index].as_ref().map(|waiter| waiter.wish.rank);
        let last =
            (0..WAITING_MAX).rev().min_by_key(rank).filter(|index| rank(index) < Some(waiter.wish.rank));
        let Some(index) = last else { return Some(waiter) };
        self.list[index..].rotate_left(1);
        self.list[WAITING_MAX - 1].replace(waiter)
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

    /// Takes out the first of the highest rank whose pause is over and who `can` have what it wants.
    pub fn next(&mut self, can: impl Fn(&Wish) -> bool) -> Option<Waiter> {
        let now = time::ticks();
        let due = (0..).zip(self.list.iter().flatten()).filter(|(_, waiter)| self.is_due(waiter, now));
        let (index, _) =
            due.filter(|(_, waiter)| can(&waiter.wish)).min_by_key(|(_, it)| Reverse(it.wish.rank))?;
        let waiter = self.list[index].take()?;
        self.list[index..].rotate_left(1);
        self.last[waiter.wish.client as usize] = now;
        Some(waiter)
    }

    /// What those want whose pause is over.
    pub fn wishes(&self) -> impl Iterator<Item = &Wish> {
        let now = time::ticks();
        let due = move |waiter: &&Waiter| self.is_due(waiter, now);
        self.list.iter().flatten().filter(due).map(|waiter| &waiter.wish)
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
