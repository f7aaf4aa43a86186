//! A client of the transfer service that speaks to its worker itself, and says what it likes.

use freehold_protocol::answer::DONE;
use freehold_protocol::server::{ADD, OK};
use freehold_protocol::transfer::{PIECE, REST};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::calls;
use freehold_rt::memory::{self, MapError};
use freehold_rt::transfer::Session;
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Error, Message, Utcb};

/// Where requests lie ...
pub const REQUEST: u32 = 0x6800_0000;
/// ... and replies.
pub const REPLY: u32 = 0x6810_0000;
/// Pages of each that are there.
pub const PAGES: u32 = 4;
/// Bytes of them.
pub const BYTES: u32 = PAGES * FRAME;
/// What the server is asked to add to each byte.
pub const ADDEND: u32 = 3;

/// Makes both places.
///
/// # Errors
/// [`MapError`].
pub fn ground() -> Result<(), MapError> {
    memory::map_new(REQUEST, PAGES)?;
    memory::map_new(REPLY, PAGES)
}

/// A piece of a request: what is said, and what is declared.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// The way to the worker.
    pub worker: CapName,
    /// PIECE or REST.
    pub label: u16,
    /// Offset, total, op, two words, room.
    pub words: [u32; 6],
    /// The ranges that are declared.
    pub ranges: [Range; 2],
    /// How many of them.
    pub declared: usize,
}

impl Piece {
    /// An honest one: the first `total` bytes of the request, from `offset` on.
    pub fn new(worker: CapName, offset: u32, total: u32) -> Piece {
        let range = |address, writable| Range { address, bytes: total, writable };
        Piece {
            worker,
            label: PIECE,
            words: [offset, total, ADD, ADDEND, 0, total],
            ranges: [range(REQUEST, false), range(REPLY, true)],
            declared: 2,
        }
    }

    /// An honest request for the rest of a reply, from `offset` on.
    pub fn rest(worker: CapName, offset: u32, total: u32) -> Piece {
        Piece { label: REST, words: [offset, 0, 0, 0, 0, 0], ..Piece::new(worker, 0, total) }
    }

    /// Says so.
    ///
    /// # Errors
    /// Those of a call.
    pub fn say(&self) -> Result<Message, Error> {
        Utcb::current().set_ranges(&self.ranges[..self.declared]);
        let count = if self.label == REST { 1 } else { self.words.len() };
        calls::call(self.worker, &Message::of(self.label, &self.words[..count]).with_ranges())
    }
}

/// Whether an honest transfer of `total` bytes, all there, comes to the right reply.
pub fn transfers(session: &Session, total: u32) -> bool {
    let Some(worker) = session.worker() else { return false };
    fill(REQUEST, total, |index| index as u8);
    fill(REPLY, total, |_| 0);
    let answer = Piece::new(worker, 0, total).say();
    answer.is_ok_and(|answer| answer.label() == DONE && answer.words() == [OK, total])
        && (0..total).all(|index| byte(REPLY + index) == (index as u8).wrapping_add(ADDEND as u8))
}

/// A byte of the ground.
pub fn byte(address: u32) -> u8 {
    // SAFETY: the ground is mapped, and Rust relies on nothing there.
    unsafe { (address as *const u8).read_volatile() }
}

/// Fills bytes of the ground.
pub fn fill(address: u32, bytes: u32, value: impl Fn(u32) -> u8) {
    for index in 0..bytes {
        // SAFETY: as above.
        unsafe { ((address + index) as *mut u8).write_volatile(value(index)) };
    }
}
