//! The model as stateright explores it: who can do what next.
//!
//! What must hold: every thread that is ready can be the next to run, in every state, and none need ever run
//! again. So priorities, processors and preemption are all covered: a schedule is a sequence of these actions.

use stateright::{Model, Property};

use crate::client::{Move, Wish};
use crate::config::{Config, Mutation};
use crate::kernel::{Client, Error, Mail, Message, Run, Thread};
use crate::manager::Clock;
use crate::properties;
use crate::state::{Manager, Phase, State};
use crate::worker::Fate;

/// One step of one party's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The server's thread goes on.
    Server,
    /// It has a session ended first.
    ServerCancels(u8),
    /// The pager goes on.
    Pager,
    /// It holds back the page that it is asked for.
    PagerHolds,
    /// It deals with what it holds back.
    PagerSpeaks(u8),
    /// The manager goes on.
    Manager(Clock),
    /// The manager's RELEASE is not answered in time.
    TooSlow,
    /// The limit of the manager's receive passes.
    Period,
    /// A client can have another session.
    PauseEnds(Client),
    /// A worker goes on.
    Worker(Client, Fate),
    /// The good client goes on.
    Good(Wish),
    /// The evil client does something.
    Evil(Move),
}

/// Who an action depends on, where it can be relied upon that it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The server's thread.
    Server,
    /// Its pager.
    Pager,
    /// The manager.
    Manager,
    /// Time goes on: the manager's period.
    Period,
    /// A session's time.
    Time(u8),
    /// A client's pause.
    Pause(Client),
    /// The good client, or its worker: relied on only where its own transfer is in question.
    GoodThread,
    /// See there.
    GoodWorker,
}

impl Party {
    /// Its bit.
    pub fn bit(self) -> u16 {
        match self {
            Party::Server => 1,
            Party::Pager => 2,
            Party::Manager => 4,
            Party::Period => 8,
            Party::Time(slice) => 16 << slice,
            Party::Pause(client) => 64 << client as u8,
            Party::GoodThread => 256,
            Party::GoodWorker => 512,
        }
    }

    /// All that a server and the service can rely on: themselves, and time.
    pub const TRUSTED: u16 = 255;
    /// The same, and the good client with its worker.
    pub const GOOD: u16 = 1023;
}

impl Action {
    /// Whose it is, as bits of [`Party`].
    pub fn parties(self, state: &State) -> u16 {
        let manager = Party::Manager.bit();
        match self {
            Action::Server | Action::ServerCancels(_) => Party::Server.bit(),
            Action::Pager | Action::PagerHolds => Party::Pager.bit(),
            Action::Manager(Clock::Period) => manager | Party::Period.bit(),
            Action::Manager(Clock::Deadline) => match state.manager {
                Manager::Looks { place } => manager | Party::Time(place).bit(),
                _ => manager,
            },
            Action::Manager(Clock::Silent) => match (state.manager, state.tcb(Thread::Manager).mail) {
                // A session whose time begins anew has not run out of it.
                (Manager::Loop, Mail::Got(Message::Begin { slice }, _)) if state.may_begin(slice) => {
                    manager | Party::Time(slice).bit()
                }
                _ => manager,
            },
            Action::Period => Party::Period.bit(),
            Action::PauseEnds(client) => Party::Pause(client).bit(),
            Action::Worker(Client::Good, _) => Party::GoodWorker.bit(),
            Action::Good(_) => Party::GoodThread.bit(),
            Action::TooSlow | Action::PagerSpeaks(_) | Action::Worker(Client::Evil, _) | Action::Evil(_) => 0,
        }
    }
}

impl Config {
    /// What can happen next. Some of it may turn out not to: [`Config::next`] says `None`.
    pub fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wrong.is_some() {
            // What follows from it would say nothing.
            return;
        }
        let slices = || 0..self.slices;
        if state.is_ready(Thread::Server) {
            actions.push(Action::Server);
            if self.cancels {
                actions.extend(slices().map(Action::ServerCancels));
            }
        }
        if state.is_ready(Thread::Pager) {
            actions.push(Action::Pager);
            if self.quiet {
                actions.push(Action::PagerHolds);
            }
        }
        if self.quiet {
            actions.extend(slices().map(Action::PagerSpeaks));
        }
        if state.is_ready(Thread::Manager) {
            actions.extend([Clock::Silent, Clock::Period, Clock::Deadline].map(Action::Manager));
        }
        actions.extend([Action::TooSlow, Action::Period]);
        if self.pauses {
            actions.extend(Client::ALL.map(Action::PauseEnds));
        }
        for client in Client::ALL {
            if state.is_ready(Thread::Worker(client)) {
                actions.extend([Fate::Goes, Fate::Faults].map(|fate| Action::Worker(client, fate)));
                if client == Client::Evil {
                    actions.extend([Fate::Fails, Fate::Nonsense].map(|fate| Action::Worker(client, fate)));
                    if state.workers[client as usize].phase == Phase::Idle {
                        actions
                            .extend((0..=self.pages).map(|total| Action::Worker(client, Fate::Said(total))));
                    }
                }
            }
        }
        if state.is_ready(Thread::Main(Client::Good)) {
            actions.extend([Wish::Carry, Wish::Close].map(Action::Good));
        }
        if !self.evil.is_empty() {
            actions.extend(self.evil.iter().copied().map(Action::Evil));
            // Refused like any other message, unless this bug is planted.
            if self.mutation == Some(Mutation::BeginFromAnybody) {
                actions.extend(slices().map(|slice| Action::Evil(Move::Begin(slice))));
            }
        }
    }

    /// What a state becomes. `None`: the action does not happen in it, or nothing changes.
    pub fn next(&self, state: &State, action: Action) -> Option<State> {
        let next = match action {
            Action::Server => state.server_step(None, self),
            Action::ServerCancels(slice) if self.patient && state.owner(slice) == Some(Client::Good) => None,
            Action::ServerCancels(slice) => state.server_step(Some(slice), self),
            Action::Pager => state.pager_step(false),
            Action::PagerHolds => state.pager_step(true),
            Action::PagerSpeaks(slice) => state.speak(slice),
            Action::Manager(clock) => state.manager_step(clock, self),
            Action::TooSlow => state.too_slow(),
            Action::Period => state.period(),
            Action::PauseEnds(client) => state.pause_ends(client),
            Action::Worker(client, fate) => state.worker_step(client, fate),
            Action::Good(wish) => state.good_step(wish, self),
            Action::Evil(it) => state.evil_move(it),
        };
        next.filter(|next| next != state)
    }
}

impl State {
    fn too_slow(mut self) -> Option<State> {
        let waits = matches!(self.tcb(Thread::Manager).run, Run::Calling(_) | Run::AwaitingReply(_));
        (waits && matches!(self.manager, Manager::Waits { .. })).then(|| {
            self.stop_waiting(Thread::Manager);
            self.end_wait(Thread::Manager, Error::Timeout);
            self
        })
    }

    fn period(mut self) -> Option<State> {
        (self.tcb(Thread::Manager).run == Run::Receiving && self.limited).then(|| {
            self.end_wait(Thread::Manager, Error::Timeout);
            self
        })
    }

    fn pause_ends(mut self, client: Client) -> Option<State> {
        core::mem::take(&mut self.clients[client as usize].pausing).then_some(self)
    }
}

impl Model for Config {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.next(state, action)
    }

    fn properties(&self) -> Vec<Property<Config>> {
        properties::all()
    }
}
