//! All that the protocol's parties know, at one instant.
//!
//! What must hold: a state is a value without pointers, and two that differ in nothing anybody can
//! observe later are equal: what is over is set back to what it was at first. Numbers of pages stand for bytes:
//! a copy stops between pages only (what lies between makes no difference to anybody but the worker, which
//! goes on from there). Time is what the clock's events make of it, in any order: a limit can pass at once,
//! or as late as anything else takes.

use crate::client::Move;
use crate::config::{Config, Mutation, PAGES, SLICES};
use crate::kernel::{Answer, Client, Queue, Run, Tcb, Thread};
use crate::manager::Clock;

/// What is in a page of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// No frame.
    Absent,
    /// A clear frame.
    Clear,
    /// A page of a client's request, not yet read.
    Request(Client),
    /// A page of the reply to a client; or of its request, read by the server.
    Reply(Client),
}

/// A slice, which is the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Its pages.
    pub pages: [Page; PAGES],
    /// The server works on what is in it.
    pub busy: bool,
    /// A page that the pager was asked for and holds back, and who waits for it, if it still does.
    pub held: Option<(u8, Option<Thread>)>,
}

impl Slice {
    const EMPTY: Slice = Slice { pages: [Page::Absent; PAGES], busy: false, held: None };
}

/// Where the server's thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// It receives, or has just received.
    Loop,
    /// The slice is busy now; it asks whether the worker still waits.
    Asks(Work),
    /// It waits, or did when the server asked: the pages that the reply takes are filled.
    Fills(Work),
    /// It works.
    Works(Work),
    /// It answers.
    Answers(Answer),
    /// It has asked the manager to end a session, and goes on with this.
    Cancels(Option<Work>),
    /// Never, but by a mutation: it has called the worker's session.
    CallsBack(Work),
}

/// What the server works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The slice.
    pub slice: u8,
    /// Whose worker asked.
    pub client: Client,
    /// Pages of the request.
    pub total: u8,
}

/// A slice's place with the manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Nobody has it.
    Free,
    /// A client's session has it.
    Open { client: Client, begun: bool },
    /// The session is over, and the server still has frames there.
    Ended,
}

/// What the manager does after it has ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// Ask for the slice, then let this client wait for another.
    Open(Client),
    /// Ask for the slice, then look after the others.
    Close,
    /// Look after the others. The slice is asked for later.
    Cancel,
    /// Look at the next place.
    Look,
    /// Nobody was there to have the session: the next one that waits.
    Admit,
}

/// Where the manager is: what it calls next, but for the two in which it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manager {
    /// It receives, or has just received.
    Loop,
    /// It ends the session in a place: stage 0, its endpoint; 1, the worker stops; 2, its frames.
    Ends { place: u8, stage: u8, then: Then },
    /// It asks the pager for a slice's frames to leave.
    Asks { place: u8, then: Then },
    /// It has asked.
    Waits { place: u8, then: Then },
    /// It keeps the reply capability of a client that wants a session.
    Saves(Client),
    /// It looks at the session in a place.
    Looks { place: u8 },
    /// It makes a session: stage 0, the thread; 1, it starts; 2, the client learns.
    Makes { place: u8, client: Client, stage: u8 },
    /// It answers, and receives.
    Answers,
}

/// A client that waits for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiter {
    /// Who.
    pub client: Client,
    /// Its call has not ended meanwhile.
    pub there: bool,
}

/// Where a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// There is none.
    Idle,
    /// The request is on its way into the slice.
    Request,
    /// The reply is on its way out of it.
    Reply,
}

/// Where a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// It receives, or has just received.
    Loop,
    /// It has asked the manager whether it may begin, to carry so many pages.
    Begins { total: u8 },
    /// It copies.
    Carries,
    /// It has asked for a page of the slice.
    Fills,
    /// It has called the server.
    Completes,
    /// It answers its client.
    Answers(Answer),
}

/// What a worker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    /// Its slice.
    pub slice: u8,
    /// Where it is.
    pub at: At,
    /// Where its transfer is.
    pub phase: Phase,
    /// No transfer has begun since the session was opened, or the last one was completed.
    pub fresh: bool,
    /// Pages of what is carried now.
    pub total: u8,
    /// Pages that are carried.
    pub done: u8,
}

impl Worker {
    /// A new session's.
    pub fn new(slice: u8) -> Worker {
        let (at, phase) = (At::Loop, Phase::Idle);
        Worker { slice, at, phase, fresh: true, total: 0, done: 0 }
    }
}

