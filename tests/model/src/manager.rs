//! The manager: what user/transfer/src/manager.rs, session.rs and waiting.rs do.
//!
//! What must hold: each step ends with a call of the kernel's; what the code decides between two calls is
//! in the step of the second. Calls on slots that are the manager's own, and that nobody else can see (slots
//! taken, the capability that came with a message deleted), are left out, and so are the limits of memory.

use crate::config::{Config, Mutation};
use crate::kernel::{Answer, Client, Endpoint, Error, Mail, Message, Run, Tcb, Thread};
use crate::state::{Manager, Place, State, Then, Waiter, Worker};

/// The manager.
const SELF: Thread = Thread::Manager;

/// What the clock has to say to a step of the manager's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Nothing.
    Silent,
    /// The period has passed since the sessions were last looked at.
    Period,
    /// The session that is looked at has no time left.
    Deadline,
}

impl State {
    /// A step of the manager, which is ready. `None`: it does not look at the clock here.
    pub fn manager_step(mut self, clock: Clock, config: &Config) -> Option<State> {
        let (before, mail) = (self.manager, self.tcb(SELF).mail);
        let waited = matches!(before, Manager::Loop | Manager::Waits { .. });
        let mut heard = clock == Clock::Silent;
        // What is decided without a call ...
        let looks = match (before, mail) {
            (Manager::Loop, Mail::Got(message, from)) => self.handle(message, from),
            // A limit has passed: it looks in any case.
            (Manager::Loop, _) => {
                self.look_after(true, config);
                false
            }
            (Manager::Waits { place, then }, _) => self.released(place, then, config),
            _ => false,
        };
        if looks {
            heard |= clock == Clock::Period;
            self.look_after(clock == Clock::Period, config);
        }
        // ... and the call, with what follows from it. (The first look at a session is a step of its own: there
        // the clock is asked once more.)
        let looks = match self.manager {
            Manager::Looks { .. } if waited => false,
            Manager::Loop | Manager::Waits { .. } => unreachable!("there is always a next call"),
            Manager::Ends { place, stage, then } => self.end(place, stage, then, config),
            Manager::Asks { place, then } => {
                self.go(Manager::Waits { place, then });
                self.call(SELF, Endpoint::Paging, Message::Release { slice: place });
                false
            }
            Manager::Saves(client) => {
                // Its call may have ended; then there is nothing to save, and nobody waits.
                if self.tcb_mut(SELF).caller.take().is_some() {
                    let free = self.waiting.iter_mut().find(|place| place.is_none()).expect("one a client");
                    *free = Some(Waiter { client, there: true });
                }
                true
            }
            Manager::Looks { place } => {
                let Place::Open { client, .. } = self.places[place as usize] else {
                    unreachable!("it is open")
                };
                let endless = config.endless
                    || config.mutation == Some(Mutation::NoDeadline)
                    || (config.patient && client == Client::Good);
                let alive = self.is_alive(client);
                heard |= clock == Clock::Deadline && alive && !endless;
                if !alive || clock == Clock::Deadline {
                    self.end_first(place, Then::Look);
                } else {
                    self.look(place + 1, config);
                }
                false
            }
            Manager::Makes { place, client, stage } => {
                self.make(place, client, stage, config);
                false
            }
            Manager::Answers => {
                self.limited = self.has_limit();
                self.go(Manager::Loop);
                match self.answer.take() {
                    Some(answer) => self.reply_receive(SELF, answer),
                    None => self.receive(SELF),
                }
                false
            }
        };
        if looks {
            heard |= clock == Clock::Period;
            self.look_after(clock == Clock::Period, config);
        }
        heard.then_some(self)
    }

    /// Whether the next receive has one: unless there is nothing to look after.
    fn has_limit(&self) -> bool {
        let mut waiters = self.waiting.iter().flatten();
        let waits = match self.mutation {
            Some(Mutation::NoPeriod) => return false,
            // The clock has gone on since whoever waits was looked at: nobody's pause is left.
            Some(Mutation::PauseForgotten) => waiters.any(|it| self.clients[it.client as usize].pausing),
            _ => waiters.next().is_some(),
        };
        waits || self.places.iter().any(|place| *place != Place::Free)
    }

    fn go(&mut self, manager: Manager) {
        self.manager = manager;
        self.tcb_mut(SELF).mail = Mail::None;
    }

    /// Whose session has a slice.
    pub fn owner(&self, slice: u8) -> Option<Client> {
        match self.places[slice as usize] {
            Place::Open { client, .. } => Some(client),
            _ => None,
        }
    }

