//! What holds in every state (docs/invariants.md: 16, 17, 19), and what must be seen in some, so that nothing
//! holds only because nothing happens.

use stateright::Property;

use crate::config::Config;
use crate::kernel::{Answer, Client, Mail, Run, Thread};
use crate::state::{At, Manager, Page, Place, Server, State, Then, Waiter, Wrong};

/// 17: neither the server nor its pager nor the manager waits for anybody but one another, and for themselves
/// not at all.
pub const WAITS: &str = "17: trusted threads wait for trusted threads only";
/// 16: what a worker touches is its client's, while that waits for it, and its session's slice.
pub const TOUCHES: &str = "16: a worker touches only what is declared, and its slice";
/// 16: no slice is used by two sessions.
pub const ONE_SESSION: &str = "16: no slice is two sessions'";
/// 16: what the server reads is a whole request, and what a client gets is the reply to it.
pub const NO_MIXING: &str = "16: requests are whole, and replies are their clients' own";
/// 19: a reply capability is in one place, for a caller that waits.
pub const REPLY: &str = "19: a reply capability is in one place and works once";
/// 19: who ends answers nobody any more, and nobody waits for it.
pub const NO_DEAD: &str = "19: nobody waits for a thread that is gone";

/// All of them.
pub fn all() -> Vec<Property<Config>> {
    let mut list = vec![
        Property::always(WAITS, |_, state| waits(state)),
        Property::always(TOUCHES, |_, state| touches(state)),
        Property::always(ONE_SESSION, |_, state| one_session(state)),
        Property::always(NO_MIXING, |_, state| no_mixing(state)),
        Property::always(REPLY, |_, state| replies(state)),
        Property::always(NO_DEAD, |_, state| no_dead(state)),
    ];
    list.extend(SEEN.iter().map(|&(name, condition)| Property::sometimes(name, condition)));
    list
}

type Condition = fn(&Config, &State) -> bool;

/// What must be seen, by clients that are there.
const SEEN: &[(&str, Condition)] = &[
    ("seen: a worker has a reply for its client", |_, state| {
        workers(state).any(|at| matches!(at, At::Answers(Answer::Reply(1..))))
    }),
    ("seen: a request faults and is resumed", |_, state| {
        workers(state).any(|at| matches!(at, At::Answers(Answer::Faulted(_))))
    }),
    ("seen: a reply faults and is resumed", |_, state| {
        workers(state).any(|at| matches!(at, At::Answers(Answer::ReplyFaulted(_))))
    }),
    ("seen: the server answers a worker that is gone", |_, state| {
        matches!(state.server, Server::Answers(Answer::Reply(_)))
            && state.tcb(Thread::Server).caller.is_none()
    }),
    ("seen: the server asks, and the worker is gone", |_, state| {
        matches!(state.server, Server::Asks(_)) && state.tcb(Thread::Server).caller.is_none()
    }),
    ("seen: a slice is not released while the server works", |_, state| {
        matches!(state.manager, Manager::Waits { .. })
            && state.tcb(Thread::Manager).mail == Mail::Answer(Answer::Refused)
    }),
    ("seen: a session runs out of time", |_, state| {
        matches!(state.manager, Manager::Ends { then: Then::Look, .. })
    }),
    ("seen: a worker's frames are taken back under way", |_, state| {
        state
            .places
            .iter()
            .any(|place| matches!(place, Place::Open { client, .. } if !state.is_alive(*client)))
    }),
];

fn workers(state: &State) -> impl Iterator<Item = At> {
    state.workers.iter().map(|worker| worker.at)
}

/// Whom a thread's call waits for.
pub fn waits_for(state: &State, thread: Thread) -> Option<Thread> {
    match state.tcb(thread).run {
        Run::Calling(endpoint) => Some(endpoint.receiver()),
        Run::AwaitingReply(holder) => Some(holder),
        _ => None,
    }
}

fn waits(state: &State) -> bool {
    Thread::ALL.into_iter().filter(|thread| thread.is_trusted()).all(|thread| {
        let (mut next, mut steps) = (thread, 0);
        while let Some(other) = waits_for(state, next) {
            steps += 1;
            if !other.is_trusted() || steps > 3 {
                return false;
            }
            next = other;
        }
        true
    })
}

fn touches(state: &State) -> bool {
    !matches!(state.wrong, Some(Wrong::ForeignSlice | Wrong::Undeclared))
}

fn no_mixing(state: &State) -> bool {
    !matches!(state.wrong, Some(Wrong::ForeignReply | Wrong::PageGone | Wrong::ReadUnfinished))
}

/// A worker that can still run is the one whose session has its slice; and a slice that nobody has is empty, so that
/// the next finds nothing there, not even a clear frame that the server should have back.
fn one_session(state: &State) -> bool {
    let own = Client::ALL.into_iter().all(|client| {
        let run = state.tcb(Thread::Worker(client)).run;
        let slice = state.workers[client as usize].slice;
        matches!(run, Run::Absent | Run::Stopped) || state.owner(slice) == Some(client)
    });
    let empty =
        state.places.iter().zip(&state.slices).all(|(place, slice)| {
            *place != Place::Free || slice.pages.iter().all(|&page| page == Page::Absent)
        });
    own && empty
}

fn replies(state: &State) -> bool {
    let once = Thread::ALL.into_iter().all(|thread| {
        let held = Thread::ALL.into_iter().filter(|&other| state.tcb(other).caller == Some(thread)).count();
        let waits = |waiter: &&Waiter| waiter.there && waiter.client.opener() == thread;
        let saved = state.waiting.iter().flatten().filter(waits).count();
        let kept =
            state.slices.iter().filter(|slice| slice.held.is_some_and(|it| it.1 == Some(thread))).count();
        let waits = matches!(state.tcb(thread).run, Run::AwaitingReply(_));
        held + saved + kept == usize::from(waits)
    });
    once && state.wrong != Some(Wrong::AnsweredNobody)
}

fn no_dead(state: &State) -> bool {
    Thread::ALL.into_iter().all(|thread| match state.tcb(thread).run {
        Run::AwaitingReply(holder) => state.tcb(holder).run != Run::Absent,
        _ => true,
    })
}
