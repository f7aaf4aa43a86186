//! The server's two threads: what user/server and `rt::transfer::slices` do.
//!
//! What must hold: each step ends with the next call of the kernel's, or with the lock of the slices
//! left, whichever comes first. The lock is not modelled: the two threads that take it are both the server's,
//! and what is under it is one step.

use crate::config::{Config, Mutation};
use crate::kernel::{Answer, Endpoint, Error, Mail, Message, Run, Thread};
use crate::state::{Page, Server, State, Work, Wrong};

impl State {
    /// A step of the server's thread, which is ready. `cancel`: the slice whose session it wants ended; `None`
    /// as a result: it does not do that here.
    pub fn server_step(mut self, cancel: Option<u8>, config: &Config) -> Option<State> {
        let may_cancel = matches!(
            (self.server, self.tcb(Thread::Server).mail),
            (Server::Works(_), _) | (Server::Loop, Mail::Got(Message::Ping, _))
        );
        if let Some(slice) = cancel {
            if !may_cancel {
                return None;
            }
            let work = if let Server::Works(work) = self.server { Some(work) } else { None };
            self.server = Server::Cancels(work);
            self.call(Thread::Server, Endpoint::Manager, Message::Cancel { slice });
            return Some(self);
        }
        match self.server {
            Server::Loop => match self.tcb(Thread::Server).mail {
                Mail::Got(Message::Complete { slice, total }, Thread::Worker(client)) => {
                    self.begin_work(Work { slice, client, total }, config.pages);
                }
                Mail::Got(..) => self.server_answers(Answer::Done),
                mail => unreachable!("the server has {mail:?}"),
            },
            Server::Asks(work) => {
                let waits = self.has_caller(Thread::Server);
                if waits && self.mutation == Some(Mutation::ServerCallsBack) {
                    self.server = Server::CallsBack(work);
                    // Its own caller is not answered meanwhile.
                    self.call(Thread::Server, Endpoint::Session(work.client), Message::Anything);
                } else if waits || self.mutation == Some(Mutation::ServerTrustsOldRequest) {
                    self.server = Server::Fills(work);
                } else {
                    self.leave(work.slice, Answer::Refused);
                }
            }
            Server::Fills(work) | Server::CallsBack(work) => {
                self.make_room(work.slice, config.pages);
                self.server = Server::Works(work);
            }
            Server::Works(work) | Server::Cancels(Some(work)) => self.work(work, config.pages),
            Server::Answers(answer) => self.server_answers(answer),
            Server::Cancels(None) => self.server_answers(Answer::Done),
        }
        Some(self)
    }

    fn server_answers(&mut self, answer: Answer) {
        self.server = Server::Loop;
        self.reply_receive(Thread::Server, answer);
    }

    /// `Slices::work`, up to the first time that it leaves the lock.
    fn begin_work(&mut self, work: Work, room: u8) {
        let slice = &mut self.slices[work.slice as usize];
        let complete = slice.pages[..work.total as usize].iter().all(|&page| page != Page::Absent);
        if slice.busy || !complete {
            self.server = Server::Answers(Answer::Refused);
            return;
        }
        slice.busy = true;
        self.server = Server::Asks(work);
        if self.mutation == Some(Mutation::ServerFillsFirst) {
            self.make_room(work.slice, room);
        }
    }

    /// What it does under the lock the second time: the pages that the reply takes.
    fn make_room(&mut self, slice: u8, room: u8) {
        for page in 0..room {
            self.fill(slice, page);
        }
    }

    /// The request is read, and the reply written where it begins. How the server interleaves both makes
    /// no difference: the slice is nobody else's while it is busy, which is what is checked here.
    fn work(&mut self, work: Work, room: u8) {
        let Work { slice, client, total } = work;
        for page in 0..total.max(room) as usize {
            let found = self.slices[slice as usize].pages[page];
            if found == Page::Absent {
                self.note(Wrong::PageGone);
            }
            if page < total as usize && found != Page::Request(client) {
                self.note(Wrong::ReadUnfinished);
            }
            // Also what is left of a longer request: it has been read, and is not to be read again.
            self.slices[slice as usize].pages[page] = Page::Reply(client);
        }
        self.leave(slice, Answer::Reply(room));
    }

    /// The slice is the service's again before the answer.
    fn leave(&mut self, slice: u8, answer: Answer) {
        self.slices[slice as usize].busy = false;
        self.server = Server::Answers(answer);
    }

    /// A step of the pager's thread, which is ready. `hold`: it keeps back the page that it is asked for, and
    /// serves the next; `None` as a result: it is asked for none.
    pub fn pager_step(mut self, hold: bool) -> Option<State> {
        let Mail::Got(message, from) = self.tcb(Thread::Pager).mail else {
            // Only by a mutation does it wait for anything but messages.
            self.reply_receive(Thread::Pager, Answer::Done);
            return Some(self);
        };
        let answer = match message {
            Message::Fill { slice, page } if hold => {
                if self.mutation == Some(Mutation::PagerWaits) {
                    // For the one whose page it is to call again.
                    let Thread::Worker(client) = from else { return None };
                    self.call(Thread::Pager, Endpoint::Session(client), Message::Anything);
                    return Some(self);
                }
                self.tcb_mut(Thread::Pager).caller = None;
                let waiter = (self.tcb(from).run == Run::AwaitingReply(Thread::Pager)).then_some(from);
                self.slices[slice as usize].held = Some((page, waiter));
                self.receive(Thread::Pager);
                return Some(self);
            }
            _ if hold => return None,
            Message::Fill { slice, page } => {
                self.fill(slice, page);
                Answer::Done
            }
            Message::Release { slice } => self.release(slice),
            _ => Answer::Refused,
        };
        self.reply_receive(Thread::Pager, answer);
        Some(self)
    }

    fn fill(&mut self, slice: u8, page: u8) {
        let page = &mut self.slices[slice as usize].pages[page as usize];
        if *page == Page::Absent {
            *page = Page::Clear;
        }
    }

    fn release(&mut self, slice: u8) -> Answer {
        if self.slices[slice as usize].busy && self.mutation != Some(Mutation::ReleaseWhileBusy) {
            return Answer::Refused;
        }
        if self.mutation != Some(Mutation::ReleaseKeepsFrames) {
            self.slices[slice as usize].pages.fill(Page::Absent);
        }
        if let Some((_, Some(waiter))) = self.slices[slice as usize].held.take() {
            self.end_wait(waiter, Error::PeerGone);
        }
        Answer::Done
    }

    /// The pager is told to speak again: it deals with what it has held back. `None`: nothing.
    pub fn speak(mut self, slice: u8) -> Option<State> {
        let (page, waiter) = self.slices[slice as usize].held.take()?;
        self.fill(slice, page);
        if let Some(waiter) = waiter {
            let tcb = self.tcb_mut(waiter);
            (tcb.run, tcb.mail) = (Run::Ready, Mail::Answer(Answer::Done));
        }
        Some(self)
    }
}
