//! Clients to which no reply can be delivered: one only sent; one accepts no strings and asks for some; one has too little room;
//! one leaves at once; one is stopped while it waits, and goes on, in turn; one asks with a capability that must not come. A
//! thread for each, over and over.
//!
//! Success would mean that the server's reply waits for its client: a question to the server stays unanswered. What stops it: a
//! reply goes to a caller that waits already, or to nobody; what cannot be delivered is an error to the replier, at once
//! (invariants 17, 19).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::abyss::{self, priority};
use freehold_attacks::messages::siege::Probes;
use freehold_attacks::protocol::attack::{ANSWER, ECHO, STRING_MAX};
use freehold_attacks::rt::abi::message::Item;
use freehold_attacks::rt::thread::{self, Options, Thread};
use freehold_attacks::rt::{CapName, Error, Message, Rights, Utcb, calls, memory, start, time};
use freehold_attacks::{Evidence, Kit, Vec, attack, format};

/// Milliseconds that a client waits for its answer at most.
const PATIENCE: u32 = 20;

/// Calls in a row, before the others have their turn.
const BURST: u32 = 20;

/// What a client does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Sends, and wants no answer.
    Sends,
    /// Asks for strings that it does not accept.
    NoStrings,
    /// Asks for more strings than it has room for.
    NoRoom,
    /// Leaves at once.
    Leaves,
    /// Is stopped, and goes on.
    Stopped,
    /// Sends a capability along, for which the server has no slot.
    Item,
}

const HABITS: [Habit; 6] =
    [Habit::Sends, Habit::NoStrings, Habit::NoRoom, Habit::Leaves, Habit::Stopped, Habit::Item];

static SERVER: AtomicU32 = AtomicU32::new(0);
/// For each habit: calls that were answered, and calls that came to an error.
static CAME: [[AtomicU32; 2]; HABITS.len()] = [const { [const { AtomicU32::new(0) }; 2] }; HABITS.len()];

attack!("reply-blocking", run, run);

fn run(kit: &mut Kit) -> Evidence {
    SERVER.store(kit.server.0, Ordering::Relaxed);
    let there = memory::map_new(abyss::AT, 2);
    let spawn = |index| thread::spawn(call, index, Options::new(priority()));
    let threads: Result<Vec<Thread>, _> = (0..HABITS.len() as u32).map(spawn).collect();
    let (Ok(()), Ok(threads)) = (there, threads) else { return kit.untried("no memory for threads") };
    let stopped = HABITS.iter().position(|&habit| habit == Habit::Stopped).map(|index| threads[index].name());
    let mut probes = Probes::default();
    while !kit.pause(2) {
        probes.ask(kit);
        // It waits for its answer, or is about to.
        if let Some(thread) = stopped {
            let _ = calls::stop_thread(thread);
            probes.ask(kit);
            let _ = calls::continue_thread(thread, CapName::NONE, priority());
        }
    }
    let came = || CAME.iter().map(|line| [0, 1].map(|index| line[index].load(Ordering::Relaxed)));
    kit.tries = came().flatten().sum();
    kit.successes = probes.silent;
    let answered: u32 = came().map(|[answered, _]| answered).sum();
    let detail = format!(
        "answered/not by habit {:?}, server silent {} of {}, wrong {}",
        came().map(|[answered, failed]| (answered, failed)).collect::<Vec<_>>(),
        probes.silent,
        probes.asked,
        probes.wrong
    );
    match kit.successes {
        0 if answered == 0 => kit.untried(format!("no call came to the server: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

fn call(index: u32) {
    let (server, utcb) = (CapName(SERVER.load(Ordering::Relaxed)), Utcb::current());
    utcb.set_limits((PATIENCE, PATIENCE));
    loop {
        for _ in 0..BURST {
            let result = once(HABITS[index as usize], server, utcb);
            CAME[index as usize][usize::from(result.is_err())].fetch_add(1, Ordering::Relaxed);
        }
        time::sleep(1);
    }
}

fn once(habit: Habit, server: CapName, utcb: Utcb) -> Result<(), Error> {
    let echo = Message::of(ECHO, &[1, 2]);
    let answer = Message::of(ANSWER, &[STRING_MAX]);
    match habit {
        Habit::Sends => calls::send(server, &echo),
        Habit::NoStrings => calls::call(server, &answer).map(drop),
        Habit::NoRoom => {
            let room = abyss::edge(0);
            // SAFETY: nobody relies on what lies there.
            unsafe { utcb.set_buffers(&[room]) };
            calls::call_strings(server, &answer, true).map(drop).map_err(|broken| broken.error)
        }
        Habit::Leaves => utcb.within((PATIENCE, 0), || calls::call(server, &echo).map(drop)),
        Habit::Stopped => calls::call(server, &echo).map(drop),
        Habit::Item => {
            let mut message = echo;
            let source = start::SLEEP;
            message.push_item(Item { source, moved: false, rights: Rights::SEND, total: 0 });
            calls::call(server, &message).map(drop)
        }
    }
}
