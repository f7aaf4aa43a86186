//! A worker: carries one client's requests into one slice, and the replies back.
//!
//! What must hold: it stands on its client's frames, and can end after any instruction. It takes no lock,
//! and writes only its own UTCB (whose upper part is its stack: 3 KiB, so no values of the size of a
//! message) and its slice. What it believes of the client is the reply capability; of the server, that it
//! answers. It reads and writes no memory of the client's but with `copy`, and the server never waits for it.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::server::{COMPLETE, FILL, PAGING, REQUESTS};
use freehold_protocol::transfer::{
    ABORTED, BAD_PIECE, BAD_RANGE, BEGIN, BYTES_MAX, FAULTED, FILLED_TOO_OFTEN, NO_SERVER, OTHERS_WAIT,
    PIECE, REPLY, REPLY_FAULTED, REQUEST, REST, RESUMED_TOO_OFTEN, SELF,
};
use freehold_rt::abi::layout::utcb::MESSAGE;
use freehold_rt::abi::layout::{FOREVER, FRAME};
use freehold_rt::calls::Copied;
use freehold_rt::{CapName, Error, Tag, Utcb, calls, start};

use crate::board::{self, Notice};

/// An answer to the client: tag, two words.
type Answer = (Tag, [u32; 2]);

/// How often a request, or a reply, may be resumed, beside twice for each of its pages.
const RESUMES: u32 = 8;

/// The worker's first and last function.
pub extern "C" fn worker() -> ! {
    Utcb::current().set_limits((FOREVER, FOREVER));
    let (session, notice) = board::read();
    let mut work = Work::new(session, notice);
    let mut request = receive(notice.endpoint);
    loop {
        request = match request {
            Ok((tag, words)) => {
                let (tag, words) = work.handle(tag, words);
                match calls::reply_receive_short(notice.endpoint, tag, words) {
                    Ok((_, tag, words)) => Ok((tag, words)),
                    // The client is gone, or has stopped waiting.
                    Err(Error::NoReply) => receive(notice.endpoint),
                    Err(error) => Err(error),
                }
            }
            Err(_) => {
                // The session is over: the manager is about to take the worker away.
                let _ = calls::stop_thread(notice.thread);
                Err(Error::Gone)
            }
        }
    }
}

fn receive(endpoint: CapName) -> Result<Answer, Error> {
    calls::receive_short(endpoint).map(|(_, tag, words)| (tag, words))
}

/// Where a transfer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is none.
    Idle,
    /// The request is on its way into the slice.
    Request,
    /// The server has answered; the reply is on its way out of it.
    Reply,
}

/// A worker's own state.
struct Work {
    session: u32,
    /// Address of the slice.
    slice: u32,
    /// Bytes that a request, and a reply, can have.
    limit: u32,
    manager: Option<CapName>,
    paging: Option<CapName>,
    requests: Option<CapName>,
    /// No transfer has begun since the session was opened, or the last one was completed.
    fresh: bool,
    phase: Phase,
    /// Op, its two words, the client's room for a reply.
    wish: [u32; 4],
    /// What the server answered: status, bytes.
    answer: [u32; 2],
    /// Where what is carried begins in the slice.
    begin: u32,
    total: u32,
    done: u32,
    fills_left: u32,
    resumes_left: u32,
}

impl Work {
    fn new(session: usize, notice: Notice) -> Work {
        Work {
            session: session as u32,
            slice: board::slice(session),
            limit: notice.bytes,
            manager: start::capability(SELF),
            paging: start::capability(PAGING),
            requests: start::capability(REQUESTS),
            fresh: true,
            phase: Phase::Idle,
            wish: [0; 4],
            answer: [0; 2],
            begin: 0,
            total: 0,
            done: 0,
            fills_left: 0,
            resumes_left: 0,
        }
    }

    fn handle(&mut self, tag: Tag, [offset, total]: [u32; 2]) -> Answer {
        match (tag.label(), tag.words()) {
            (PIECE, 6) => {
                if self.phase == Phase::Idle && offset == 0 {
                    // The words lie where they arrived, until the next call.
                    let word = |index: usize| Utcb::current().get(MESSAGE + index);
                    let wish = [word(3), word(4), word(5), word(6)];
                    if total <= self.limit && wish[3] <= self.limit && !self.start(total, wish) {
                        return self.abort(OTHERS_WAIT, None);
                    }
                }
                if self.phase != Phase::Request || (offset, total) != (self.done, self.total) {
                    return self.abort(BAD_PIECE, None);
                }
                self.carry()
            }
            (REST, 1) if self.phase == Phase::Reply && offset == self.done => self.carry(),
            (REST, 1) => self.abort(BAD_PIECE, None),
            _ => (Tag::new(REFUSED, 0), [0; 2]),
        }
    }

