//! The two clients: one that does what `rt::transfer` does, one that does what it likes.
//!
//! What must hold: the evil one can do at every instant all that a program with its capabilities can do which
//! another party could notice. Its death is the end of both its calls; whoever has its frames then
//! can go on doing what it could have done with them. It need never be scheduled, as nothing assumes it is.

use crate::config::Config;
use crate::kernel::{Answer, Client, Endpoint, Error, Mail, Message, Run, Thread};
use crate::state::{Good, Phase, State};
use crate::worker::page_of;

/// The good client's thread.
const MAIN: Thread = Thread::Main(Client::Good);

/// It has touched no page yet.
const NO_PAGE: u8 = u8::MAX;

/// What the good client chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// It goes on with what it is doing; if that is nothing, it has something carried.
    Carry,
    /// It closes its session.
    Close,
}

/// What the evil client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// It calls its worker; what it says is chosen when that looks.
    Call,
    /// Its call to the worker ends: by its limit, or because the thread is stopped, or dies.
    GiveUpCall,
    /// It asks the manager for a session.
    Open,
    /// It has the manager end it.
    Close,
    /// It calls the server.
    Ping,
    /// It sends the manager what only workers may send, naming a slice.
    Begin(u8),
    /// Its call to manager or server ends.
    GiveUpSide,
    /// It takes back the capability to the worker's frames. The worker stays.
    TakeBackCapability,
    /// It takes back a frame that the worker stands on, thread or UTCB: either way the thread ends.
    TakeBackFrames,
}

impl State {
    /// A step of the good client, which is ready. `None`: it has no such wish now.
    pub fn good_step(mut self, wish: Wish, config: &Config) -> Option<State> {
        let mail = core::mem::replace(&mut self.tcb_mut(MAIN).mail, Mail::None);
        let over = Mail::Failed(Error::NoCapability);
        match (self.good, mail) {
            (Good::Opens, Mail::Answer(Answer::Session)) => self.inside(wish, config),
            // It takes its frames back, and asks again.
            (Good::Outside | Good::Opens | Good::Closes, _) if wish == Wish::Carry => {
                self.good = Good::Opens;
                self.call(MAIN, Endpoint::Manager, Message::Open);
            }
            (Good::Transfers { .. }, Mail::Answer(answer)) => match (answer, wish) {
                // It touches the page, then goes on.
                (Answer::Faulted(done), Wish::Carry) => {
                    self.send(
                        Message::Piece { offset: done, total: config.pages },
                        page_of(Phase::Request, done),
                    );
                }
                (Answer::ReplyFaulted(done), Wish::Carry) => {
                    self.send(Message::Rest { offset: done }, page_of(Phase::Reply, done));
                }
                (Answer::Faulted(_) | Answer::ReplyFaulted(_), _) => return None,
                // It has its reply, or knows why not.
                _ => self.inside(wish, config),
            },
            // The session is over. It closes it, which changes nothing, and takes its frames back.
            (Good::Transfers { .. }, _) if wish == Wish::Carry => self.inside(Wish::Close, config),
            _ => return None,
        }
        debug_assert!(self.tcb(MAIN).run != Run::Ready || self.tcb(MAIN).mail == over);
        Some(self)
    }

    /// It has a session and no transfer.
    fn inside(&mut self, wish: Wish, config: &Config) {
        match wish {
            Wish::Carry => self.send(Message::Piece { offset: 0, total: config.pages }, NO_PAGE),
            Wish::Close => {
                self.good = Good::Closes;
                self.call(MAIN, Endpoint::Manager, Message::Close);
            }
        }
    }

    fn send(&mut self, message: Message, touched: u8) {
        self.good = Good::Transfers { touched };
        if self.clients[Client::Good as usize].session {
            self.call(MAIN, Endpoint::Session(Client::Good), message);
        } else {
            self.tcb_mut(MAIN).mail = Mail::Failed(Error::NoCapability);
        }
    }

    /// A move of the evil client's. `None`: it cannot make it now, or it would change nothing.
    pub fn evil_move(mut self, it: Move) -> Option<State> {
        let (main, side) = (Thread::Main(Client::Evil), Thread::Side);
        let evil = Client::Evil as usize;
        match it {
            Move::Call if self.is_ready(main) && self.clients[evil].session => {
                self.call(main, Endpoint::Session(Client::Evil), Message::Anything);
            }
            Move::GiveUpCall if self.waits(main) => self.give_up(main),
            Move::Open if self.is_ready(side) => self.call(side, Endpoint::Manager, Message::Open),
            Move::Close if self.is_ready(side) => self.call(side, Endpoint::Manager, Message::Close),
            Move::Ping if self.is_ready(side) => self.call(side, Endpoint::Requests, Message::Ping),
            Move::Begin(slice) if self.is_ready(side) => {
                self.call(side, Endpoint::Manager, Message::Begin { slice });
            }
            Move::GiveUpSide if self.waits(side) => self.give_up(side),
            Move::TakeBackCapability if self.clients[evil].lent && self.has_lent() => {
                self.clients[evil].lent = false;
            }
            Move::TakeBackFrames if self.is_alive(Client::Evil) => {
                self.destroy(Thread::Worker(Client::Evil));
            }
            _ => return None,
        }
        Some(self)
    }

    /// Whether frames of the evil client's are with the manager.
    fn has_lent(&self) -> bool {
        let waits = self.waiting.iter().flatten().any(|waiter| waiter.client == Client::Evil);
        waits || self.place_of(Client::Evil).is_some()
    }

    fn waits(&self, thread: Thread) -> bool {
        matches!(self.tcb(thread).run, Run::Calling(_) | Run::AwaitingReply(_))
    }

    fn give_up(&mut self, thread: Thread) {
        self.stop_waiting(thread);
        self.end_wait(thread, Error::Timeout);
    }
}
