//! Work that its thread does not finish: a tick falls into it, and the thread is stopped there.
//!
//! What must hold: time is that of the instructions, so that each try begins the work at another place in a tick. How
//! many tries it takes is the ticks' affair, so nothing in one is a check that counts.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::{calls, time};

use crate::home::Home;
use crate::worker::{BELOW, Worker};

/// Cycles of a tick.
const TICK: u32 = 1_000_000;
/// From one place to the next: a work that is to be caught takes several times as long.
const STEP: u32 = 8_000;
/// Places that are tried, beginning with the last in the tick.
const PLACES: u32 = 60;

static BEGUN: AtomicU32 = AtomicU32::new(0);
static PLACE: AtomicU32 = AtomicU32::new(0);
static WORK: AtomicU32 = AtomicU32::new(0);

fn cycles() -> u32 {
    let low;
    // SAFETY: reads a counter.
    unsafe { asm!("rdtsc", out("eax") low, out("edx") _, options(nomem, nostack)) };
    low
}

fn begin(argument: u32) {
    let tick = time::ticks();
    while time::ticks() == tick {}
    let begin = cycles();
    BEGUN.store(1, Ordering::SeqCst);
    while cycles().wrapping_sub(begin) < TICK - PLACE.load(Ordering::SeqCst) * STEP {}
    // SAFETY: `stop` put a function of this type there.
    let work: fn(u32) = unsafe { core::mem::transmute(WORK.load(Ordering::SeqCst)) };
    work(argument);
}

/// Lets a thread below do `work`, and stops it at a tick that falls into it or near it, until it was `caught`. What
/// `prepare` does comes before each try. Returns whether it was.
///
/// # Panics
/// If the thread cannot be stopped.
pub fn stop(
    work: fn(u32),
    argument: u32,
    mut prepare: impl FnMut(),
    mut caught: impl FnMut() -> bool,
) -> bool {
    let worker = Worker::new(&Home::own(), BELOW);
    WORK.store(work as usize as u32, Ordering::SeqCst);
    (1..=PLACES).any(|place| {
        prepare();
        BEGUN.store(0, Ordering::SeqCst);
        PLACE.store(place, Ordering::SeqCst);
        worker.start(begin, argument);
        while BEGUN.load(Ordering::SeqCst) == 0 {
            time::sleep(1);
        }
        calls::stop_thread(worker.name()).expect("a thread");
        caught()
    })
}
