//! More clients of the transfer service than slices, and none of them modest: in turn one transfers in a loop and never closes,
//! one opens and closes, one says what continues no transfer, one keeps its session and does nothing. The accomplice only
//! wants a session, now and then, and tells how long it waited; its first thread's state tells the attacker that it waits.
//!
//! Success would mean that somebody is kept out: that a session goes on with further transfers although somebody has been
//! waiting for a slice, or that the accomplice waits longer than all those before it can take. What stops it: the order of those
//! who wait, one session a client in some time, and that nobody's session outlives its first transfer or its time while
//! another client waits (docs/transfer-service.md; invariant 17).

#![no_std]
#![no_main]

use freehold_attacks::messages::client::{self, Piece};
use freehold_attacks::protocol::transfer::{ABORTED, OTHERS_WAIT, PERIOD, TIME, TIME_PER_PAGE, WAITING_MAX};
use freehold_attacks::rt::abi::info::State;
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::transfer::{Failure, Session};
use freehold_attacks::rt::{CapName, calls, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// Bytes of a request.
const BYTES: u32 = 2 * FRAME;
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
    /// Transfers that began while the accomplice had waited for long.
    overdue: u32,
}

fn flood(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.impossible("there is no transfer service") };
    if client::ground().is_err() {
        return kit.impossible("no memory");
    }
    let mut did = Did::default();
    for turn in kit.number.. {
        if kit.stopped() {
            break;
        }
        let opened = kit.within(200, || Session::open(service, BYTES, 1));
        kit.tries += 1;
        let session = match opened {
            Ok(session) => session,
            Err(failure) => {
                did.refused += u32::from(failure == Failure::Refused);
                continue;
            }
        };
        did.sessions += 1;
        let Some(worker) = session.worker() else { continue };
        match turn % 4 {
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
    kit.tries += did.transfers + did.nonsense;
    kit.successes = did.overdue;
    let detail = format!(
        "{} sessions, {} refused, {} transfers ({} wrong), {} pieces of nonsense, gave way {} times, {} transfers overdue",
        did.sessions, did.refused, did.transfers, did.wrong, did.nonsense, did.yielded, did.overdue
    );
    match kit.successes {
        0 if kit.tries == 0 => kit.impossible(format!("the service was never reached: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

/// Transfers as long as it is let.
fn insist(kit: &mut Kit, session: &Session, did: &mut Did) {
    let Some(worker) = session.worker() else { return };
    let mut waits_since = None;
    while !kit.stopped() {
        // The accomplice calls nobody but the manager, and sleeps in between.
        let waits = calls::thread_info(kit.partner_thread).is_ok_and(|info| info.state == State::AwaitingReply);
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

/// The accomplice: wants a session, keeps it for a moment, gives it back.
fn wait(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.impossible("there is no transfer service") };
    let (mut longest, mut refused) = (0, 0);
    while !kit.stopped() {
        kit.tries += 1;
        let waited = ask(service, &mut refused);
        longest = longest.max(waited);
        kit.successes += u32::from(waited > BOUND);
        kit.pause(3);
    }
    let detail = format!("asked {} times, refused {refused}, waited {longest} of {BOUND} ms", kit.tries);
    if kit.successes == 0 { kit.held(detail) } else { kit.broken(detail) }
}

/// Ticks until the answer came.
fn ask(service: CapName, refused: &mut u32) -> u32 {
    let begin = time::ticks();
    let opened = Session::open(service, BYTES, 1);
    let waited = time::ticks().wrapping_sub(begin);
    match opened {
        Ok(session) => {
            time::sleep(2);
            let _ = session.close();
        }
        Err(_) => *refused += 1,
    }
    waited
}
