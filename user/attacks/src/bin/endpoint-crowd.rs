//! The end of an endpoint on which as many wait as the program's memory allows, up to 10,000 threads: half of them send, half
//! call. It is deleted, all are woken, it is made anew, all wait again.
//!
//! Success would mean that the end of an object takes as long as whoever owns it likes, interrupts off: that the kernel did
//! more than 64 units between two checks, or that ticks were lost. (Whether whoever is above is late, the victim tells.) What
//! stops it: a waiter is a few units, deleting is interrupted after 64 of them and goes on later (invariant 9), and the object
//! is dying meanwhile, so that nobody can join the queue.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::clock::{self, Clock};
use freehold_attacks::messages::crowd::{self, MOST, Member};
use freehold_attacks::rt::abi::Call;
use freehold_attacks::rt::abi::layout::FOREVER;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, calls, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// The endpoint; a notification that nobody signals; threads on their way to wait; waits that ended; whether it is time to
/// end.
static CROWD: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];
const ENDPOINT: usize = 0;
const NOTHING: usize = 1;
const WAITING: usize = 2;
const WOKEN: usize = 3;
const OVER: usize = 4;

attack!("endpoint-crowd", run, run);

fn get(what: usize) -> u32 {
    CROWD[what].load(Ordering::Relaxed)
}

fn run(kit: &mut Kit) -> Evidence {
    let (Some(endpoint), Some(nothing)) = (Slot::take(), Slot::take()) else {
        return kit.untried("no slot");
    };
    let made = calls::make_endpoint(endpoint.reference()).and(calls::make_notification(nothing.reference()));
    if made.is_err() {
        return kit.untried("no endpoint");
    }
    CROWD[ENDPOINT].store(endpoint.name().0, Ordering::Relaxed);
    CROWD[NOTHING].store(nothing.name().0, Ordering::Relaxed);
    let clock = Clock::new();
    let crowd = crowd::gather(MOST, wait);
    let mut longest = 0;
    while !kit.pause(1) {
        if get(WAITING) < crowd {
            continue;
        }
        // The last one may have said so and not yet done so.
        if kit.pause(2) {
            break;
        }
        CROWD[WAITING].store(0, Ordering::Relaxed);
        let begin = time::cycles();
        let deleted = calls::delete(endpoint.reference());
        longest = longest.max((time::cycles() - begin) as u32);
        kit.tries += 1;
        if deleted.and_then(|()| calls::make_endpoint(endpoint.reference())).is_err() {
            break;
        }
    }
    CROWD[OVER].store(1, Ordering::Relaxed);
    let ((lost, due), (units, too_many)) = (clock.lost(), clock::units());
    kit.successes = u32::from(too_many) + if lost > 1 + due / 200 { lost } else { 0 };
    let detail = format!(
        "{crowd} waiters, {} woken, the longest end {longest} cycles, at most {units} units in one go, {lost} of {due} ticks lost",
        get(WOKEN)
    );
    match kit.successes {
        0 if kit.tries == 0 || crowd == 0 => kit.untried(format!("no time to let them wait: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

fn wait(member: Member) {
    let (endpoint, nothing) = (CapName(get(ENDPOINT)), CapName(get(NOTHING)));
    let call = if member.index().is_multiple_of(2) { Call::Send } else { Call::Call };
    while get(OVER) == 0 {
        CROWD[WAITING].fetch_add(1, Ordering::Relaxed);
        member.limits(FOREVER, FOREVER);
        if member.call(call, endpoint) == Error::Canceled as u32 {
            CROWD[WOKEN].fetch_add(1, Ordering::Relaxed);
        } else {
            // It was not there to be waited on.
            CROWD[WAITING].fetch_sub(1, Ordering::Relaxed);
        }
        // Until it is made anew.
        member.limits(0, 1);
        member.call(Call::Receive, nothing);
    }
}