/// What a client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holdings {
    /// A capability to its session's endpoint.
    pub session: bool,
    /// The manager has a capability to the worker's frames.
    pub lent: bool,
    /// It has had a session so shortly ago that it does not get another yet.
    pub pausing: bool,
}

/// Where the good client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Good {
    /// It has no session.
    Outside,
    /// It asks for one.
    Opens,
    /// Its transfer is under way. The page that it has touched last, counted through request and reply.
    Transfers { touched: u8 },
    /// It closes its session.
    Closes,
}

/// What must never happen. The steps that could do it say so here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// The server read what is not the whole request of the worker that asked.
    ReadUnfinished,
    /// The server used a page of a slice that had left it.
    PageGone,
    /// A worker used a slice that is not its session's.
    ForeignSlice,
    /// A client was given what is not a reply to it.
    ForeignReply,
    /// A worker copied from or to whoever was not blocked in a call to it.
    Undeclared,
    /// A reply went to a thread that did not wait for it.
    AnsweredNobody,
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// All threads, by [`Thread::index`].
    pub threads: [Tcb; 8],
    /// Who waits at which endpoint.
    pub queues: [Queue; 5],
    /// The server's slices.
    pub slices: [Slice; SLICES],
    /// Where the server's thread is.
    pub server: Server,
    /// Where the manager is: what it calls next, but for the two in which it waits.
    pub manager: Manager,
    /// What the manager will answer to what it has received.
    pub answer: Option<Answer>,
    /// The manager's receive has a limit.
    pub limited: bool,
    /// The places, as the slices.
    pub places: [Place; SLICES],
    /// Who waits for one, first come first.
    pub waiting: [Option<Waiter>; 2],
    /// What each client's worker knows.
    pub workers: [Worker; 2],
    /// What each client has.
    pub clients: [Holdings; 2],
    /// Where the good client is.
    pub good: Good,
    /// What should not have happened, and did.
    pub wrong: Option<Wrong>,
    /// The bug that is planted. The same in all states of an exploration.
    pub mutation: Option<Mutation>,
}

impl State {
    /// The service is set up, and nobody has a session.
    pub fn first(config: &Config) -> State {
        let mut threads = [Tcb::ABSENT; 8];
        for thread in Thread::ALL {
            threads[thread.index()] = match thread {
                Thread::Server | Thread::Pager | Thread::Manager => Tcb::RECEIVING,
                Thread::Main(Client::Good) if config.good => Tcb::READY,
                Thread::Main(Client::Evil) | Thread::Side if !config.evil.is_empty() => Tcb::READY,
                _ => Tcb::ABSENT,
            };
        }
        let mut state = State {
            threads,
            queues: Default::default(),
            slices: [Slice::EMPTY; SLICES],
            server: Server::Loop,
            manager: Manager::Loop,
            answer: None,
            limited: false,
            places: [Place::Free; SLICES],
            waiting: [None; 2],
            workers: [Worker::new(0); 2],
            clients: [Holdings { session: false, lent: true, pausing: false }; 2],
            good: Good::Outside,
            wrong: None,
            mutation: config.mutation,
        };
        if config.inside {
            state = state.evil_move(Move::Open).expect("its thread is ready");
            while state.is_ready(Thread::Manager) {
                state = state.manager_step(Clock::Silent, config).expect("the manager goes on");
            }
        }
        state
    }

    /// Notes what should not have happened; the first is what counts.
    pub fn note(&mut self, wrong: Wrong) {
        self.wrong.get_or_insert(wrong);
    }

    /// Whether the worker of a client has not ended.
    pub fn is_alive(&self, client: Client) -> bool {
        self.tcb(Thread::Worker(client)).run != Run::Absent
    }

    /// Whether a client waits whose pause is over.
    pub fn is_wanted(&self) -> bool {
        self.waiting.iter().flatten().any(|waiter| !self.clients[waiter.client as usize].pausing)
    }

    /// A thread does not wait any more: a reply capability to it that somebody has saved is gone.
    pub fn forget_saved(&mut self, thread: Thread) {
        if let Some(client) = Client::ALL.into_iter().find(|&client| client.opener() == thread) {
            for waiter in self.waiting.iter_mut().flatten().filter(|waiter| waiter.client == client) {
                waiter.there = false;
            }
        }
        for (_, waiter) in self.slices.iter_mut().filter_map(|slice| slice.held.as_mut()) {
            *waiter = waiter.filter(|&waiter| waiter != thread);
        }
    }
}

impl Client {
    /// Its thread that calls the manager.
    pub fn opener(self) -> Thread {
        match self {
            Client::Good => Thread::Main(Client::Good),
            Client::Evil => Thread::Side,
        }
    }
}