    /// Begins a transfer. `false`: the session has to end, others wait for its slice.
    fn start(&mut self, total: u32, wish: [u32; 4]) -> bool {
        // An aborted transfer does not give a client more time.
        if self.fresh {
            let manager = self.manager.unwrap_or(CapName::NONE);
            match calls::call_short(manager, Tag::new(BEGIN, 1), [self.session, 0]) {
                Ok((tag, _)) if tag.label() != DONE => return false,
                // Without a manager there is nobody else either.
                _ => self.fresh = false,
            }
        }
        self.wish = wish;
        self.fills_left = total.max(wish[3]).div_ceil(FRAME);
        self.enter(Phase::Request, 0, total);
        true
    }

    fn enter(&mut self, phase: Phase, begin: u32, total: u32) {
        (self.phase, self.begin, self.total, self.done) = (phase, begin, total, 0);
        self.resumes_left = 2 * total.div_ceil(FRAME) + RESUMES;
    }

    /// Goes on until all is done, the client has to do something, or there is no way on.
    fn carry(&mut self) -> Answer {
        let carried = match self.phase {
            Phase::Request => self.copy_all().and_then(|()| self.complete()).and_then(|()| self.copy_all()),
            Phase::Reply => self.copy_all(),
            Phase::Idle => unreachable!("a transfer is under way"),
        };
        match carried {
            Ok(()) => {
                (self.phase, self.fresh) = (Phase::Idle, true);
                (Tag::new(DONE, 2), self.answer)
            }
            Err(answer) => answer,
        }
    }

    /// Copies what is left of the request, or of the reply.
    fn copy_all(&mut self) -> Result<(), Answer> {
        while self.done != self.total {
            let copied = self.copy();
            self.done += copied.done;
            match copied.stop {
                None => {}
                Some((Error::FaultTheirs, address)) => {
                    let Some(left) = self.resumes_left.checked_sub(1) else {
                        return Err(self.abort(RESUMED_TOO_OFTEN, None));
                    };
                    self.resumes_left = left;
                    let label = if self.phase == Phase::Reply { REPLY_FAULTED } else { FAULTED };
                    return Err((Tag::new(label, 2), [address, self.done]));
                }
                Some((Error::FaultMine, address)) => self.fill(address)?,
                Some((error, _)) => return Err(self.abort(BAD_RANGE, Some(error))),
            }
        }
        Ok(())
    }

    fn copy(&self) -> Copied {
        let (own, left) = (self.slice + self.begin + self.done, self.total - self.done);
        match self.phase {
            Phase::Reply => calls::copy_out(None, REPLY, self.done, own, left),
            // SAFETY: the slice is the session's own, and nothing in this program relies on what is in it.
            _ => unsafe { calls::copy_in(None, REQUEST, self.done, own, left) },
        }
    }

    /// The server's pager gets to fill a page of the slice.
    fn fill(&mut self, address: u32) -> Result<(), Answer> {
        let Some(left) = self.fills_left.checked_sub(1) else {
            return Err(self.abort(FILLED_TOO_OFTEN, None));
        };
        self.fills_left = left;
        let page = (address - self.slice) / FRAME;
        let paging = self.paging.unwrap_or(CapName::NONE);
        match calls::call_short(paging, Tag::new(FILL, 2), [self.session, page]) {
            Ok((tag, _)) if tag.label() == DONE => Ok(()),
            Ok(_) => Err(self.abort(NO_SERVER, None)),
            Err(error) => Err(self.abort(NO_SERVER, Some(error))),
        }
    }

    /// The server gets its request; what it answers, and where, is what is carried from here on.
    fn complete(&mut self) -> Result<(), Answer> {
        let utcb = Utcb::current();
        for (index, word) in (3..).zip(self.wish) {
            utcb.set(MESSAGE + index, word);
        }
        let requests = self.requests.unwrap_or(CapName::NONE);
        match calls::call_short(requests, Tag::new(COMPLETE, 6), [self.session, self.total]) {
            Ok((tag, [status, bytes])) if tag.label() == DONE => {
                let begin = if tag.words() > 2 { utcb.get(MESSAGE + 3) } else { 0 };
                // A server that answers more than there is room for makes a mistake.
                if bytes > self.wish[3] || begin > BYTES_MAX - bytes {
                    return Err(self.abort(NO_SERVER, None));
                }
                self.answer = [status, bytes];
                self.enter(Phase::Reply, begin, bytes);
                Ok(())
            }
            Ok(_) => Err(self.abort(NO_SERVER, None)),
            Err(error) => Err(self.abort(NO_SERVER, Some(error))),
        }
    }

    fn abort(&mut self, reason: u32, error: Option<Error>) -> Answer {
        self.phase = Phase::Idle;
        (Tag::new(ABORTED, 2), [reason, error.map_or(0, |error| error as u32)])
    }
}
