//! How long a thread of high priority waits for the processor while another one, of low priority, takes mappings back:
//! `latency.revoke.N`, by how many there are.
//!
//! The thread above waits for a time limit, again and again, and looks at the cycle counter. On an idle machine it wakes at
//! every second tick, to the instruction; by how much it comes later than that is the delay, whatever ticks were lost. The
//! thread below begins to revoke so long before such a tick that it is in the middle: each round at another place.

use alloc::format;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::CapName;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::notification;
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::random::Random;
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{Utcb, calls, time};

use super::tree::Tree;
use crate::measure::{plain, wanted};
use crate::seed;

/// Mappings of the page.
const COUNTS: [u32; 6] = [1, 16, 256, 4096, 16384, 65536];
/// Rounds, each with the tick elsewhere: of few mappings, and of many.
const ROUNDS: [u32; 2] = [32, 12];
const MANY: u32 = 10_000;
/// Waits at the beginning, while nothing disturbs.
const QUIET: u32 = 8;

/// The tick, as the interval timer is set: so many of its steps, of which a second has so many; and the instructions that
/// a second has.
const STEPS: u64 = 1193;
const STEPS_HZ: u64 = 1_193_182;
const HZ: u64 = 1_000_000_000;
/// Ticks that a limit of one comes to.
const TICKS: u64 = 2;
/// Instructions from one wake to the next.
const PERIOD: u32 = (TICKS * STEPS * HZ / STEPS_HZ) as u32;
/// More than the ways to a wake differ by.
const SLACK: u64 = 1000;

/// When the thread above woke last, modulo 2³²; the longest delay; how often it woke.
static WOKE: AtomicU32 = AtomicU32::new(0);
static LONGEST: AtomicU32 = AtomicU32::new(0);
static WAKES: AtomicU32 = AtomicU32::new(0);

/// `latency.revoke.*`.
pub fn run() {
    let names = COUNTS.map(|count| (format!("latency.revoke.{count}"), count));
    if !names.iter().any(|(name, _)| wanted(name)) {
        return;
    }
    let ready = notification();
    let watcher = Worker::spawn(&Home::own(), ABOVE, watch, ready.name().0);
    // Without a limit, so that no other wait ends at the same ticks.
    let heard = Utcb::current().within((FOREVER, FOREVER), || calls::wait(ready.name()));
    check_eq!(heard, Ok(1));
    for (name, count) in names.iter().filter(|(name, _)| wanted(name)) {
        measure(name, *count);
    }
    check!(!watcher.has_ended());
}

/// Waits for ticks, and notes by how much it wakes late.
fn watch(ready: u32) {
    // Nobody disturbs yet: from the last of these wakes all others are a whole number of ticks.
    (0..QUIET).for_each(|_| time::sleep(1));
    let origin = time::cycles();
    let told = calls::notify(CapName(ready), 1);
    let mut began = 0;
    while told.is_ok() {
        time::sleep(1);
        let woke = time::cycles() - origin;
        // The tick in which the wait began, and the time of the one that ends it.
        let tick = (began + SLACK) * STEPS_HZ / (STEPS * HZ);
        let due = (tick + TICKS) * STEPS * HZ / STEPS_HZ;
        LONGEST.fetch_max(woke.saturating_sub(due) as u32, Ordering::Relaxed);
        WOKE.store((woke + origin) as u32, Ordering::Relaxed);
        WAKES.fetch_add(1, Ordering::Relaxed);
        began = woke;
    }
}

fn now() -> u32 {
    time::cycles() as u32
}

/// Waits until the thread above has woken so often.
fn wakes(count: u32) {
    let before = WAKES.load(Ordering::Relaxed);
    while WAKES.load(Ordering::Relaxed).wrapping_sub(before) < count {
        time::sleep(1);
    }
}

fn measure(name: &str, count: u32) {
    let (tree, probe) = (Tree::new(count, 1), Probe::new(&Home::own(), 0));
    let rounds = ROUNDS[usize::from(count > MANY)];
    let mut delays = Vec::with_capacity(rounds as usize);
    let mut random = Random::new(count + seed::jitter(1 << 20));
    let mut length = 0;
    for round in 0..=rounds {
        tree.build();
        wakes(1);
        // The first round tells how long the work takes. Each other one begins in another part of that before a wake.
        if round > 0 {
            let part = length.min(PERIOD / 2) / rounds;
            let lead = part * (round - 1) + random.below(part + 1);
            spin_until(WOKE.load(Ordering::Relaxed).wrapping_add(PERIOD - lead));
        }
        LONGEST.store(0, Ordering::Relaxed);
        let begin = now();
        let all = tree.revoke();
        let taken = now().wrapping_sub(begin);
        check!(all, "{name}");
        wakes(1);
        tree.must_be_gone(&probe);
        match round {
            0 => length = taken,
            _ => delays.push(LONGEST.load(Ordering::Relaxed)),
        }
    }
    plain(name, "instructions", &mut delays, None);
}

fn spin_until(time: u32) {
    while (time.wrapping_sub(now()) as i32) > 0 {}
}
