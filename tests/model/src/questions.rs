//! What must happen in the end: the regions that everybody must leave, each with the parties that are relied
//! upon for it.

use crate::config::Config;
use crate::graph::Graph;
use crate::kernel::{Answer, Client, Mail, Run, Thread};
use crate::liveness::stays;
use crate::model::{Action, Party};
use crate::properties::waits_for;
use crate::state::{At, Good, Manager, Phase, Place, State};
use crate::worker::Fate;

/// A question.
pub struct Question {
    /// What must not be so for ever.
    pub name: &'static str,
    /// Whether a state is in the region.
    region: fn(&State) -> bool,
    /// The parties relied upon.
    parties: u16,
    /// The steps that end it, wherever they lead.
    ends: u16,
}

/// A step that cannot happen for ever: the pager that is relied upon answers in time in the end.
const TOO_SLOW: u16 = 1 << 15;
/// A step that completes a transfer.
const COMPLETED: u16 = 1 << 14;
/// A step by which the good client knows what became of its transfer.
const TOLD: u16 = 1 << 13;

/// Who waits for an answer of the server's.
fn asks_server(state: &State, thread: Thread) -> bool {
    waits_for(state, thread) == Some(Thread::Server)
}

fn over(state: &State, slice: usize) -> bool {
    match state.places[slice] {
        Place::Free => false,
        Place::Ended => true,
        Place::Open { client, .. } => {
            let ends = matches!(state.manager, Manager::Ends { place, .. } if place as usize == slice);
            ends || !state.is_alive(client)
        }
    }
}

/// A client's thread waits for a worker that does not run any more, though its frames are not withheld.
fn waits_for_ended(state: &State, client: Client) -> bool {
    let ended = matches!(state.tcb(Thread::Worker(client)).run, Run::Absent | Run::Stopped);
    ended
        && waits_for(state, Thread::Main(client)) == Some(Thread::Worker(client))
        && (client == Client::Good || state.tcb(Thread::Worker(client)).run == Run::Absent)
}

fn waits(state: &State, thread: Thread) -> bool {
    waits_for(state, thread).is_some()
}

/// All questions. 17 and 19 of docs/invariants.md, and that no client keeps a slice. What the time of a session is
/// needed for comes last.
pub const QUESTIONS: &[Question] = &[
    Question {
        name: "17: the good client's worker waits for the server",
        region: |state| asks_server(state, Thread::Worker(Client::Good)),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: the evil client's worker waits for the server",
        region: |state| asks_server(state, Thread::Worker(Client::Evil)),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: somebody else waits for the server",
        region: |state| asks_server(state, Thread::Side),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: a session is over and its slice not free (first slice)",
        region: |state| over(state, 0),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: a session is over and its slice not free (second slice)",
        region: |state| over(state, 1),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: the server waits for the manager",
        region: |state| waits(state, Thread::Server),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: the manager waits for the pager",
        region: |state| waits(state, Thread::Manager),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "19: the good client waits for a worker that has ended",
        region: |state| waits_for_ended(state, Client::Good),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "19: the evil client waits for a worker that it has taken away",
        region: |state| waits_for_ended(state, Client::Evil),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
    Question {
        name: "17: a session keeps its slice and completes nothing (first slice)",
        region: |state| state.places[0] != Place::Free,
        parties: Party::TRUSTED,
        ends: TOO_SLOW | COMPLETED,
    },
    Question {
        name: "17: a session keeps its slice and completes nothing (second slice)",
        region: |state| state.places[1] != Place::Free,
        parties: Party::TRUSTED,
        ends: TOO_SLOW | COMPLETED,
    },
    Question {
        name: "19: the good client waits for its worker or for the manager",
        region: |state| waits(state, Thread::Main(Client::Good)),
        parties: Party::TRUSTED,
        ends: TOO_SLOW,
    },
];

/// How many of them that is.
const NEED_TIME: usize = 3;

/// Asked where the good client's time does not run out: what it begins, it completes.
pub const COMPLETES: &[Question] = &[Question {
    name: "19: the good client's transfer is under way",
    region: |state| matches!(state.good, Good::Transfers { .. }),
    parties: Party::GOOD,
    ends: TOO_SLOW | TOLD,
}];

/// What must not happen at all where the good client's time does not run out.
pub fn is_failed(state: &State) -> bool {
    matches!(state.good, Good::Transfers { .. })
        && matches!(
            state.tcb(Thread::Main(Client::Good)).mail,
            Mail::Failed(_) | Mail::Answer(Answer::Aborted)
        )
}

fn note(state: &State, action: Action) -> u16 {
    match action {
        Action::TooSlow => TOO_SLOW,
        Action::Worker(client, Fate::Goes) => {
            let worker = &state.workers[client as usize];
            let completes =
                worker.at == At::Carries && worker.phase == Phase::Reply && worker.done == worker.total;
            if completes { COMPLETED } else { 0 }
        }
        Action::Good(_) => match state.tcb(Thread::Main(Client::Good)).mail {
            Mail::Answer(Answer::Faulted(_) | Answer::ReplyFaulted(_)) => 0,
            _ => TOLD,
        },
        _ => 0,
    }
}

/// A question that has the wrong answer: which, and a way to where it shows.
pub type Counterexample = (&'static str, Vec<Action>);

/// What is asked of a configuration.
pub fn questions(config: &Config) -> &'static [Question] {
    match config {
        Config { patient: true, .. } => COMPLETES,
        Config { endless: true, .. } => &QUESTIONS[..QUESTIONS.len() - NEED_TIME],
        _ => QUESTIONS,
    }
}

/// Explores `config` and asks its questions. Returns how many states there are, and what is wrong.
pub fn ask(config: &Config) -> (usize, Vec<Counterexample>) {
    let questions = questions(config);
    let mark = |state: &State| {
        let bits = questions.iter().enumerate().map(|(bit, it)| u64::from((it.region)(state)) << bit);
        bits.sum::<u64>() | u64::from(is_failed(state)) << 63
    };
    let graph = Graph::explore(config, mark, note);
    let mut wrong = Vec::new();
    for (bit, question) in questions.iter().enumerate() {
        if let Some(state) = stays(&graph, 1 << bit, question.parties, question.ends) {
            wrong.push((question.name, graph.way(config, state)));
        }
    }
    if config.patient
        && let Some(state) = graph.marks.iter().position(|mark| mark >> 63 == 1)
    {
        wrong.push(("19: the good client's transfer fails", graph.way(config, state as u32)));
    }
    (graph.len(), wrong)
}