    /// The place that a client's session has.
    pub fn place_of(&self, client: Client) -> Option<u8> {
        let of_client =
            |place: &Place| matches!(place, Place::Open { client: owner, .. } if *owner == client);
        self.places.iter().position(of_client).map(|place| place as u8)
    }

    /// What a message makes it do. Returns whether it goes on by looking after the sessions.
    fn handle(&mut self, message: Message, from: Thread) -> bool {
        match message {
            Message::Open | Message::Close => {
                let client = if from == Thread::Side { Client::Evil } else { Client::Good };
                let opens = message == Message::Open;
                self.answer = (!opens).then_some(Answer::Done);
                self.remove_waiter(client);
                match self.place_of(client) {
                    Some(place) => {
                        let then = if opens { Then::Open(client) } else { Then::Close };
                        self.end_first(place, then);
                    }
                    None if opens => self.go(Manager::Saves(client)),
                    None => return true,
                }
                false
            }
            Message::Begin { slice } => {
                let begins = self.may_begin(slice);
                if let Place::Open { begun, .. } = &mut self.places[slice as usize] {
                    *begun = true;
                }
                self.answer = Some(if begins { Answer::Done } else { Answer::Refused });
                true
            }
            Message::Cancel { slice } => {
                self.answer = Some(Answer::Done);
                let open = matches!(self.places[slice as usize], Place::Open { .. });
                if open {
                    self.end_first(slice, Then::Cancel);
                }
                !open
            }
            _ => {
                self.answer = Some(Answer::Refused);
                true
            }
        }
    }

    /// Whether a session's transfer may begin; then its time begins anew.
    pub fn may_begin(&self, slice: u8) -> bool {
        let wanted = self.is_wanted() && self.mutation != Some(Mutation::BeginIgnoresWaiting);
        matches!(self.places[slice as usize], Place::Open { begun, .. } if !(begun && wanted))
    }

    /// A client's wait is over: its reply capability is deleted.
    fn remove_waiter(&mut self, client: Client) {
        let Some(at) = self.waiting.iter().position(|waiter| waiter.is_some_and(|it| it.client == client))
        else {
            return;
        };
        if self.waiting[at].take().is_some_and(|waiter| waiter.there) {
            self.end_wait(client.opener(), Error::PeerGone);
        }
        self.waiting[at..].rotate_left(1);
        self.clients[client as usize].lent = true;
    }

    /// The session in a place is to end.
    fn end_first(&mut self, place: u8, then: Then) {
        self.go(Manager::Ends { place, stage: 0, then });
        if self.mutation == Some(Mutation::ReleaseBeforeEnd) && matches!(then, Then::Open(_) | Then::Close) {
            self.go(Manager::Asks { place, then });
        }
    }

    /// Returns whether it goes on by looking after the sessions.
    fn end(&mut self, place: u8, stage: u8, then: Then, config: &Config) -> bool {
        let Place::Open { client, .. } = self.places[place as usize] else { unreachable!("a session ends") };
        let worker = Thread::Worker(client);
        match stage {
            0 => {
                self.clients[client as usize].session = false;
                self.delete_endpoint(Endpoint::Session(client));
                if self.mutation == Some(Mutation::ManagerWaitsForWorker) && self.is_alive(client) {
                    self.go(Manager::Waits { place, then });
                    self.call(SELF, Endpoint::Session(client), Message::Anything);
                    return false;
                }
            }
            1 => self.stop(worker),
            _ => {
                // The thread is asked for, then the frames are taken back by the capability that was lent. What
                // a client does between the two calls, it does to itself: they are its frames.
                if self.clients[client as usize].lent && self.mutation != Some(Mutation::WorkerNotReclaimed) {
                    self.destroy(worker);
                }
                self.clients[client as usize].lent = true;
                self.places[place as usize] = Place::Ended;
                match then {
                    Then::Open(_) | Then::Close => self.go(Manager::Asks { place, then }),
                    Then::Cancel => return true,
                    Then::Look => self.look(place + 1, config),
                    Then::Admit => {
                        // No page has come into its slice: nobody could call its worker.
                        self.places[place as usize] = Place::Free;
                        self.admit(config);
                    }
                }
                return false;
            }
        }
        self.go(Manager::Ends { place, stage: stage + 1, then });
        false
    }

