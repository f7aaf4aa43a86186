//! The programs of a transfer, and beside the clients among them one that the first program plays itself, so
//! that it can be stopped, and struck, at any step.

use alloc::vec::Vec;

use freehold_protocol::answer::DONE;
use freehold_protocol::client::{CARRIED, CLOSE, TRANSFER};
use freehold_protocol::server::{ADD, HELD, HOLD, LET_GO, OK, PING};
use freehold_protocol::transfer::{ABORTED, CANCEL, FAULTED, NO_SERVER, PIECE, REPLY_FAULTED, REST, SERVER};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::slots::Slot;
use freehold_rt::transfer::Session;
use freehold_rt::utcb::Range;
use freehold_rt::{Message, Utcb, calls};

use super::caller::Piece;
use super::ground::{AT, Ground};
use crate::actor::expect;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::{digest, digest_in};
use crate::tour::troupe::{Size, Troupe, until};

/// The number of the client that is played.
pub const PLAYED: u32 = 9;
/// Of its workers: that of the other clients.
pub const PRIORITY: u8 = 8;
/// Milliseconds in which programs must have come to where they are expected.
pub const LIMIT: u32 = 2_000;
/// Milliseconds in which the service must have noticed that a worker is gone, well before its time is up.
pub const SOON: u32 = 200;

/// Pages of the played client's request, from page 0 of its ground on, and of its reply, from [`REPLY_AT`] on.
pub const PAGES: u32 = 3;
/// Where its reply begins, in pages.
pub const REPLY_AT: u32 = 8;
/// Bytes of its request: not whole pages.
pub const BYTES: u32 = PAGES * FRAME - 9;
/// What its server adds to each byte.
pub const ADDEND: u32 = 7;

/// The byte number `index` of its request.
pub fn byte(index: u32) -> u8 {
    (index.wrapping_mul(0x9E37_79B1) >> 23) as u8
}

/// All of them.
pub struct Stage<'a> {
    /// The programs.
    pub troupe: Troupe,
    /// Where the played client's request and reply lie.
    pub ground: &'a Ground,
    /// The played client's way to the service.
    pub service: Slot,
    /// The server's way to the service, for orders that the server itself would give.
    server: Slot,
    /// What a real client transfers beside, and what the server must answer.
    bytes: u32,
    right: Vec<u32>,
}

