//! Another order, another layout, other times: `seed=S` on the command line.
//!
//! What must hold: without a seed nothing of this happens, and one seed makes the same disorder each time. The first part
//! stays the first, since it may be about being the first.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_guest_tests::random::Random;
use freehold_guest_tests::scenario::Part;
use freehold_rt::{memory, slots};

/// Most runs of frames that are taken, and most frames of each.
const RUNS: u32 = 48;
const RUN: u32 = 7;
/// Most slots that are taken.
const SLOTS: u32 = 64;
/// Directory indices by which [`shift`] moves things, at most.
const SHIFTS: u32 = 16;

static SHIFT: AtomicU32 = AtomicU32::new(0);
/// What [`jitter`] drew last; 0: there is no seed.
static DRAWN: AtomicU32 = AtomicU32::new(0);

/// Takes some frames and slots for good, chooses where what is measured lies, and puts the parts into another order.
pub fn disorder(seed: u32, parts: &[Part]) -> Vec<Part> {
    // Seeds that differ by one begin far apart.
    let mut random = Random::new(seed.wrapping_mul(0x9E37_79B9) | 1);
    for _ in 0..random.below(RUNS) {
        let frames = memory::take(1 + random.below(RUN), 1);
        assert!(frames.is_some(), "memory for disorder");
    }
    for _ in 0..random.below(SLOTS) {
        assert!(slots::take().is_some(), "slots for disorder");
    }
    SHIFT.store(random.below(SHIFTS), Ordering::Relaxed);
    let mut parts = parts.to_vec();
    for last in (2..parts.len()).rev() {
        parts.swap(last, 1 + random.below(last as u32) as usize);
    }
    DRAWN.store(random.word(), Ordering::Relaxed);
    parts
}

/// A number below `end`, another one each time; without a seed 0.
pub fn jitter(end: u32) -> u32 {
    match DRAWN.load(Ordering::Relaxed) {
        0 => 0,
        drawn => {
            let mut random = Random::new(drawn);
            let number = random.below(end);
            DRAWN.store(random.word(), Ordering::Relaxed);
            number
        }
    }
}

/// By how many directory indices what is measured lies elsewhere.
pub fn shift() -> u32 {
    SHIFT.load(Ordering::Relaxed)
}
