//! How long interrupts were off, as far as a program without privilege can tell: by the ticks that the machine lost, and by
//! the kernel's own count of units between two checks.

use freehold_rt::abi::info::Kernel;
use freehold_rt::abi::layout::UNITS;
use freehold_rt::{calls, time};

/// Ticks of the measurement of a tick.
const CALIBRATION: u32 = 8;
/// Cycles between two looks at the clock, at most, if no other thread ran in between: 0.2 % of a tick.
const TOGETHER: u64 = 2000;

/// Waits until a tick of `period` cycles has no more than `left` of them.
pub fn near_the_end(period: u32, left: u32) {
    let (_, begin) = edge();
    while time::cycles() - begin < period.saturating_sub(left).into() {}
}

/// A clock that was set when all was quiet.
pub struct Clock {
    /// Cycles of a tick.
    period: u64,
    ticks: u32,
    cycles: u64,
}

/// Waits for the end of a tick that it sees; the next one, and the cycle counter just behind it. One that passes while another
/// thread runs is none: when it was, nobody could tell.
fn edge() -> (u32, u64) {
    let (mut begin, mut before) = (time::cycles(), time::ticks());
    loop {
        let middle = time::cycles();
        let (now, end) = (time::ticks(), time::cycles());
        if now != before && end - begin < TOGETHER {
            return (now, end);
        }
        (begin, before) = (middle, now);
    }
}

impl Clock {
    /// Sets it.
    pub fn new() -> Clock {
        // The shortest of several: whoever is above computes in between, and makes some look longer.
        let mut period = u64::MAX;
        let (mut tick, mut cycles) = edge();
        let mut measured = 0;
        while measured < CALIBRATION {
            let (next, then) = edge();
            if next.wrapping_sub(tick) == 1 {
                period = period.min(then - cycles);
                measured += 1;
            }
            (tick, cycles) = (next, then);
        }
        Clock { period, ticks: tick, cycles }
    }

    /// Cycles of a tick.
    pub fn period(&self) -> u32 {
        self.period as u32
    }

    /// Ticks that were lost since, and ticks that there should have been.
    pub fn lost(&self) -> (u32, u32) {
        let (tick, cycles) = edge();
        let passed = tick.wrapping_sub(self.ticks);
        let due = ((cycles - self.cycles + self.period / 2) / self.period.max(1)) as u32;
        (due.saturating_sub(passed), due)
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

/// The most units that the kernel did between two checks for interrupts since boot, and whether that is more than allowed.
pub fn units() -> (u32, bool) {
    let most = calls::kernel_info(Kernel::MaxUnits).unwrap_or(u32::MAX);
    (most, most > UNITS)
}