impl<'a> Stage<'a> {
    /// Starts `clients` clients and a server with `slices` slices, each for `bytes` bytes; real clients transfer
    /// the file's first `bytes`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(
        services: &Services,
        ground: &'a Ground,
        (clients, slices, bytes): (u32, u32, u32),
    ) -> Result<Stage<'a>, Failure> {
        let frames = slices * (bytes.div_ceil(FRAME).max(64) + 1);
        let troupe = Troupe::start(services, Size { clients, slices, bytes, frames })?;
        let (service, server) = (troupe.way(PLAYED)?, troupe.way(SERVER)?);
        Ok(Stage { troupe, ground, service, server, bytes, right: digest(bytes)? })
    }

    /// The played client opens a session.
    ///
    /// # Errors
    /// Refused.
    pub fn open(&self) -> Result<Session, Failure> {
        Utcb::current()
            .within((LIMIT, LIMIT), || Session::open(self.service.name(), PAGES * FRAME, PRIORITY))
            .map_err(Failure::Transfer)
    }

    /// Its request and the room for its reply are there, and hold what they must.
    ///
    /// # Errors
    /// The kernel's.
    pub fn prepare(&self) -> Result<(), Failure> {
        self.ground.show(0, REPLY_AT + PAGES, true)?;
        self.ground.fill(0, PAGES * FRAME, byte);
        self.ground.fill(REPLY_AT, PAGES * FRAME, |_| 0);
        Ok(())
    }

    /// Whether the reply that it has is the right one, and nothing lies behind it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn reply_is_right(&self) -> Result<bool, Failure> {
        self.ground.show(REPLY_AT, PAGES, true)?;
        let reply = self.ground.bytes(REPLY_AT, PAGES * FRAME);
        let right = |(index, &found): (u32, &u8)| {
            found == if index < BYTES { byte(index).wrapping_add(ADDEND as u8) } else { 0 }
        };
        Ok((0..).zip(reply).all(right))
    }

    /// Has the played client make a whole transfer in a session of its own, pages missing on the way. `true`: it
    /// went as it must.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn plays_well(&self) -> Result<bool, Failure> {
        let session = self.open()?;
        self.prepare()?;
        self.ground.hide(1, 1)?;
        self.ground.hide(REPLY_AT + 2, 1)?;
        let mut answer = Message::new(DONE);
        let mut piece = piece(&session, 0);
        for _ in 0..8 {
            answer = Utcb::current().within((LIMIT, LIMIT), || piece.call())?;
            let place = answer.word(0).wrapping_sub(AT) / FRAME;
            match answer.label() {
                FAULTED => {
                    self.ground.show(place, 1, false)?;
                    piece = self::piece(&session, answer.word(1));
                }
                REPLY_FAULTED => {
                    self.ground.show(place, 1, true)?;
                    piece = rest(&session, answer.word(1));
                }
                _ => break,
            }
        }
        session.close()?;
        let done = (answer.label(), answer.words()) == (DONE, &[OK, BYTES]);
        Ok(done && self.reply_is_right()?)
    }

    /// Has real client `number` transfer, in a session of its own. `true`: the server's answer is right.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn serves(&self, number: u32) -> Result<bool, Failure> {
        self.troupe.set_source(number, self.bytes)?;
        let (_, frames) = self.troupe.open(number, self.bytes)?;
        let client = self.troupe.client(number)?;
        let answer = expect(client.order(TRANSFER, &[self.bytes])?, CARRIED)?;
        drop(frames);
        client.obeys(CLOSE, &[])?;
        Ok(digest_in(&answer) == self.right)
    }

    /// Whether a client's answer to a transfer is right.
    pub fn is_right(&self, answer: &Message) -> bool {
        answer.label() == CARRIED && digest_in(answer) == self.right
    }

    /// Whether the server answers a call.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn server_answers(&self) -> Result<bool, Failure> {
        Ok(self.troupe.server()?.order(PING, &[])?.label() == DONE)
    }

    /// Whether real client `number` is told that there is no server, and no more.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn learns_that_server_is_gone(&self, number: u32) -> Result<bool, Failure> {
        self.troupe.set_source(number, self.bytes)?;
        let (_, frames) = self.troupe.open(number, self.bytes)?;
        let client = self.troupe.client(number)?;
        let answer = client.order(TRANSFER, &[self.bytes])?;
        drop(frames);
        client.obeys(CLOSE, &[])?;
        Ok((answer.label(), answer.word(0)) == (ABORTED, NO_SERVER))
    }

    /// Whether in time no session is left, and the slice is empty.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn is_cleared(&self, slice: u32) -> Result<bool, Failure> {
        Ok(until(SOON, || Ok(self.troupe.sessions()? == 0))? && self.troupe.slice(slice)?.frames == 0)
    }

    /// The server holds the next request in a slice.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn hold(&self, slice: u32) -> Result<(), Failure> {
        self.troupe.server()?.obeys(HOLD, &[slice]).map(|_| ())
    }

    /// Whether it holds one.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn holds(&self, slice: u32) -> Result<bool, Failure> {
        Ok(self.troupe.server()?.obeys(HELD, &[slice])?.word(0) != 0)
    }

    /// It answers what it holds.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn let_go(&self, slice: u32) -> Result<(), Failure> {
        self.troupe.server()?.obeys(LET_GO, &[slice]).map(|_| ())
    }

    /// The server cancels what has a slice.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn cancel(&self, slice: u32) -> Result<(), Failure> {
        let answer = calls::call(self.server.name(), &Message::of(CANCEL, &[slice]))?;
        expect(answer, DONE).map(|_| ())
    }

    /// Ends all.
    ///
    /// # Errors
    /// A frame could not be reclaimed.
    pub fn end(self) -> Result<(), Failure> {
        self.troupe.destroy()?;
        Ok(())
    }
}

/// The played client's ranges.
pub const RANGES: [Range; 2] = [
    Range { address: AT, bytes: BYTES, writable: false },
    Range { address: AT + REPLY_AT * FRAME, bytes: PAGES * FRAME, writable: true },
];

/// Its message to its worker: the request, from `offset` on.
pub fn piece(session: &Session, offset: u32) -> Piece {
    let words = [offset, BYTES, ADD, ADDEND, 0, PAGES * FRAME];
    let worker = session.worker().unwrap_or_default();
    Piece { worker, label: PIECE, words, count: 6, ranges: RANGES, declared: 2, item: None }
}

/// The same: the reply, from `offset` on.
pub fn rest(session: &Session, offset: u32) -> Piece {
    Piece { label: REST, words: [offset, 0, 0, 0, 0, 0], count: 1, ..piece(session, 0) }
}
