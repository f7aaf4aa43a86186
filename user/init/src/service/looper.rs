//! A client that does the same over and over, through rt's library, until it is told to end.
//!
//! What must hold: it is never destroyed on the way, since it owns frames and slots then.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_protocol::server::{ADD, OK};
use freehold_protocol::transfer::CEILING_SHIFT;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::transfer::{Answer, Failure as Broken, Session};
use freehold_rt::{CapName, Message, calls, time};

use super::stage::{ADDEND, LIMIT, PRIORITY, Stage, byte};
use crate::failure::Failure;
use crate::tour::troupe::until;

/// Loopers at a time.
pub const LOOPERS: usize = 20;
/// Their numbers as clients begin here.
pub const FIRST: u32 = 20;
/// Bytes of their requests.
const BYTES: usize = 96;

/// What one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Habit {
    /// Opens a session, transfers, closes it.
    Opens,
    /// Opens a session and keeps it, without a transfer.
    Keeps,
    /// Transfers, in a session that it opens anew when it must.
    Transfers,
    /// Opens a session and sends pieces that continue nothing.
    Storms,
}

/// What it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Did {
    /// Sessions opened.
    pub sessions: u32,
    /// Transfers complete, with the right reply; or pieces answered.
    pub transfers: u32,
    /// Sessions refused.
    pub refused: u32,
    /// Transfers that failed, or whose reply was wrong.
    pub failed: u32,
    /// The longest wait for a session, in ticks.
    pub waited: u32,
}

struct Line {
    service: AtomicU32,
    habit: AtomicU32,
    priority: AtomicU32,
    stop: AtomicU32,
    ended: AtomicU32,
    did: [AtomicU32; 5],
}

static LINES: [Line; LOOPERS] = [const {
    Line {
        service: AtomicU32::new(0),
        habit: AtomicU32::new(0),
        priority: AtomicU32::new(0),
        stop: AtomicU32::new(0),
        ended: AtomicU32::new(0),
        did: [const { AtomicU32::new(0) }; 5],
    }
}; LOOPERS];

/// One of them.
pub struct Looper {
    index: usize,
    thread: Thread,
    service: Slot,
}

impl Looper {
    /// Starts number `index`, at a priority that its worker is to have as well.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(stage: &Stage<'_>, index: usize, habit: Habit, priority: u8) -> Result<Looper, Failure> {
        Looper::start_by(stage.troupe.way(FIRST + index as u32)?, index, habit, priority)
    }

    /// The same by a way to the service that says what its workers' priority may be: of a lower rank than those whose ways
    /// do not.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start_ranked(
        stage: &Stage<'_>,
        index: usize,
        habit: Habit,
        priority: u8,
    ) -> Result<Looper, Failure> {
        let ceiling = (1 + u32::from(priority)) << CEILING_SHIFT;
        Looper::start_by(stage.troupe.way((FIRST + index as u32) | ceiling)?, index, habit, priority)
    }

    fn start_by(service: Slot, index: usize, habit: Habit, priority: u8) -> Result<Looper, Failure> {
        let line = &LINES[index];
        line.service.store(service.name().0, Ordering::Relaxed);
        line.habit.store(habit as u32, Ordering::Relaxed);
        line.priority.store(priority.into(), Ordering::Relaxed);
        line.did.iter().chain([&line.stop, &line.ended]).for_each(|word| word.store(0, Ordering::Relaxed));
        let thread = thread::spawn(work, index as u32, Options::new(priority))?;
        Ok(Looper { index, thread, service })
    }

    /// Its way to the service.
    pub fn service(&self) -> CapName {
        self.service.name()
    }

    /// What it did so far.
    pub fn did(&self) -> Did {
        let [sessions, transfers, refused, failed, waited] =
            core::array::from_fn(|index| LINES[self.index].did[index].load(Ordering::Relaxed));
        Did { sessions, transfers, refused, failed, waited }
    }

    /// Tells it to end.
    pub fn tell_to_end(&self) {
        LINES[self.index].stop.store(1, Ordering::Relaxed);
    }

    /// Waits for its end. Returns what it did.
    ///
    /// # Errors
    /// TooLate.
    pub fn end(self) -> Result<Did, Failure> {
        self.tell_to_end();
        let ended = || Ok(LINES[self.index].ended.load(Ordering::Relaxed) != 0);
        if !until(LIMIT, ended)? {
            return Err(Failure::TooLate);
        }
        let did = self.did();
        self.thread.destroy()?;
        Ok(did)
    }
}

/// Starts one of each habit.
///
/// # Errors
/// [`Failure`].
pub fn start_all(stage: &Stage<'_>, habits: &[Habit]) -> Result<Vec<Looper>, Failure> {
    let habits = habits.iter().enumerate();
    habits.map(|(index, &habit)| Looper::start(stage, index, habit, PRIORITY)).collect()
}

/// Ends all of them. Returns what they did.
///
/// # Errors
/// TooLate.
pub fn end_all(loopers: impl IntoIterator<Item = Looper>) -> Result<[Did; LOOPERS], Failure> {
    let mut did = [Did::default(); LOOPERS];
    for looper in loopers {
        let index = looper.index;
        did[index] = looper.end()?;
    }
    Ok(did)
}

fn work(index: u32) {
    let line = &LINES[index as usize];
    let word = |place: &AtomicU32| place.load(Ordering::Relaxed);
    let habit = word(&line.habit);
    let mut kept: Option<Session> = None;
    while word(&line.stop) == 0 {
        let mut session = match kept.take() {
            Some(session) => session,
            None => match open(line) {
                Some(session) => session,
                None => continue,
            },
        };
        if habit == Habit::Keeps as u32 {
            time::sleep(1);
        } else if habit == Habit::Storms as u32 {
            storm(line, &session);
        } else {
            transfer(line, &mut session);
        }
        if habit != Habit::Opens as u32 {
            kept = Some(session);
        }
    }
    drop(kept);
    line.ended.store(1, Ordering::Relaxed);
}

fn count(line: &Line, what: usize) {
    line.did[what].fetch_add(1, Ordering::Relaxed);
}

fn open(line: &Line) -> Option<Session> {
    let begin = time::ticks();
    let service = CapName(line.service.load(Ordering::Relaxed));
    let priority = line.priority.load(Ordering::Relaxed) as u8;
    let opened = Session::open(service, BYTES as u32, priority);
    line.did[4].fetch_max(time::ticks().wrapping_sub(begin), Ordering::Relaxed);
    match opened {
        Ok(session) => {
            count(line, 0);
            Some(session)
        }
        Err(failure) => {
            count(line, if failure == Broken::Refused { 2 } else { 3 });
            time::sleep(5);
            None
        }
    }
}

fn transfer(line: &Line, session: &mut Session) {
    let request: [u8; BYTES] = core::array::from_fn(|index| byte(index as u32));
    let mut reply = [0; BYTES];
    let answer = session.call(ADD as u16, [ADDEND, 0], &request, &mut reply);
    let right = reply.iter().zip(request).all(|(&reply, byte)| reply == byte.wrapping_add(ADDEND as u8));
    let whole = matches!(answer, Ok(Answer { status: OK, bytes, .. }) if bytes == BYTES as u32);
    count(line, if whole && right { 1 } else { 3 });
}

fn storm(line: &Line, session: &Session) {
    use freehold_protocol::transfer::{ABORTED, PIECE};
    let worker = session.worker().unwrap_or_default();
    let answer = calls::call(worker, &Message::of(PIECE, &[1, 2, 3, 4, 5, 6]));
    count(line, if answer.is_ok_and(|answer| answer.label() == ABORTED) { 1 } else { 3 });
}
