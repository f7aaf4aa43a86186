//! A client in another space that declares ranges and waits.

use freehold_abi::info::State;
use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{Frames, update};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check_eq};
use freehold_rt::calls::{self, Copied};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Message, Rights, Utcb};

/// The endpoint's name in the client's space.
const THERE: CapName = CapName(9);
/// Directory indices of the client's two own Tables for data, side by side.
pub const FIRST: u32 = 300;
/// Address of the data in the client's space.
pub const DATA: u32 = FIRST * BLOCK;

/// Calls with the ranges on the board: their number, then address, bytes and whether writable.
fn client(_: u32) {
    let count = board::get(0) as usize;
    let range = |index: usize| Range {
        address: board::get(1 + 3 * index),
        bytes: board::get(2 + 3 * index),
        writable: board::get(3 + 3 * index) != 0,
    };
    let ranges = [range(0), range(1), range(2), range(3)];
    Utcb::current().set_ranges(&ranges[..count.min(4)]);
    let answer = calls::call(THERE, &Message::new(1).with_ranges());
    board::set(20, answer.err().map_or(0, |error| error as u32));
}

/// The client, blocked in its call; this thread holds the answer.
pub struct Client {
    worker: Worker,
    pub home: Home,
    pub endpoint: Slot,
    _tables: Frames,
    _slots: [Slot; 2],
}

impl Client {
    /// A space with Tables at [`FIRST`] and behind it, and a thread that has not started.
    pub fn new() -> Client {
        let (home, endpoint) = (Home::new(), endpoint());
        home.give(THERE, endpoint.name(), Rights::SEND, 0);
        let tables = Frames::take(8, 4);
        let slots = [Slot::take().expect("a slot"), Slot::take().expect("a slot")];
        for (index, slot) in slots.iter().enumerate() {
            let at = tables.at(4 * index as u32);
            check_eq!(calls::make_table(tables.container(), at, slot.reference(), home.space()), Ok(()));
            check_eq!(calls::hook(slot.name(), home.space(), FIRST + index as u32, Rights::WRITE), Ok(()));
        }
        let worker = Worker::new(&home, ABOVE);
        Client { worker, home, endpoint, _tables: tables, _slots: slots }
    }

    /// Maps `frames` at `page` pages behind [`DATA`].
    pub fn map(&self, frames: &Frames, page: u32, rights: Rights) {
        let source = (frames.container(), frames.at(0));
        let there = update(source, frames.count(), self.home.space(), DATA / FRAME + page, rights, 0);
        check_eq!(calls::update(&[there]), Ok(()));
    }

    pub fn unmap(&self, page: u32, count: u32) {
        check_eq!(calls::unmap(self.home.space(), DATA / FRAME + page, count), Ok(()));
    }

    /// Lets it call with these ranges, and takes the call.
    pub fn call(&self, ranges: &[Range]) {
        board::set(0, ranges.len() as u32);
        board::set(20, 0xFFFF);
        for (index, range) in ranges.iter().enumerate() {
            board::set(1 + 3 * index, range.address);
            board::set(2 + 3 * index, range.bytes);
            board::set(3 + 3 * index, range.writable.into());
        }
        self.worker.start(client, 0);
        check_eq!(calls::receive(self.endpoint.name()).map(|got| got.message.label()), Ok(1));
        check_eq!(self.worker.state(), State::AwaitingReply);
    }

    /// Starts a call that must fail; returns the error's number.
    pub fn refused(&self, count: u32) -> u32 {
        board::set(0, count);
        board::set(20, 0xFFFF);
        self.worker.start(client, 0);
        check_eq!(self.worker.ends(), true);
        board::get(20)
    }

    /// Answers, and waits for its end.
    pub fn finish(&self) {
        check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
        check_eq!(self.worker.ends(), true);
        check_eq!(board::get(20), 0);
    }

    /// Its thread.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }
}

/// One range.
pub fn range(address: u32, bytes: u32, writable: bool) -> Range {
    Range { address, bytes, writable }
}

/// Copies from the caller: offset, own address, bytes.
pub fn fetch(offset: u32, own: u32, bytes: u32) -> Copied {
    // SAFETY: tests give addresses of pages that are their own, or of none.
    unsafe { calls::copy_in(None, 0, offset, own, bytes) }
}

/// Copies to the caller.
pub fn store(offset: u32, own: u32, bytes: u32) -> Copied {
    calls::copy_out(None, 0, offset, own, bytes)
}

/// A copy that came to its end.
pub fn all(bytes: u32) -> Copied {
    Copied { done: bytes, stop: None }
}
