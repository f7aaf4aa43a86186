//! A round trip between spaces while more and more threads wait somewhere else.

use alloc::vec::Vec;

use freehold_abi::CapName;
use freehold_abi::info::State;
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::memory;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;

use super::sleeper;
use crate::annex::{Annex, INDEX};
use crate::ipc::Pair;

/// Threads around.
const COUNTS: [u32; 5] = [1, 10, 100, 1_000, 10_000];

/// `ipc.threads.*`.
pub fn run() {
    if !super::any_wanted("ipc.threads", &COUNTS) {
        return;
    }
    let pair = Pair::start(Home::new());
    let mut crowd = Crowd::new();
    for count in COUNTS {
        crowd.grow(count);
        pair.round_trips(&super::name("ipc.threads", count), 0);
    }
    crowd.end();
}

/// Threads of the own space that wait at one endpoint.
struct Crowd {
    endpoint: Slot,
    slot: Slot,
    tables: Vec<Annex>,
    frames: Vec<Extent>,
    /// Pairs of frames at the end of the last row that are not used yet.
    spare: Option<Extent>,
    count: u32,
}

impl Crowd {
    fn new() -> Crowd {
        let slot = Slot::take().expect("a slot");
        let (tables, frames) = (Vec::new(), Vec::new());
        Crowd { endpoint: endpoint(), slot, tables, frames, spare: None, count: 0 }
    }

    fn grow(&mut self, count: u32) {
        while self.count < count {
            let table = self.count / ENTRIES;
            if table == self.tables.len() as u32 {
                self.tables.push(Annex::own(INDEX + table));
            }
            let pair = self.pair();
            let place = ThreadPlace {
                container: pair.container,
                thread: pair.first,
                utcb: pair.first + 1,
                space: CapName::NONE,
                address: INDEX * BLOCK + self.count * FRAME,
                fpu: false,
            };
            sleeper::start(place, self.endpoint.name(), &self.slot);
            if self.count == 0 {
                let state = calls::thread_info(self.slot.name()).map(|info| info.state);
                check_eq!(state, Ok(State::Receiving));
            }
            calls::delete(self.slot.reference()).expect("an own slot");
            self.count += 1;
        }
        let space = calls::space_summary(CapName::NONE).map(|space| space.threads);
        check_eq!(space, Ok(self.count + 1), "the first thread is there, too");
    }

    fn pair(&mut self) -> Extent {
        let row = match self.spare.take() {
            Some(row) => row,
            None => {
                let row = memory::take_up_to(ENTRIES, 2).expect("memory for threads");
                let row = Extent { count: row.count & !1, ..row };
                self.frames.push(row);
                row
            }
        };
        let (pair, rest) = row.split(2);
        self.spare = Some(rest).filter(|rest| rest.count >= 2);
        pair
    }

    fn end(mut self) {
        for row in self.frames.drain(..) {
            check_eq!(memory::release(row), Ok(()), "threads");
        }
    }
}