    /// RELEASE has an answer, or its limit has passed. Returns whether it goes on by looking after the
    /// sessions.
    fn released(&mut self, place: u8, then: Then, config: &Config) -> bool {
        let mail = self.tcb(SELF).mail;
        if mail == Mail::Answer(Answer::Done) {
            if let Place::Open { client, .. } = self.places[place as usize] {
                // By a mutation only.
                self.clients[client as usize].session = false;
                self.delete_endpoint(Endpoint::Session(client));
            }
            self.places[place as usize] = Place::Free;
        }
        match then {
            Then::Open(client) => self.go(Manager::Saves(client)),
            Then::Look if mail == Mail::Failed(Error::Timeout) => self.admit(config),
            Then::Look => self.clear(place + 1, config),
            _ => return true,
        }
        false
    }

    fn look_after(&mut self, looks: bool, config: &Config) {
        if !looks {
            return self.admit(config);
        }
        for client in Client::ALL {
            if self.waiting.iter().flatten().any(|waiter| waiter.client == client && !waiter.there) {
                self.remove_waiter(client);
            }
        }
        self.look(0, config);
    }

    fn look(&mut self, first: u8, config: &Config) {
        let open = |place: &u8| matches!(self.places[*place as usize], Place::Open { .. });
        match (first..config.slices).find(open) {
            Some(place) => self.go(Manager::Looks { place }),
            None => self.clear(0, config),
        }
    }

    fn clear(&mut self, first: u8, config: &Config) {
        let ended = (first..config.slices).find(|&place| self.places[place as usize] == Place::Ended);
        match ended {
            Some(place) => self.go(Manager::Asks { place, then: Then::Look }),
            None => self.admit(config),
        }
    }

    /// The first of those who wait whose pause is over gets a free slice.
    fn admit(&mut self, config: &Config) {
        let free = (0..config.slices).find(|&place| self.places[place as usize] == Place::Free);
        let due = self.waiting.iter().flatten().find(|it| !self.clients[it.client as usize].pausing).copied();
        let (Some(place), Some(Waiter { client, .. })) = (free, due) else {
            return self.go(Manager::Answers);
        };
        if self.tcb(Thread::Worker(client)).run != Run::Absent {
            // Only by a mutation, or because the client kept its last worker's frames from the manager: that
            // worker is stopped for ever, and what stands for it here is needed for the next one.
            self.abandon(client);
        }
        self.clients[client as usize].pausing = config.pauses;
        self.go(Manager::Makes { place, client, stage: 0 });
    }

    /// The client takes back the frames of a worker that the service has stopped.
    fn abandon(&mut self, client: Client) {
        self.destroy(Thread::Worker(client));
    }

    fn make(&mut self, place: u8, client: Client, stage: u8, config: &Config) {
        let worker = Thread::Worker(client);
        match stage {
            0 if !self.clients[client as usize].lent => self.decline(client, config),
            0 => {
                *self.tcb_mut(worker) = Tcb { run: Run::Stopped, mail: Mail::None, caller: None };
                self.workers[client as usize] = Worker::new(place);
                self.go(Manager::Makes { place, client, stage: 1 });
            }
            // It has been taken away already.
            1 if !self.is_alive(client) => self.decline(client, config),
            1 => {
                self.tcb_mut(worker).run = Run::Ready;
                self.places[place as usize] = Place::Open { client, begun: false };
                self.go(Manager::Makes { place, client, stage: 2 });
            }
            _ => {
                if self.answer_waiter(client, Answer::Session) {
                    self.clients[client as usize].session = true;
                    self.places[place as usize] = Place::Open { client, begun: false };
                    self.admit(config);
                } else {
                    self.go(Manager::Ends { place, stage: 0, then: Then::Admit });
                }
            }
        }
    }

    fn decline(&mut self, client: Client, config: &Config) {
        self.clients[client as usize].lent = true;
        self.answer_waiter(client, Answer::Refused);
        self.admit(config);
    }

    /// Reply by the saved capability. `false`: nobody waits any more.
    fn answer_waiter(&mut self, client: Client, answer: Answer) -> bool {
        let Some(at) = self.waiting.iter().position(|waiter| waiter.is_some_and(|it| it.client == client))
        else {
            return false;
        };
        let there = self.waiting[at].take().is_some_and(|waiter| waiter.there);
        self.waiting[at..].rotate_left(1);
        if there {
            let opener = client.opener();
            let mail = if client == Client::Evil { Mail::None } else { Mail::Answer(answer) };
            let tcb = self.tcb_mut(opener);
            (tcb.run, tcb.mail) = (Run::Ready, mail);
        }
        there
    }
}
