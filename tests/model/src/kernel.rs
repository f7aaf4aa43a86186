//! The kernel, as far as the protocol stands on it: calls, replies, stopping and destroying threads.
//!
//! What must hold: what docs/calls.md says in section 2. A reply capability is in one place, which its caller
//! knows; it ends with its use, its caller or its holder, and the caller of a holder that receives again,
//! or ends, learns PeerGone. A queue is first in, first out. Nothing here knows what a message means.

use crate::config::Mutation;
use crate::state::{State, Wrong};

/// Who has a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// It keeps to the protocol.
    Good,
    /// It does what it likes.
    Evil,
}

impl Client {
    /// Both of them.
    pub const ALL: [Client; 2] = [Client::Good, Client::Evil];
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thread {
    /// The server's, for requests.
    Server,
    /// The server's pager.
    Pager,
    /// The service's manager.
    Manager,
    /// The worker on a client's frames.
    Worker(Client),
    /// The client's, which calls its worker; the good one has no other.
    Main(Client),
    /// The evil client's, which calls manager and server while the first one may be blocked.
    Side,
}

impl Thread {
    /// All of them, each at its index.
    pub const ALL: [Thread; 8] = [
        Thread::Server,
        Thread::Pager,
        Thread::Manager,
        Thread::Worker(Client::Good),
        Thread::Worker(Client::Evil),
        Thread::Main(Client::Good),
        Thread::Main(Client::Evil),
        Thread::Side,
    ];

    /// Its place in [`Thread::ALL`].
    pub fn index(self) -> usize {
        match self {
            Thread::Server => 0,
            Thread::Pager => 1,
            Thread::Manager => 2,
            Thread::Worker(client) => 3 + client as usize,
            Thread::Main(client) => 5 + client as usize,
            Thread::Side => 7,
        }
    }

    /// Whether no client can keep it from running.
    pub fn is_trusted(self) -> bool {
        matches!(self, Thread::Server | Thread::Pager | Thread::Manager)
    }

    fn is_evil(self) -> bool {
        matches!(self, Thread::Main(Client::Evil) | Thread::Side)
    }
}

/// An endpoint; each is received from by one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The server's.
    Requests,
    /// Its pager's.
    Paging,
    /// The manager's.
    Manager,
    /// A session's.
    Session(Client),
}

impl Endpoint {
    /// Who receives.
    pub fn receiver(self) -> Thread {
        match self {
            Endpoint::Requests => Thread::Server,
            Endpoint::Paging => Thread::Pager,
            Endpoint::Manager => Thread::Manager,
            Endpoint::Session(client) => Thread::Worker(client),
        }
    }

    fn of(receiver: Thread) -> Endpoint {
        match receiver {
            Thread::Server => Endpoint::Requests,
            Thread::Pager => Endpoint::Paging,
            Thread::Worker(client) => Endpoint::Session(client),
            _ => Endpoint::Manager,
        }
    }

    fn index(self) -> usize {
        match self {
            Endpoint::Requests => 0,
            Endpoint::Paging => 1,
            Endpoint::Manager => 2,
            Endpoint::Session(client) => 3 + client as usize,
        }
    }
}

/// What is called. Who calls is known to the receiver by the badge, of which nobody can make another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Anybody to the server, which answers at once.
    Ping,
    /// Worker to the server: a request of so many pages is complete. There is room for a reply that fills the session's
    /// pages, always: less room makes for fewer steps of the same kind.
    Complete { slice: u8, total: u8 },
    /// Worker to the pager.
    Fill { slice: u8, page: u8 },
    /// Manager to the pager.
    Release { slice: u8 },
    /// Worker to the manager.
    Begin { slice: u8 },
    /// Client to the manager.
    Open,
    /// Client to the manager.
    Close,
    /// Server to the manager.
    Cancel { slice: u8 },
    /// Good client to its worker.
    Piece { offset: u8, total: u8 },
    /// Good client to its worker.
    Rest { offset: u8 },
    /// Evil client to its worker: what it says is chosen when the worker looks. Nobody can tell the difference,
    /// and nothing has to be remembered meanwhile.
    Anything,
}

