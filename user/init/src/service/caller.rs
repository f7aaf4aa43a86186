//! A thread that calls a session's worker, or opens and closes sessions, while the first program does something
//! about that.
//!
//! What must hold: it can be destroyed wherever it is. So it takes no lock, allocates nothing, and owns
//! nothing; what it is to do and what came of it are words.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::abi::message::Item;
use freehold_rt::calls;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, time};

use crate::actor::new_notification;
use crate::failure::Failure;

/// Callers at a time.
pub const CALLERS: usize = 16;

/// One call, to a worker or the manager.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// What it goes to.
    pub worker: CapName,
    /// The message's label.
    pub label: u16,
    /// Its words, and how many.
    pub words: [u32; 6],
    /// How many.
    pub count: usize,
    /// The ranges declared, and how many.
    pub ranges: [Range; 2],
    /// How many.
    pub declared: usize,
    /// A capability that goes along, and a slot for one that comes back.
    pub item: Option<(CapName, CapName)>,
}

impl Piece {
    /// Makes the call.
    ///
    /// # Errors
    /// Those of a call.
    pub fn call(&self) -> Result<Message, Error> {
        let utcb = Utcb::current();
        utcb.set_ranges(&self.ranges[..self.declared]);
        let mut message = Message::of(self.label, &self.words[..self.count]).with_ranges();
        if let Some((source, slot)) = self.item {
            message.push_item(Item { source, moved: false, rights: Rights::EDIT, total: 0 });
            utcb.set_slots(slot, 1);
        }
        calls::call(self.worker, &message)
    }
}

/// What a caller is to do, and what came of it: the label and two words of the answer, or the error.
struct Line {
    go: AtomicU32,
    done: AtomicU32,
    start: AtomicU32,
    job: [AtomicU32; WORDS],
    result: [AtomicU32; 4],
}

static LINES: [Line; CALLERS] = [const {
    Line {
        go: AtomicU32::new(0),
        done: AtomicU32::new(0),
        start: AtomicU32::new(0),
        job: [const { AtomicU32::new(0) }; WORDS],
        result: [const { AtomicU32::new(0) }; 4],
    }
}; CALLERS];

/// Words of a job.
const WORDS: usize = 15;

/// No answer yet.
const NOTHING: u32 = u32::MAX;

/// What a call came to.
pub type Outcome = Result<(u16, [u32; 2]), Error>;

/// A thread that calls.
pub struct Caller {
    index: usize,
    thread: Thread,
    go: Slot,
    done: Slot,
}

impl Caller {
    /// Makes number `index`, which waits for a call to make.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn new(index: usize, priority: u8) -> Result<Caller, Failure> {
        let (go, done) = (new_notification()?, new_notification()?);
        LINES[index].go.store(go.name().0, Ordering::Relaxed);
        LINES[index].done.store(done.name().0, Ordering::Relaxed);
        let thread = thread::spawn(work, index as u32, Options::new(priority))?;
        Ok(Caller { index, thread, go, done })
    }

    /// Has it make a call.
    ///
    /// # Errors
    /// The kernel's.
    pub fn begin(&self, piece: &Piece) -> Result<(), Failure> {
        self.begin_at(piece, time::cycles() as u32)
    }

    /// Has it make a call when the low word of the cycle counter is `start`. Until then it runs.
    ///
    /// # Errors
    /// The kernel's.
    pub fn begin_at(&self, piece: &Piece, start: u32) -> Result<(), Failure> {
        let line = &LINES[self.index];
        line.start.store(start, Ordering::Relaxed);
        line.result[0].store(NOTHING, Ordering::Relaxed);
        line.job.iter().zip(encode(piece)).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
        Ok(calls::notify(self.go.name(), 1)?)
    }

    /// Waits until the call has ended, at most so many milliseconds. `None`: it has not.
    pub fn outcome(&self, limit: u32) -> Option<Outcome> {
        let waited = Utcb::current().within((0, limit), || calls::wait(self.done.name()));
        waited.ok().and_then(|_| self.so_far())
    }

    /// What the call came to, if it has ended.
    pub fn so_far(&self) -> Option<Outcome> {
        let [kind, label, first, second] = &LINES[self.index].result;
        let word = |place: &AtomicU32| place.load(Ordering::Relaxed);
        match word(kind) {
            NOTHING => None,
            0 => Some(Ok((word(label) as u16, [word(first), word(second)]))),
            error => Some(Err(Error::from_status(error).unwrap_or(Error::BadMessage))),
        }
    }

    /// Ends it, wherever it is.
    ///
    /// # Errors
    /// The kernel's.
    pub fn destroy(self) -> Result<(), Failure> {
        Ok(self.thread.destroy()?)
    }
}

fn work(index: u32) {
    let line = &LINES[index as usize];
    let name = |place: &AtomicU32| CapName(place.load(Ordering::Relaxed));
    while calls::wait(name(&line.go)).is_ok() {
        let piece = decode(&line.job);
        let start = line.start.load(Ordering::Relaxed);
        while start.wrapping_sub(time::cycles() as u32) as i32 > 0 {}
        let outcome = piece.call();
        let words = match outcome {
            Ok(answer) => [0, answer.label().into(), answer.word(0), answer.word(1)],
            Err(error) => [error as u32, 0, 0, 0],
        };
        for (place, word) in line.result.iter().zip(words).rev() {
            place.store(word, Ordering::Relaxed);
        }
        let _ = calls::notify(name(&line.done), 1);
    }
}

const WRITABLE: u32 = 1 << 31;

fn encode(piece: &Piece) -> [u32; WORDS] {
    let size = |range: Range| range.bytes | if range.writable { WRITABLE } else { 0 };
    let counts = (piece.count | piece.declared << 8) as u32;
    let [a, b, c, d, e, f] = piece.words;
    let [first, second] = piece.ranges;
    let ranges = [first.address, size(first), second.address, size(second)];
    let [g, h, i, j] = ranges;
    let (source, slot) = piece.item.unwrap_or_default();
    [piece.worker.0, piece.label.into(), counts, a, b, c, d, e, f, g, h, i, j, source.0, slot.0]
}

fn decode(job: &[AtomicU32; WORDS]) -> Piece {
    let word = |index: usize| job[index].load(Ordering::Relaxed);
    let range = |index: usize| {
        let size = word(index + 1);
        Range { address: word(index), bytes: size & !WRITABLE, writable: size & WRITABLE != 0 }
    };
    Piece {
        worker: CapName(word(0)),
        label: word(1) as u16,
        words: core::array::from_fn(|index| word(3 + index)),
        count: (word(2) & 0xFF) as usize,
        ranges: [range(9), range(11)],
        declared: (word(2) >> 8) as usize,
        item: (word(13) != 0).then_some((CapName(word(13)), CapName(word(14)))),
    }
}
