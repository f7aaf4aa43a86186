//! Timers without number, all for one tick: as many threads as the program's memory allows, up to 10,000, wait with time limits
//! that pass at the same moment, again and again.
//!
//! Success would mean that the tick is dealt with in one go, interrupts off: that the kernel did more than 64 units between two
//! checks, or that ticks were lost. (Whether whoever is above is late, the victim tells.) What stops it: the wheel expires only
//! as many as a budget of units allows, and stays behind otherwise (invariant 9).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::clock::{self, Clock};
use freehold_attacks::messages::crowd::{self, MOST, Member};
use freehold_attacks::rt::abi::Call;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, calls, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// Ticks between two moments: enough for all to wait again.
const ROUND: u32 = 64;
/// Ticks that are too short for a thread to come to wait.
const SHORT: u32 = 2;

/// The notification that nobody signals; limits that passed; waits that ended otherwise; whether it is time to end.
static WAITED: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

attack!("timer-flood", run, run);

fn run(kit: &mut Kit) -> Evidence {
    let Some(nothing) = Slot::take() else { return kit.untried("no slot") };
    if calls::make_notification(nothing.reference()).is_err() {
        return kit.untried("no notification");
    }
    WAITED[0].store(nothing.name().0, Ordering::Relaxed);
    let clock = Clock::new();
    let timers = crowd::gather(MOST, wait);
    while !kit.pause(ROUND) {}
    WAITED[3].store(1, Ordering::Relaxed);
    let ((lost, due), (units, too_many)) = (clock.lost(), clock::units());
    kit.tries = WAITED[1].load(Ordering::Relaxed);
    // What the clock is not exact to within.
    kit.successes = u32::from(too_many) + if lost > 1 + due / 200 { lost } else { 0 };
    let detail = format!(
        "{timers} timers, {} passed, {} otherwise, at most {units} units in one go, {lost} of {due} ticks lost",
        kit.tries,
        WAITED[2].load(Ordering::Relaxed)
    );
    match kit.successes {
        0 if kit.tries < timers => kit.untried(format!("no time to let them pass: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

fn wait(member: Member) {
    let nothing = CapName(WAITED[0].load(Ordering::Relaxed));
    while WAITED[3].load(Ordering::Relaxed) == 0 {
        let now = time::ticks();
        let left = ROUND - now % ROUND;
        member.limits(0, if left < SHORT { left + ROUND } else { left });
        let ended = member.call(Call::Receive, nothing);
        WAITED[if ended == Error::Timeout as u32 { 1 } else { 2 }].fetch_add(1, Ordering::Relaxed);
    }
}
