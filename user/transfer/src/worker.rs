//! A worker: carries one client's ranges into one slice.
//!
//! What must hold: it stands on its client's frames, and can end after any instruction. It takes no lock,
//! and writes only its own UTCB (whose upper part is its stack: 3.5 KiB, so no values of the size of a
//! message) and its slice. What it believes of the client is the reply capability; of the server, that it
//! answers. It reads no memory of the client's but with `copy`.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::server::{COMPLETE, FILL, PAGING, REQUESTS};
use freehold_protocol::transfer::{
    ABORTED, BAD_PIECE, BAD_RANGE, BEGIN, FAULTED, FILLED_TOO_OFTEN, NO_SERVER, PIECE, RESUMED_TOO_OFTEN,
    SELF,
};
use freehold_rt::abi::layout::{FOREVER, FRAME};
use freehold_rt::{CapName, Error, Tag, Utcb, calls, start};

use crate::board::{self, Notice};

/// An answer to the client: tag, first two words. Further words are in the UTCB.
type Answer = (Tag, [u32; 2]);

/// How often a transfer may be resumed, beside twice for each of its pages.
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

/// A worker's own state: where its transfer is.
struct Work {
    session: u32,
    /// Address of the slice.
    slice: u32,
    /// Bytes that a transfer can have.
    limit: u32,
    manager: Option<CapName>,
    paging: Option<CapName>,
    requests: Option<CapName>,
    /// No transfer has begun since the session was opened, or the last one was completed.
    fresh: bool,
    /// A transfer is under way.
    active: bool,
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
            active: false,
            total: 0,
            done: 0,
            fills_left: 0,
            resumes_left: 0,
        }
    }

    fn handle(&mut self, tag: Tag, [offset, total]: [u32; 2]) -> Answer {
        if tag.label() != PIECE || tag.words() != 2 {
            return (Tag::new(REFUSED, 0), [0; 2]);
        }
        if !self.active && offset == 0 && total <= self.limit {
            self.begin(total);
        }
        if !self.active || (offset, total) != (self.done, self.total) {
            return self.abort(BAD_PIECE, None);
        }
        self.carry()
    }

    fn begin(&mut self, total: u32) {
        let pages = total.div_ceil(FRAME);
        self.active = true;
        self.total = total;
        self.done = 0;
        self.fills_left = pages;
        self.resumes_left = 2 * pages + RESUMES;
        // An aborted transfer does not give a client more time.
        if core::mem::replace(&mut self.fresh, false) {
            let _ = call(self.manager, BEGIN, [self.session, 0]);
        }
    }

    /// Copies until it is done, the client has to do something, or there is no way on.
    fn carry(&mut self) -> Answer {
        loop {
            let (own, left) = (self.slice + self.done, self.total - self.done);
            // SAFETY: the slice is the session's own, and nothing in this program relies on what is in it.
            let copied = unsafe { calls::copy_in(None, 0, self.done, own, left) };
            self.done += copied.done;
            match copied.stop {
                None => return self.complete(),
                Some((Error::FaultTheirs, address)) => {
                    let Some(left) = self.resumes_left.checked_sub(1) else {
                        return self.abort(RESUMED_TOO_OFTEN, None);
                    };
                    self.resumes_left = left;
                    return (Tag::new(FAULTED, 2), [address, self.done]);
                }
                Some((Error::FaultMine, address)) => {
                    let Some(left) = self.fills_left.checked_sub(1) else {
                        return self.abort(FILLED_TOO_OFTEN, None);
                    };
                    self.fills_left = left;
                    let page = (address - self.slice) / FRAME;
                    match call(self.paging, FILL, [self.session, page]) {
                        Ok((tag, _)) if tag.label() == DONE => {}
                        Ok(_) => return self.abort(NO_SERVER, None),
                        Err(error) => return self.abort(NO_SERVER, Some(error)),
                    }
                }
                Some((error, _)) => return self.abort(BAD_RANGE, Some(error)),
            }
        }
    }

    /// The server gets its request, the client its answer, whose words lie where they arrived.
    fn complete(&mut self) -> Answer {
        match call(self.requests, COMPLETE, [self.session, self.total]) {
            Ok((tag, words)) if tag.label() == DONE => {
                (self.active, self.fresh) = (false, true);
                (Tag::new(DONE, tag.words()), words)
            }
            Ok(_) => self.abort(NO_SERVER, None),
            Err(error) => self.abort(NO_SERVER, Some(error)),
        }
    }

    fn abort(&mut self, reason: u32, error: Option<Error>) -> Answer {
        self.active = false;
        (Tag::new(ABORTED, 2), [reason, error.map_or(0, |error| error as u32)])
    }
}

fn call(endpoint: Option<CapName>, label: u16, words: [u32; 2]) -> Result<Answer, Error> {
    calls::call_short(endpoint.ok_or(Error::NoCapability)?, Tag::new(label, 2), words)
}