/// What is replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done.
    Done,
    /// Done: the session is open, and its endpoint's capability comes along.
    Session,
    /// Not done.
    Refused,
    /// The worker's: the request's page is missing.
    Faulted(u8),
    /// The worker's: the page for the reply is missing.
    ReplyFaulted(u8),
    /// The worker's: this transfer is over.
    Aborted,
    /// The worker's: it does not begin, because others wait for the slice.
    OthersWait,
    /// The server's: the reply, so many pages, is in the slice. The worker's: it is in the client's range.
    Reply(u8),
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The slot is empty.
    NoCapability,
    /// The endpoint was deleted, or the thread stopped.
    Canceled,
    /// Whoever had taken the call will not answer it.
    PeerGone,
    /// The limit passed.
    Timeout,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Run {
    /// There is no such thread.
    Absent,
    /// It exists and does not run.
    Stopped,
    /// It runs when it is scheduled.
    Ready,
    /// It waits in an endpoint's queue.
    Calling(Endpoint),
    /// Its message was taken by this thread, which holds the reply capability, or has it in a slot.
    AwaitingReply(Thread),
    /// It waits for a message.
    Receiving,
}

/// What stands in a thread's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mail {
    /// Nothing that counts.
    None,
    /// What it sends.
    Sent(Message),
    /// What it has received.
    Got(Message, Thread),
    /// The answer to its call.
    Answer(Answer),
    /// The end of its call.
    Failed(Error),
}

/// A thread as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tcb {
    /// What it does.
    pub run: Run,
    /// What stands in its registers.
    pub mail: Mail,
    /// Whom it can answer: the reply capability that it holds implicitly.
    pub caller: Option<Thread>,
}

impl Tcb {
    /// A thread that does not exist.
    pub const ABSENT: Tcb = Tcb { run: Run::Absent, mail: Mail::None, caller: None };
    /// A thread that is about to run.
    pub const READY: Tcb = Tcb { run: Run::Ready, mail: Mail::None, caller: None };
    /// A thread that waits for messages.
    pub const RECEIVING: Tcb = Tcb { run: Run::Receiving, mail: Mail::None, caller: None };
}

/// Who waits at an endpoint, in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Queue([Option<Thread>; 5]);

impl Queue {
    /// Adds one at the end. Each thread is in one queue at most, and no more than five call the same.
    fn push(&mut self, thread: Thread) {
        let free = self.0.iter_mut().find(|place| place.is_none()).expect("five places");
        *free = Some(thread);
    }

    fn pop(&mut self) -> Option<Thread> {
        let first = self.0[0]?;
        self.remove(first);
        Some(first)
    }

    fn remove(&mut self, thread: Thread) {
        if let Some(at) = self.0.iter().position(|&place| place == Some(thread)) {
            self.0.copy_within(at + 1.., at);
            self.0[4] = None;
        }
    }
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoReply;

impl State {
    /// A thread's block.
    pub fn tcb(&self, thread: Thread) -> &Tcb {
        &self.threads[thread.index()]
    }

    /// The same, to change.
    pub fn tcb_mut(&mut self, thread: Thread) -> &mut Tcb {
        &mut self.threads[thread.index()]
    }

    /// Whether it runs when it is scheduled.
    pub fn is_ready(&self, thread: Thread) -> bool {
        self.tcb(thread).run == Run::Ready
    }

    /// Call: the message is taken at once, or `from` queues up.
    pub fn call(&mut self, from: Thread, endpoint: Endpoint, message: Message) {
        let receiver = endpoint.receiver();
        if self.tcb(receiver).run == Run::Receiving {
            self.hand_over(from, receiver, message);
        } else {
            self.queues[endpoint.index()].push(from);
            let tcb = self.tcb_mut(from);
            (tcb.run, tcb.mail) = (Run::Calling(endpoint), Mail::Sent(message));
        }
    }

    fn hand_over(&mut self, from: Thread, to: Thread, message: Message) {
        let tcb = self.tcb_mut(from);
        (tcb.run, tcb.mail) = (Run::AwaitingReply(to), Mail::None);
        *self.tcb_mut(to) = Tcb { run: Run::Ready, mail: Mail::Got(message, from), caller: Some(from) };
    }

