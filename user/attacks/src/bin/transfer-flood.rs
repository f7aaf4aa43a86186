//! More clients of the transfer service than slices, and none of them modest: in turn one transfers in a loop and never closes,
//! one opens and closes, one says what continues no transfer, one has as many pages of the server's filled as it can and keeps
//! them, one keeps its session and does nothing. The accomplice only
//! wants a session for one transfer, now and then, and tells how long it waited; its first thread's state tells the attacker
//! that it waits.
//!
//! Success would mean that somebody is kept out: that a session goes on with further transfers although somebody has been
//! waiting for a slice, that the accomplice waits longer than all those before it can take, or that the server has no page
//! left for its transfer. What stops it: ranks, the order of those
//! who wait, one session a client in some time, that nobody's session outlives its first transfer or its time while
//! another client waits, and each slice's share of the server's frames (docs/transfer-service.md; invariant 17).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::abyss::priority;
use freehold_attacks::messages::client::{self, Piece};
use freehold_attacks::protocol::answer::DONE;
use freehold_attacks::protocol::transfer::{
    ABORTED, FAULTED, NO_SERVER, OTHERS_WAIT, PERIOD, TIME, TIME_PER_PAGE, WAITING_MAX,
};
use freehold_attacks::rt::abi::info::State;
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::transfer::{Failure, Session};
use freehold_attacks::rt::utcb::Range;
use freehold_attacks::rt::{CapName, Message, Rights, calls, memory, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// Bytes of a request.
const BYTES: u32 = 2 * FRAME;
/// Where a page is seen many times over, and how often; the page behind is missing.
const MANY: u32 = 0x6880_0000;
const TIMES: u32 = 60;
/// Bytes of a request that needs as many pages of the server's, and one more.
const LARGE: u32 = (TIMES + 1) * FRAME;
/// Ticks that somebody must have waited before a further transfer counts: the pause between two sessions of the same client
/// and what it takes the manager to hear of it.
const HEARD: u32 = 5;
/// Ticks that nobody waits longer, with all others before it and one slice: each session's time, and its first transfer's.
const BOUND: u32 = (WAITING_MAX as u32 + 2) * 2 * (TIME + TIME_PER_PAGE * 2 + PERIOD);

attack!("transfer-flood", flood, wait);

/// What the attacker did.
#[derive(Default)]
struct Did {
    sessions: u32,
    refused: u32,
    transfers: u32,
    wrong: u32,
    nonsense: u32,
    yielded: u32,
    gorged: u32,
    /// Transfers that began while the accomplice had waited for long.
    overdue: u32,
}

fn flood(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.untried("there is no transfer service") };
    let Some(page) = memory::take(1, 1) else { return kit.untried("no memory") };
    let many = (0..TIMES).try_for_each(|time| memory::map(page, MANY + time * FRAME, Rights::NONE));
    if client::ground().is_err() || many.is_err() {
        return kit.untried("no memory");
    }
    let mut did = Did::default();
    for turn in kit.number.. {
        if kit.stopped() {
            break;
        }
        let opened = kit.within(200, || Session::open(service, if turn % 5 == 3 { LARGE } else { BYTES }, 1));
        let session = match opened {
            Ok(session) => session,
            Err(failure) => {
                did.refused += u32::from(failure == Failure::Refused);
                continue;
            }
        };
        did.sessions += 1;
        let Some(worker) = session.worker() else { continue };
        match turn % 5 {
            3 => gorge(kit, worker, &mut did),
            0 => insist(kit, &session, &mut did),
            1 => {}
            2 => {
                for offset in 0..100 {
                    did.nonsense += u32::from(Piece::new(worker, 1 + offset, BYTES).say().is_ok());
                }
            }
            _ => {
                kit.pause(TIME / 4);
            }
        }
        let _ = session.close();
    }
    kit.tries = did.sessions + did.refused + did.transfers + did.nonsense;
    kit.successes = did.overdue;
    let detail = format!(
        "{} sessions, {} refused, {} transfers ({} wrong), {} pieces of nonsense, gave way {} times, {} times many pages, {} transfers overdue",
        did.sessions,
        did.refused,
        did.transfers,
        did.wrong,
        did.nonsense,
        did.yielded,
        did.gorged,
        did.overdue
    );
    match kit.successes {
        0 if did.sessions == 0 => kit.untried(format!("the service was never reached: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

/// Sends what needs many of the server's pages, and does not let it come to an end.
fn gorge(kit: &mut Kit, worker: CapName, did: &mut Did) {
    let range = Range { address: MANY, bytes: LARGE, writable: false };
    let piece = Piece { ranges: [range; 2], ..Piece::new(worker, 0, LARGE) };
    if piece.say().is_ok_and(|answer| answer.label() == FAULTED) {
        did.gorged += 1;
    }
    kit.pause(TIME / 4);
}

/// Transfers as long as it is let.
fn insist(kit: &mut Kit, session: &Session, did: &mut Did) {
    let Some(worker) = session.worker() else { return };
    let mut waits_since = None;
    while !kit.stopped() {
        // The accomplice calls nobody but the manager, and sleeps in between.
        let waits =
            calls::thread_info(kit.partner_thread).is_ok_and(|info| info.state == State::AwaitingReply);
        let since = if waits { *waits_since.get_or_insert(time::ticks()) } else { time::ticks() };
        if !waits {
            waits_since = None;
        }
        let is_overdue = time::ticks().wrapping_sub(since) > HEARD;
        if client::transfers(session, BYTES) {
            did.transfers += 1;
            did.overdue += u32::from(is_overdue && waits);
            continue;
        }
        // It was not carried: because others wait, or because the session is over.
        match Piece::new(worker, 0, BYTES).say() {
            Ok(answer) if answer.label() == ABORTED && answer.word(0) == OTHERS_WAIT => did.yielded += 1,
            Ok(_) => did.wrong += 1,
            Err(_) => {}
        }
        return;
    }
}

/// The worker that the accomplice's second thread is to have carry something; the answer's label and reason, one higher.
static TRANSFER: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// The accomplice: wants a session, has a request carried, gives it back.
fn wait(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.untried("there is no transfer service") };
    // Its first thread calls nobody but the manager.
    if client::ground().is_err() || thread::spawn(carry, 0, Options::new(priority())).is_err() {
        return kit.untried("no memory");
    }
    let (mut asked, mut longest, mut refused, mut carried, mut without) = (0, 0, 0, 0, 0);
    while !kit.stopped() {
        asked += 1;
        let begin = time::ticks();
        let opened = Session::open(service, BYTES, 1);
        longest = longest.max(time::ticks().wrapping_sub(begin));
        match opened {
            Ok(session) => {
                TRANSFER[1].store(0, Ordering::Relaxed);
                TRANSFER[0].store(session.worker().map_or(0, |worker| worker.0), Ordering::Relaxed);
                while TRANSFER[1].load(Ordering::Relaxed) == 0 && !kit.pause(1) {}
                let came = [1, 2].map(|word| TRANSFER[word].load(Ordering::Relaxed));
                carried += u32::from(came[0] == 1 + u32::from(DONE));
                without += u32::from(came == [1 + u32::from(ABORTED), NO_SERVER]);
                let _ = session.close();
            }
            Err(_) => refused += 1,
        }
        kit.pause(3);
    }
    kit.successes = without + u32::from(longest > BOUND);
    let detail = format!(
        "asked {asked} times, refused {refused}, waited {longest} of {BOUND} ms, {carried} transfers, {without} for which the server had no page"
    );
    if kit.successes == 0 { kit.held(detail) } else { kit.broken(detail) }
}

/// The accomplice's second thread.
fn carry(_: u32) {
    loop {
        match TRANSFER[0].swap(0, Ordering::Relaxed) {
            0 => time::sleep(1),
            worker => {
                // A session that is over by now is no lack of pages.
                let answer = Piece::new(CapName(worker), 0, BYTES).say().unwrap_or(Message::new(u16::MAX));
                TRANSFER[2].store(answer.word(0), Ordering::Relaxed);
                TRANSFER[1].store(1 + u32::from(answer.label()), Ordering::Relaxed);
            }
        }
    }
}
