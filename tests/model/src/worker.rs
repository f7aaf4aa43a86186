//! A worker: what user/transfer/src/worker.rs does.
//!
//! What must hold: each step ends with the next call of the kernel's. Two bounds are left out, in favour
//! of the adversary: how often a transfer may be resumed (a fault can end it, or not, every time) and how
//! often pages may be filled (the server's pager fills what it says it fills, so there is nothing to bound). So
//! no property leans on them: a session's time is what ends it.

use crate::config::Mutation;
use crate::kernel::{Answer, Client, Endpoint, Mail, Message, Run, Thread};
use crate::state::{At, Good, Page, Phase, State, Worker, Wrong};

/// What a step of a worker's comes to, where that is not its own to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// What the code says; a copy goes as far as the next page.
    Goes,
    /// The client's page is not there, and it is told.
    Faults,
    /// The client's page is not there, and has been so too often; or the range is too small. The
    /// transfer is over.
    Fails,
    /// The evil client has said: begin, with so many pages of request.
    Said(u8),
    /// It has said what makes no sense, or does not fit.
    Nonsense,
}

impl State {
    /// A step of a worker that is ready. `None`: that cannot happen here.
    pub fn worker_step(mut self, client: Client, fate: Fate) -> Option<State> {
        let thread = Thread::Worker(client);
        let mail = self.tcb(thread).mail;
        let worker = &mut self.workers[client as usize];
        // What the answer to its own call makes of it, without another ...
        match (worker.at, mail) {
            (At::Loop, Mail::Got(message, _)) => return self.hear(client, message, fate),
            // It has just started, or stops itself: the session is over.
            (At::Loop, Mail::None) if fate == Fate::Goes => self.receive(thread),
            (At::Loop, _) if fate == Fate::Goes => self.stop(thread),
            (At::Loop, _) => return None,
            (At::Begins { .. }, Mail::Answer(Answer::Refused)) => self.answers(client, Answer::OthersWait),
            (At::Begins { total }, _) => {
                worker.fresh = false;
                self.start(client, total);
            }
            (At::Fills, Mail::Answer(Answer::Done)) => self.carries(client),
            (At::Completes, Mail::Answer(Answer::Reply(bytes))) => {
                (worker.phase, worker.total, worker.done) = (Phase::Reply, bytes, 0);
                self.carries(client);
            }
            (At::Fills | At::Completes, _) => self.aborts(client),
            (At::Carries | At::Answers(_), _) => {}
        }
        // ... and its next call.
        match self.workers[client as usize].at {
            At::Carries => self.carry(client, fate),
            At::Answers(answer) => (fate == Fate::Goes).then(|| self.replies(client, answer)),
            _ => Some(self),
        }
    }

    fn replies(mut self, client: Client, answer: Answer) -> State {
        self.workers[client as usize].at = At::Loop;
        self.reply_receive(Thread::Worker(client), answer);
        self
    }

    fn at(&mut self, client: Client, at: At) {
        self.workers[client as usize].at = at;
        self.tcb_mut(Thread::Worker(client)).mail = Mail::None;
    }

    fn answers(&mut self, client: Client, answer: Answer) {
        self.at(client, At::Answers(answer));
    }

    fn carries(&mut self, client: Client) {
        self.at(client, At::Carries);
    }

    /// What is over leaves nothing behind but whether the session has time.
    fn idle(&mut self, client: Client) {
        let Worker { slice, at, fresh, .. } = self.workers[client as usize];
        self.workers[client as usize] = Worker { at, fresh, ..Worker::new(slice) };
    }

    fn aborts(&mut self, client: Client) {
        self.idle(client);
        self.answers(client, Answer::Aborted);
    }