    /// Receive: a caller that has no answer yet learns PeerGone; then the next message, or waiting.
    pub fn receive(&mut self, thread: Thread) {
        self.leave_unanswered(thread);
        match self.queues[Endpoint::of(thread).index()].pop() {
            None => *self.tcb_mut(thread) = Tcb::RECEIVING,
            Some(from) => {
                let Mail::Sent(message) = self.tcb(from).mail else { unreachable!("it is in a queue") };
                self.hand_over(from, thread, message);
            }
        }
    }

    /// Reply to the caller whose capability `thread` holds implicitly.
    ///
    /// # Errors
    /// [`NoReply`]: there is none, or no more.
    pub fn reply(&mut self, thread: Thread, answer: Answer) -> Result<(), NoReply> {
        let caller = self.tcb(thread).caller.ok_or(NoReply)?;
        if self.mutation != Some(Mutation::ReplyWorksTwice) {
            self.tcb_mut(thread).caller = None;
        }
        self.tell(caller, thread, Mail::Answer(answer));
        Ok(())
    }

    /// A caller, if there is one, learns that it gets no answer.
    fn leave_unanswered(&mut self, thread: Thread) {
        if let Some(caller) = self.tcb_mut(thread).caller.take() {
            self.tell(caller, thread, Mail::Failed(Error::PeerGone));
        }
    }

    /// Whoever is answered waits for that.
    fn tell(&mut self, caller: Thread, by: Thread, mail: Mail) {
        if self.tcb(caller).run == Run::AwaitingReply(by) {
            self.wake(caller, mail);
        } else {
            self.note(Wrong::AnsweredNobody);
        }
    }

    /// ReplyReceive, as a server's loop makes it: a caller that is gone is no reason not to receive.
    pub fn reply_receive(&mut self, thread: Thread, answer: Answer) {
        let _gone = self.reply(thread, answer);
        self.receive(thread);
    }

    /// Whether the caller that `thread` has taken still waits for its answer: Copy of no bytes tells.
    pub fn has_caller(&self, thread: Thread) -> bool {
        self.tcb(thread).caller.is_some()
    }

    /// A call ends without an answer. The caller is in no queue any more, and nobody can answer it.
    pub fn end_wait(&mut self, thread: Thread, error: Error) {
        self.wake(thread, Mail::Failed(error));
    }

    /// The evil client's threads look at nothing, so nothing is kept of what they are told.
    fn wake(&mut self, thread: Thread, mail: Mail) {
        let mail = if thread.is_evil() { Mail::None } else { mail };
        let tcb = self.tcb_mut(thread);
        (tcb.run, tcb.mail) = (Run::Ready, mail);
    }

    /// Whatever a thread waits for: not any more. It is for the caller to say what it does instead.
    pub fn stop_waiting(&mut self, thread: Thread) {
        match self.tcb(thread).run {
            Run::Calling(endpoint) => self.queues[endpoint.index()].remove(thread),
            Run::AwaitingReply(holder) => {
                if self.tcb(holder).caller == Some(thread)
                    && self.mutation != Some(Mutation::ReplyOutlivesCaller)
                {
                    self.tcb_mut(holder).caller = None;
                }
                self.forget_saved(thread);
            }
            _ => {}
        }
    }

    /// StopThread: its own call ends; whoever it has not answered goes on waiting.
    pub fn stop(&mut self, thread: Thread) {
        if self.tcb(thread).run != Run::Absent {
            self.stop_waiting(thread);
            let tcb = self.tcb_mut(thread);
            (tcb.run, tcb.mail) = (Run::Stopped, Mail::None);
        }
    }

    /// Reclaim of a thread's frames: whoever it has not answered learns PeerGone.
    pub fn destroy(&mut self, thread: Thread) {
        self.stop(thread);
        self.leave_unanswered(thread);
        *self.tcb_mut(thread) = Tcb::ABSENT;
    }

    /// Delete of an endpoint: those in its queue learn Canceled, and so does whoever receives there.
    pub fn delete_endpoint(&mut self, endpoint: Endpoint) {
        while let Some(waiter) = self.queues[endpoint.index()].pop() {
            self.end_wait(waiter, Error::Canceled);
        }
        let receiver = endpoint.receiver();
        if self.tcb(receiver).run == Run::Receiving {
            self.end_wait(receiver, Error::Canceled);
        }
    }
}
