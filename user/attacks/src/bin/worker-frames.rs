//! The frames that a transfer worker stands on, taken back at every stage: before a transfer, when the request's page is
//! missing, while it copies, calls the server's pager or the server, when the reply's page is missing, after a transfer;
//! both frames, the thread's, the UTCB's, or only the capability to them.
//!
//! Success would mean that the service depends on its client's frames: its manager does not answer any more, somebody waits
//! for a worker that is gone, the frames do not come back, or they show what the worker left there. What stops it: workers
//! take no lock and write only their UTCB and their slice; the manager touches neither; who waits for a thread that ends
//! learns so; frames are cleared before they change owner (invariants 15, 17, 19).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::client::{self, BYTES, Piece, REPLY, REQUEST};
use freehold_attacks::protocol::transfer::{FAULTED, REPLY_FAULTED};
use freehold_attacks::rt::abi::info::State;
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::thread::{self, Options, Thread};
use freehold_attacks::rt::transfer::{Session, cancel};
use freehold_attacks::rt::utcb::Range;
use freehold_attacks::rt::{CapName, Error, Rights, SlotRef, calls, memory, time};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

/// Milliseconds in which the manager answers what it can answer at once, and a caller learns that its worker is gone.
const SOON: u32 = 100;
/// Priority of the worker, and of the thread that keeps it at work: the attacker's first thread strikes when its time has come,
/// wherever they are.
const BELOW: u8 = 0;
/// Where frames are looked at that came back.
const LOOK: u32 = 0x6820_0000;

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opened,
    Request,
    Copying,
    Reply,
    Complete,
}

/// In the middle of a transfer more often: there it can be anywhere.
const STAGES: [Stage; 8] = [
    Stage::Opened,
    Stage::Copying,
    Stage::Request,
    Stage::Copying,
    Stage::Copying,
    Stage::Reply,
    Stage::Copying,
    Stage::Complete,
];

/// What.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strike {
    Frames,
    Thread,
    Utcb,
    Capability,
}

const STRIKES: [Strike; 4] = [Strike::Frames, Strike::Thread, Strike::Utcb, Strike::Capability];

/// Of the thread that keeps a worker at work: worker's name (0: none), notification, calls made, whether it is in one.
static BUSY: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

attack!("worker-frames", run, idle);

/// What came of it.
#[derive(Default)]
struct Toll {
    struck: u32,
    at_work: u32,
    not_reached: u32,
    not_served: u32,
    silent: u32,
    stuck: u32,
    lost: u32,
    residue: u32,
    wrong: u32,
    last: Option<(Stage, Strike)>,
}

