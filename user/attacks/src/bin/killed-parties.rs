//! The parties of an exchange killed at each of its steps: while one waits to send, while the call is being answered, while a
//! page is missing at the sender or at the receiver, of a request or of a reply; the sender, the receiver, or the pager that
//! both wait for; destroyed, or stopped. Threads that call the victim's server are destroyed after any number of instructions,
//! and the accomplice's first thread is stopped in the middle of receiving from the attacker.
//!
//! Success would mean that somebody pays for another one's death: a survivor stays in a transfer of which nothing is left, a
//! dead thread's frames cannot be had back, or the victim's server does not answer any more. What stops it: whoever leaves an
//! exchange, in whatever state, takes both parties out of it, and tells the other one (invariants 17, 19, 21).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::abyss::{self, THERE, priority};
use freehold_attacks::messages::siege::Probes;
use freehold_attacks::protocol::attack::STRING;
use freehold_attacks::rt::abi::fault::{PAGE_FAULT, RESUME};
use freehold_attacks::rt::abi::info::State;
use freehold_attacks::rt::abi::layout::{FOREVER, FRAME};
use freehold_attacks::rt::calls::Broken;
use freehold_attacks::rt::memory::{self, MapError};
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::thread::{self, Options, Thread};
use freehold_attacks::rt::utcb::Part;
use freehold_attacks::rt::{CapName, Message, Utcb, calls, start, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// Milliseconds in which an exchange must have come to its step, and its survivor out of it.
const SOON: u32 = 50;
/// The two places of memory: the sender's, the receiver's.
const SENDER: usize = 0;
const RECEIVER: usize = 1;

/// What the two do, and where they are when somebody dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The sender calls, and nobody receives.
    Calling,
    /// The sender's call has been taken, and is not answered.
    Answering,
    /// The sender's request lacks the sender's page.
    Request,
    /// It lacks the receiver's.
    RequestRoom,
    /// The sender answers a call of the receiver's; the sender's page is missing.
    Reply,
    /// The receiver's is.
    ReplyRoom,
}

const STEPS: [Step; 6] =
    [Step::Calling, Step::Answering, Step::Request, Step::RequestRoom, Step::Reply, Step::ReplyRoom];

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dies {
    Sender,
    Receiver,
    SenderStopped,
    ReceiverStopped,
    Pager,
}

const DEATHS: [Dies; 5] =
    [Dies::Sender, Dies::Receiver, Dies::SenderStopped, Dies::ReceiverStopped, Dies::Pager];

/// What a survivor's call came to: nothing yet, or 1 + the error's number.
static OUTCOMES: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
/// Where the two meet; the step; whether a thread that the server is called by sends its string from behind.
static MEETING: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

attack!("killed-parties", attacker, partner);

/// What came of it all.
#[derive(Default)]
struct Toll {
    kills: u32,
    not_reached: u32,
    stuck: u32,
    lost: u32,
    last_stuck: Option<(Step, Dies)>,
    at_server: u32,
    partners: u32,
}

