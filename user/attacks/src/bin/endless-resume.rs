//! A client of the transfer service that resumes for ever: a page of its request is missing, it is told so, and goes on without
//! touching it, over and over; when the transfer is aborted, it begins another one, of which a page of the room for the reply
//! is missing, and does the same.
//!
//! Success would mean that it can do so without end: that one transfer is resumed more often than a client needs that lets its
//! pages be (twice for each page, and 8 times), or that a session lives for much longer than its time. What stops it:
//! the budgets of the worker and of the manager (docs/transfer-service.md; invariant 17).

#![no_std]
#![no_main]

use freehold_attacks::messages::client::{self, PAGES, Piece, REPLY, REQUEST};
use freehold_attacks::protocol::transfer::{
    ABORTED, FAULTED, PERIOD, REPLY_FAULTED, RESUMED_TOO_OFTEN, TIME, TIME_PER_PAGE,
};
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::transfer::Session;
use freehold_attacks::rt::utcb::Range;
use freehold_attacks::rt::{CapName, time};
use freehold_attacks::{Evidence, Kit, Role, attack, format};

/// Pages of a transfer, the last of which is missing.
const WANTED: u32 = PAGES + 1;
/// Resumptions that a transfer may take: of the request, or of the reply.
const ALLOWED: u32 = 2 * WANTED + 8;
/// Ticks that a session may live, with room for noticing: the manager looks now and then, and this program has the lowest
/// priority of all.
const LIFE: u32 = 2 * (TIME + TIME_PER_PAGE * WANTED + PERIOD);

attack!("endless-resume", run, run);

/// What came of it.
#[derive(Default)]
struct Seen {
    sessions: u32,
    aborted: u32,
    too_often: u32,
    most: u32,
    oldest: u32,
    otherwise: u32,
    reason: u32,
}

fn run(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.untried("there is no transfer service") };
    if client::ground().is_err() {
        return kit.untried("no memory");
    }
    let mut seen = Seen::default();
    while !kit.stopped() {
        let opened = kit.within(200, || Session::open(service, WANTED * FRAME, 1));
        let Ok(session) = opened else { continue };
        seen.sessions += 1;
        let begin = time::ticks();
        // Request and reply in turn.
        let mut turn = 0_u32;
        while let Some(worker) = session.worker()
            && !kit.stopped()
            && resume(kit, worker, turn.is_multiple_of(2), &mut seen)
        {
            turn += 1;
            seen.oldest = seen.oldest.max(time::ticks().wrapping_sub(begin));
        }
        // The service may have taken the frames apart already.
        let _ = session.close();
    }
    kit.successes = seen.too_often + u32::from(seen.oldest > LIFE);
    let detail = format!(
        "{} sessions, {} transfers aborted for it, one resumed {} times of {ALLOWED}, {} too often; oldest session {} of {LIFE} ms; otherwise {} (reason {})",
        seen.sessions, seen.aborted, seen.most, seen.too_often, seen.oldest, seen.otherwise, seen.reason
    );
    match kit.successes {
        0 if seen.most == 0 && kit.role == Role::Attacker => {
            kit.untried(format!("no transfer was stopped by a page: {detail}"))
        }
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

/// Resumes a transfer until it is aborted. `false`: the session is over.
fn resume(kit: &mut Kit, worker: CapName, of_request: bool, seen: &mut Seen) -> bool {
    let total = if of_request { WANTED * FRAME } else { PAGES * FRAME };
    let range = |address, bytes, writable| Range { address, bytes, writable };
    // A reply of as many bytes, whose room begins so late that its last page is not there.
    let ranges =
        [range(REQUEST, total, false), range(REPLY + if of_request { 0 } else { FRAME }, total, true)];
    let mut piece = Piece { ranges, ..Piece::new(worker, 0, total) };
    let mut resumed = 0;
    loop {
        let Ok(answer) = kit.within(200, || piece.say()) else { return false };
        kit.tries += 1;
        match answer.label() {
            FAULTED => piece = Piece { ranges, ..Piece::new(worker, answer.word(1), total) },
            REPLY_FAULTED => piece = Piece { ranges, ..Piece::rest(worker, answer.word(1), total) },
            ABORTED => {
                seen.aborted += u32::from(answer.word(0) == RESUMED_TOO_OFTEN);
                if answer.word(0) != RESUMED_TOO_OFTEN {
                    seen.otherwise += 1;
                    seen.reason = answer.word(0);
                }
                return answer.word(0) == RESUMED_TOO_OFTEN;
            }
            _ => {
                seen.otherwise += 1;
                return false;
            }
        }
        resumed += 1;
        seen.most = seen.most.max(resumed);
        // Of the two budgets one is enough, but no more than both.
        if resumed > 2 * ALLOWED {
            seen.too_often += 1;
            if kit.stopped() {
                return false;
            }
        }
    }
}