fn run(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.untried("there is no transfer service") };
    let Some(bell) = Slot::take() else { return kit.untried("no slot") };
    let made = calls::make_notification(bell.reference());
    BUSY[1].store(bell.name().0, Ordering::Relaxed);
    let busy = thread::spawn(work, 0, Options::new(BELOW));
    let (Ok(()), Ok(()), Ok(busy)) = (made, client::ground(), busy) else {
        return kit.untried("no memory");
    };
    let mut toll = Toll::default();
    'all: loop {
        for (stage, strike) in STAGES.into_iter().flat_map(|stage| STRIKES.map(|strike| (stage, strike))) {
            if kit.stopped() {
                break 'all;
            }
            let before = (toll.silent, toll.stuck, toll.lost, toll.residue, toll.wrong);
            strike_at(kit, service, &busy, (stage, strike), &mut toll);
            if before != (toll.silent, toll.stuck, toll.lost, toll.residue, toll.wrong) {
                toll.last = Some((stage, strike));
            }
            if toll.silent != 0 {
                // Nobody answers any more: there is nothing left to be tried.
                while !kit.pause(100) {}
                break 'all;
            }
        }
    }
    kit.tries = toll.struck;
    kit.successes = toll.silent + toll.stuck + toll.lost + toll.residue + toll.wrong;
    let detail = format!(
        "struck {}, {} of them at work, not reached {}, no session {}; manager silent {}, callers stuck {}, frames lost {}, residue {}, wrong {} {:?}",
        toll.struck,
        toll.at_work,
        toll.not_reached,
        toll.not_served,
        toll.silent,
        toll.stuck,
        toll.lost,
        toll.residue,
        toll.wrong,
        toll.last
    );
    match kit.successes {
        0 if toll.struck == 0 => kit.untried(format!("no session: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

/// Opens a session, brings its worker to a stage, and strikes.
fn strike_at(
    kit: &mut Kit,
    service: CapName,
    busy: &Thread,
    (stage, strike): (Stage, Strike),
    toll: &mut Toll,
) {
    let before = memory::free_frames();
    let session = match kit.within(10 * SOON, || Session::open(service, BYTES, BELOW)) {
        Ok(session) => session,
        Err(_) => return toll.not_served += 1,
    };
    let (Some(worker), Some(frames)) = (session.worker(), session.frames()) else { return };
    if reach(kit, stage, worker) {
        toll.struck += 1;
        toll.at_work += u32::from(stage == Stage::Copying);
        let _ = match strike {
            Strike::Frames => calls::reclaim(frames, 0, 2).map_err(|stop| stop.error),
            Strike::Thread => calls::reclaim(frames, 0, 1).map_err(|stop| stop.error),
            Strike::Utcb => calls::reclaim(frames, 1, 1).map_err(|stop| stop.error),
            Strike::Capability => calls::revoke(SlotRef::own(frames)),
        };
        // The manager is above this program, and waits for nobody but the server's pager.
        if let Err(Error::Timeout) = kit.within(SOON, || cancel(service)) {
            toll.silent += 1;
        }
    } else {
        toll.not_reached += 1;
    }
    BUSY[0].store(0, Ordering::Relaxed);
    if kit.within(2 * SOON, || session.close()).is_err() {
        toll.lost += 1;
    }
    let waits = |state| matches!(state, State::Calling | State::AwaitingReply);
    let is_stuck = || calls::thread_info(busy.name()).is_ok_and(|info| waits(info.state));
    if toll.silent == 0 && (0..SOON).all(|_| is_stuck() && !kit.pause(1)) {
        toll.stuck += 1;
    }
    while BUSY[3].load(Ordering::Relaxed) != 0 && !kit.pause(1) {}
    toll.lost += u32::from(memory::free_frames() != before);
    toll.residue += u32::from(!are_clear());
    // What it can have afterwards, if nobody else has it: a session whose transfer is right.
    if toll.silent == 0
        && let Ok(session) = kit.within(10 * SOON, || Session::open(service, BYTES, BELOW))
    {
        let is_right = client::transfers(&session, BYTES);
        let is_over = session.close().is_err();
        // Its time may have run out in between, if others wait.
        toll.wrong += u32::from(!is_right && !is_over && kit.attackers == 1 && !kit.stopped());
    }
}

/// Brings a worker to a stage.
fn reach(kit: &mut Kit, stage: Stage, worker: CapName) -> bool {
    let range = |address, writable| Range { address, bytes: BYTES, writable };
    let told = |ranges| Piece { ranges, ..Piece::new(worker, 0, BYTES) }.say().map(|answer| answer.label());
    match stage {
        Stage::Opened => true,
        Stage::Request => told([range(REQUEST + FRAME, false), range(REPLY, true)]) == Ok(FAULTED),
        Stage::Reply => told([range(REQUEST, false), range(REPLY + FRAME, true)]) == Ok(REPLY_FAULTED),
        Stage::Complete => told([range(REQUEST, false), range(REPLY, true)]).is_ok(),
        Stage::Copying => {
            // The tick that ends the sleep finds them wherever they are, so many instructions behind their beginning.
            let spins = kit.random() % 50_000;
            (0..spins).for_each(|_| core::hint::spin_loop());
            BUSY[0].store(worker.0, Ordering::Relaxed);
            let _ = calls::notify(CapName(BUSY[1].load(Ordering::Relaxed)), 1);
            time::sleep(1);
            BUSY[3].load(Ordering::Relaxed) != 0
        }
    }
}

/// The thread that keeps a worker at work.
fn work(_: u32) {
    while let Ok(_) | Err(Error::Canceled) = calls::wait(CapName(BUSY[1].load(Ordering::Relaxed))) {
        while let name @ 1.. = BUSY[0].load(Ordering::Relaxed) {
            BUSY[3].store(1, Ordering::Relaxed);
            let said = Piece::new(CapName(name), 0, BYTES).say();
            BUSY[2].fetch_add(1, Ordering::Relaxed);
            if said.is_err() {
                break;
            }
        }
        BUSY[3].store(0, Ordering::Relaxed);
    }
}

/// Whether the next two free frames, which most likely are those that came back, are clear.
fn are_clear() -> bool {
    let Some(frames) = memory::take(2, 1) else { return true };
    let is_clear = memory::map(frames, LOOK, Rights::NONE).is_err()
        || (LOOK..LOOK + 2 * FRAME).all(|address| client::byte(address) == 0);
    let _ = memory::release(frames);
    is_clear
}