fn attacker(kit: &mut Kit) -> Evidence {
    let pages = [SENDER, RECEIVER].map(|place| memory::map_new(whole(place).address, 1));
    if pages.into_iter().any(|page| page.is_err()) {
        return kit.untried("no memory");
    }
    // What the first threads of a program need for good.
    if kill(kit, Step::Request, Dies::Pager, &mut Toll::default()).is_err() {
        return kit.untried("no memory for threads");
    }
    let (mut toll, mut probes) = (Toll::default(), Probes::default());
    while !kit.stopped() {
        for (step, dies) in STEPS.into_iter().flat_map(|step| DEATHS.map(|dies| (step, dies))) {
            let before = memory::free_frames();
            if kill(kit, step, dies, &mut toll).is_err() {
                toll.lost += 1;
            }
            toll.lost += u32::from(memory::free_frames() != before);
            if kit.stopped() {
                break;
            }
        }
        if at_the_server(kit, &mut toll).is_err() || with_the_partner(kit, &mut toll).is_err() {
            toll.lost += 1;
        }
        probes.ask(kit);
    }
    kit.tries = toll.kills + toll.at_server + toll.partners;
    kit.successes = toll.stuck + toll.lost + probes.silent;
    let detail = format!(
        "killed {} in {} steps, {} not reached, {} at the server, partner stopped {}; stuck {} {:?}, frames lost {}, silent {}",
        toll.kills,
        STEPS.len() * DEATHS.len(),
        toll.not_reached,
        toll.at_server,
        toll.partners,
        toll.stuck,
        toll.last_stuck,
        toll.lost,
        probes.silent
    );
    match kit.successes {
        0 if toll.kills == 0 => kit.untried(format!("nobody came to a step: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

/// A place of which all is there, and one of which the second half is missing.
fn whole(place: usize) -> Part {
    Part { address: abyss::edge(place).address & !(FRAME - 1), bytes: 2 * THERE }
}

fn endpoint() -> Result<Slot, MapError> {
    let slot = Slot::take().ok_or(MapError::OutOfSlots)?;
    calls::make_endpoint(slot.reference())?;
    Ok(slot)
}

/// Brings two threads to a step, lets one of them (or their pager) die, and looks what becomes of the other.
fn kill(kit: &Kit, step: Step, dies: Dies, toll: &mut Toll) -> Result<(), MapError> {
    let (way, pager) = (endpoint()?, endpoint()?);
    MEETING[0].store(way.name().0, Ordering::Relaxed);
    MEETING[1].store(step as u32, Ordering::Relaxed);
    OUTCOMES.iter().for_each(|outcome| outcome.store(0, Ordering::Relaxed));
    let options = Options { pager: pager.name(), stack_pages: 2, ..Options::new(priority()) };
    let receiver = if step == Step::Calling { None } else { Some(thread::spawn(receive, 0, options)?) };
    let sender = thread::spawn(send, 0, options)?;
    let reached = match step {
        Step::Calling => comes_to(&sender, State::Calling),
        Step::Answering => comes_to(&sender, State::AwaitingReply),
        _ => {
            let fault = kit.within(SOON, || calls::receive(pager.name()));
            fault.is_ok_and(|fault| fault.message.label() == PAGE_FAULT)
        }
    };
    let (mut sender, mut receiver, mut pager) = (Some(sender), receiver, Some(pager));
    if reached {
        toll.kills += 1;
        // Who must be out of the exchange afterwards. Whoever has taken a call, and holds it, is in none.
        let transfers = !matches!(step, Step::Calling | Step::Answering);
        let (sender_lives, receiver_lives) = match dies {
            Dies::Sender => {
                sender.take().map_or(Ok(()), Thread::destroy).map_err(|stop| stop.error)?;
                (false, transfers)
            }
            Dies::Receiver => {
                receiver.take().map_or(Ok(()), Thread::destroy).map_err(|stop| stop.error)?;
                (step != Step::Calling, false)
            }
            Dies::SenderStopped => {
                sender.as_ref().map_or(Ok(()), |thread| calls::stop_thread(thread.name()))?;
                (false, transfers)
            }
            Dies::ReceiverStopped => {
                receiver.as_ref().map_or(Ok(()), |thread| calls::stop_thread(thread.name()))?;
                (transfers, false)
            }
            Dies::Pager => {
                // With the endpoint goes who would wait there; then the fault is answered, and is there once more.
                drop(pager.take());
                let _ = calls::reply(None, &Message::new(RESUME));
                (transfers, transfers)
            }
        };
        let survivors = [(&sender, SENDER, sender_lives), (&receiver, RECEIVER, receiver_lives)];
        for (thread, which, lives) in survivors {
            if let Some(thread) = thread.as_ref().filter(|_| lives)
                && !is_free(thread, which)
            {
                toll.stuck += 1;
                toll.last_stuck = Some((step, dies));
            }
        }
    } else {
        toll.not_reached += 1;
    }
    drop((way, pager));
    for thread in [sender, receiver].into_iter().flatten() {
        thread.destroy().map_err(|stop| stop.error)?;
    }
    Ok(())
}

/// Whether a thread comes to a state in time.
fn comes_to(thread: &Thread, state: State) -> bool {
    (0..SOON).any(|_| {
        time::sleep(1);
        calls::thread_info(thread.name()).is_ok_and(|info| info.state == state)
    })
}

/// Whether a survivor is out of the exchange in time: its call has ended, or it goes on receiving.
fn is_free(thread: &Thread, which: usize) -> bool {
    (0..SOON).any(|_| {
        // Ready is enough: when its turn comes is the scheduler's affair.
        let state = calls::thread_info(thread.name()).map(|info| info.state);
        let has_ended = OUTCOMES[which].load(Ordering::Relaxed) != 0;
        if has_ended || matches!(state, Ok(State::Ready | State::Receiving)) {
            return true;
        }
        time::sleep(1);
        false
    })
}

fn step() -> Step {
    STEPS[MEETING[1].load(Ordering::Relaxed) as usize]
}

fn patient(utcb: Utcb) {
    utcb.set_limits((FOREVER, FOREVER));
    utcb.set_send_faults(FOREVER, FOREVER);
    utcb.set_receive_faults(FOREVER, FOREVER);
}

/// Notes what a party's call came to, and waits for its own end.
fn note(which: usize, result: Result<(), Broken>) {
    OUTCOMES[which].store(1 + result.map_or_else(|broken| broken.error as u32, |()| 0), Ordering::Relaxed);
}

fn send(_: u32) {
    let (utcb, way) = (Utcb::current(), CapName(MEETING[0].load(Ordering::Relaxed)));
    patient(utcb);
    let strings =
        if matches!(step(), Step::Request | Step::Reply) { abyss::edge(SENDER) } else { whole(SENDER) };
    let message = Message::new(1).with_strings();
    let replies = matches!(step(), Step::Reply | Step::ReplyRoom);
    if replies && calls::receive(way).is_err() {
        return;
    }
    utcb.set_strings(&[strings]);
    note(
        SENDER,
        match replies {
            true => calls::reply_strings(None, &message),
            false => calls::call_strings(way, &message, false).map(drop),
        },
    );
}

fn receive(_: u32) {
    let (utcb, way) = (Utcb::current(), CapName(MEETING[0].load(Ordering::Relaxed)));
    patient(utcb);
    let lacks = matches!(step(), Step::RequestRoom | Step::ReplyRoom);
    let buffers = if lacks { abyss::edge(RECEIVER) } else { whole(RECEIVER) };
    // SAFETY: nobody relies on what lies there.
    unsafe { utcb.set_buffers(&[buffers]) };
    if matches!(step(), Step::Reply | Step::ReplyRoom) {
        return note(RECEIVER, calls::call_strings(way, &Message::new(1), true).map(drop));
    }
    let received = calls::receive_strings(way).map(drop);
    if step() == Step::Answering && received.is_ok() {
        // It holds the capability to answer until it dies, or receives once more.
        time::sleep(10 * SOON);
    }
    note(RECEIVER, received);
}

/// Threads that call the victim's server with strings, destroyed after any number of instructions.
fn at_the_server(kit: &mut Kit, toll: &mut Toll) -> Result<(), MapError> {
    MEETING[2].store(kit.server.0, Ordering::Relaxed);
    for _ in 0..4 {
        let caller = thread::spawn(call_server, 0, Options { stack_pages: 2, ..Options::new(priority()) })?;
        let spins = kit.random() % 20_000;
        calls::null()?;
        // Its turn, and back: a tick and some instructions later.
        kit.pause(1);
        (0..spins).for_each(|_| core::hint::spin_loop());
        caller.destroy().map_err(|stop| stop.error)?;
        toll.at_server += 1;
    }
    Ok(())
}

fn call_server(_: u32) {
    let (utcb, server) = (Utcb::current(), CapName(MEETING[2].load(Ordering::Relaxed)));
    patient(utcb);
    loop {
        utcb.set_strings(&[Part { bytes: FRAME, ..whole(SENDER) }]);
        let _ = calls::call_strings(server, &Message::new(STRING).with_strings(), false);
    }
}

/// The accomplice's first thread is stopped while it receives strings of which a page is missing, and let go on.
fn with_the_partner(kit: &Kit, toll: &mut Toll) -> Result<(), MapError> {
    let pager = endpoint()?;
    MEETING[0].store(kit.peer.0, Ordering::Relaxed);
    MEETING[1].store(Step::Request as u32, Ordering::Relaxed);
    OUTCOMES[SENDER].store(0, Ordering::Relaxed);
    let options = Options { pager: pager.name(), stack_pages: 2, ..Options::new(priority()) };
    let sender = thread::spawn(send, 0, options)?;
    if kit.within(SOON, || calls::receive(pager.name())).is_ok() {
        toll.partners += 1;
        calls::stop_thread(kit.partner_thread)?;
        if !is_free(&sender, SENDER) {
            toll.stuck += 1;
            toll.last_stuck = Some((Step::Request, Dies::ReceiverStopped));
        }
        // Its image is this one's, and so are the names of what it was given.
        let faults = start::capability("pager").unwrap_or(CapName::NONE);
        calls::continue_thread(kit.partner_thread, faults, priority())?;
    }
    drop(pager);
    Ok(sender.destroy().map_err(|stop| stop.error)?)
}

/// The accomplice: receives strings, and would wait for ever for the sender's page.
fn partner(kit: &mut Kit) -> Evidence {
    if memory::map_new(whole(RECEIVER).address, 1).is_err() {
        return kit.untried("no memory");
    }
    while !kit.stopped() {
        let utcb = Utcb::current();
        // SAFETY: nobody relies on what lies there.
        unsafe { utcb.set_buffers(&[whole(RECEIVER)]) };
        utcb.set_receive_faults(FOREVER, FOREVER);
        let _ = kit.within(20, || calls::receive_strings(kit.own));
    }
    kit.held("")
}