    /// A message of its client's.
    fn hear(mut self, client: Client, message: Message, fate: Fate) -> Option<State> {
        let worker = self.workers[client as usize];
        let idle = worker.phase == Phase::Idle;
        let (begins, goes_on) = match (message, fate) {
            (Message::Piece { offset, total }, Fate::Goes) => {
                let fits = (offset, total) == (worker.done, worker.total);
                ((idle && offset == 0).then_some(total), worker.phase == Phase::Request && fits)
            }
            (Message::Rest { offset }, Fate::Goes) => {
                (None, worker.phase == Phase::Reply && offset == worker.done)
            }
            (Message::Anything, Fate::Said(total)) if idle => (Some(total), false),
            (Message::Anything, Fate::Goes) if !idle => (None, true),
            (Message::Anything, Fate::Nonsense) => (None, false),
            _ => return None,
        };
        match begins {
            Some(total) if worker.fresh => {
                self.workers[client as usize].at = At::Begins { total };
                self.call(Thread::Worker(client), Endpoint::Manager, Message::Begin { slice: worker.slice });
            }
            Some(total) => self.start(client, total),
            None if goes_on => self.carries(client),
            None => {
                self.aborts(client);
                return Some(self.replies(client, Answer::Aborted));
            }
        }
        Some(self)
    }

    fn start(&mut self, client: Client, total: u8) {
        let worker = &mut self.workers[client as usize];
        (worker.phase, worker.total, worker.done) = (Phase::Request, total, 0);
        self.carries(client);
    }

    /// One page, or what comes when there is none left.
    fn carry(mut self, client: Client, fate: Fate) -> Option<State> {
        let Worker { slice, phase, total, done, .. } = self.workers[client as usize];
        let too_early = self.mutation == Some(Mutation::CompleteTooEarly) && phase == Phase::Request;
        if done == total || (too_early && done + 1 == total) {
            if fate != Fate::Goes {
                return None;
            }
            match phase {
                Phase::Request if self.mutation == Some(Mutation::ReplyBeforeAnswer) => {
                    let worker = &mut self.workers[client as usize];
                    (worker.phase, worker.total, worker.done) = (Phase::Reply, 1, 0);
                    self.carries(client);
                }
                Phase::Request => {
                    self.workers[client as usize].at = At::Completes;
                    let complete = Message::Complete { slice, total };
                    self.call(Thread::Worker(client), Endpoint::Requests, complete);
                }
                _ => {
                    self.workers[client as usize].fresh = true;
                    self.idle(client);
                    self.answers(client, Answer::Reply(total));
                }
            }
            return Some(self);
        }
        // The kernel looks for the blocked client first, then at its ranges, then page by page.
        let thread = Thread::Worker(client);
        let Some(other) = self.tcb(thread).caller else {
            return (fate == Fate::Goes).then(|| {
                self.aborts(client);
                self
            });
        };
        match fate {
            Fate::Faults | Fate::Fails
                if self.is_there(client) || (client, fate) == (Client::Good, Fate::Fails) =>
            {
                return None;
            }
            Fate::Faults if phase == Phase::Reply => self.answers(client, Answer::ReplyFaulted(done)),
            Fate::Faults => self.answers(client, Answer::Faulted(done)),
            Fate::Fails => self.aborts(client),
            Fate::Goes => {
                if self.slices[slice as usize].pages[done as usize] == Page::Absent {
                    self.workers[client as usize].at = At::Fills;
                    self.call(thread, Endpoint::Paging, Message::Fill { slice, page: done });
                } else {
                    self.copy(client, other);
                }
            }
            Fate::Said(..) | Fate::Nonsense => return None,
        }
        Some(self)
    }

    /// Whether the page that comes next has been touched and stays: a good client lets its pages be. The evil
    /// one's can go at any time.
    fn is_there(&self, client: Client) -> bool {
        let worker = self.workers[client as usize];
        let page = page_of(worker.phase, worker.done);
        client == Client::Good && self.good == Good::Transfers { touched: page }
    }

    fn copy(&mut self, client: Client, other: Thread) {
        let Worker { slice, phase, done, .. } = self.workers[client as usize];
        if other != Thread::Main(client) || self.tcb(other).run != Run::AwaitingReply(Thread::Worker(client))
        {
            self.note(Wrong::Undeclared);
        }
        if self.owner(slice) != Some(client) {
            self.note(Wrong::ForeignSlice);
        }
        let page = &mut self.slices[slice as usize].pages[done as usize];
        if phase == Phase::Request {
            *page = Page::Request(client);
        } else if *page != Page::Reply(client) {
            self.note(Wrong::ForeignReply);
        }
        self.workers[client as usize].done += 1;
    }
}

/// The number of a page, counted through request and reply.
pub fn page_of(phase: Phase, page: u8) -> u8 {
    if phase == Phase::Reply { 16 + page } else { page }
}
