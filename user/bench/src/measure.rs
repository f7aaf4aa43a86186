//! Sections, rounds, records.
//!
//! What must hold: the cycle counter counts instructions (the emulator's instruction clock). What a section costs by
//! itself is measured with a section that holds nothing, of the same form, and taken off.

use alloc::vec::Vec;
use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::Call;
use freehold_abi::info::Kernel;
use freehold_rt::call::enter;
use freehold_rt::serde::Serialize;
use freehold_rt::{calls, records};

use freehold_guest_tests::{check, check_eq};

use crate::{designs, line};

/// Instructions of a round that few ticks meet.
const SHORT: u32 = 5_000;

/// What one section took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Instructions, the section's own taken off.
    pub instructions: u32,
    /// Loads of CR3.
    pub switches: u32,
    /// How many sections had ended before.
    pub number: u32,
}

/// Does `work`, timed. `work` is what is measured and nothing else.
#[inline(always)]
pub fn section<R>(work: impl FnOnce() -> R) -> (Sample, R) {
    let switches = switches();
    let (instructions, number, result) = timed(work);
    let switches = self::switches().wrapping_sub(switches);
    (Sample { instructions: instructions.wrapping_sub(nothing()), switches, number }, result)
}

/// Sections that have ended.
static ENDED: AtomicU32 = AtomicU32::new(0);

/// Does `work` between two readings of the cycle counter; what is between them, and the section's number. A prefix that
/// means nothing to the processor marks the readings, so that who looks on from outside (boot/plugin) sees the same
/// sections and numbers them alike.
#[inline(always)]
fn timed<R>(work: impl FnOnce() -> R) -> (u32, u32, R) {
    let (before, after): (u32, u32);
    // SAFETY: reads the counter, with DS prefixed. Not `nomem`, so that what a section holds stays between its two.
    unsafe {
        asm!(".byte 0x3E", "rdtsc", out("eax") before, out("edx") _, options(nostack, preserves_flags))
    };
    let result = work();
    // SAFETY: as above, with ES.
    unsafe { asm!(".byte 0x26", "rdtsc", out("eax") after, out("edx") _, options(nostack, preserves_flags)) };
    (after.wrapping_sub(before), ENDED.fetch_add(1, Ordering::Relaxed), result)
}

/// Loads of CR3 since boot.
#[inline(always)]
fn switches() -> u32 {
    let (_, [count, ..]) = enter(Call::KernelInfo as u32, [0, Kernel::SpaceSwitches as u32, 0, 0]);
    count
}

/// What a section costs that holds nothing but leaves no register for the first reading of the counter, as a call
/// does.
fn nothing() -> u32 {
    static KNOWN: AtomicU32 = AtomicU32::new(u32::MAX);
    if KNOWN.load(Ordering::Relaxed) == u32::MAX {
        let once = || {
            let empty = || {
                // SAFETY: does nothing.
                unsafe {
                    asm!("", out("eax") _, out("ebx") _, out("ecx") _, out("edx") _, out("edi") _);
                }
            };
            timed(empty).0
        };
        // An interrupt may hit one of them.
        let least = (0..16).map(|_| once()).min().unwrap_or(0);
        KNOWN.store(least, Ordering::Relaxed);
    }
    KNOWN.load(Ordering::Relaxed)
}

/// Whether a measurement is asked for.
pub fn wanted(name: &str) -> bool {
    line::value("only=").is_none_or(|only| {
        only.split(',').any(|part| {
            let rest = name.strip_prefix(part);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    })
}

/// Whether one of several is.
pub fn any_wanted(names: &[&str]) -> bool {
    names.iter().any(|name| wanted(name))
}

#[derive(Serialize)]
#[serde(crate = "freehold_rt::serde")]
struct Figures<'a> {
    bench: &'a str,
    design: &'static str,
    unit: &'static str,
    n: u32,
    min: u32,
    median: u32,
    p99: u32,
    max: u32,
    /// The first one, which is in none of the others.
    first: u32,
    /// Loads of CR3 in a round.
    switches: u32,
    /// The numbers of two sections: the first, and one that took what the median says.
    first_section: u32,
    section: u32,
    /// Instructions of a section that are its own, in none of the other figures.
    own: u32,
    /// How many operations a section holds.
    per: u32,
    /// Of the instructions, those that clear frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    clearing: Option<u32>,
    /// Of a revoke: the nodes that it takes, and Φ, the most steps that whoever derived them has allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    descendants: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phi: Option<u32>,
}

#[derive(Serialize)]
#[serde(crate = "freehold_rt::serde")]
struct Plain<'a> {
    bench: &'a str,
    design: &'static str,
    unit: &'static str,
    n: u32,
    min: u32,
    median: u32,
    p99: u32,
    max: u32,
    /// Rounds that ended by their time limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeouts: Option<u32>,
}

/// The rounds of one measurement.
#[derive(Debug)]
pub struct Series<'a> {
    name: &'a str,
    per: u32,
    clearing: Option<u32>,
    descendants: Option<u32>,
    phi: Option<u32>,
    first: Option<Sample>,
    samples: Vec<Sample>,
}

impl<'a> Series<'a> {
    /// No rounds yet.
    pub fn new(name: &'a str) -> Series<'a> {
        let samples = Vec::with_capacity(256);
        Series { name, per: 1, clearing: None, descendants: None, phi: None, first: None, samples }
    }

    /// A section holds so many operations.
    pub fn per(self, per: u32) -> Series<'a> {
        Series { per, ..self }
    }

    /// So many of a section's instructions clear frames.
    pub fn clearing(self, instructions: u32) -> Series<'a> {
        Series { clearing: Some(instructions), ..self }
    }

    /// A section takes so many nodes back; whoever derived them allowed at most `phi` steps, if anybody counts.
    pub fn revoking(self, descendants: u32, phi: Option<u32>) -> Series<'a> {
        Series { descendants: Some(descendants), phi, ..self }
    }

    /// Adds a round.
    pub fn add(&mut self, sample: Sample) {
        match self.first {
            None => self.first = Some(sample),
            Some(_) => self.samples.push(sample),
        }
    }

    /// Writes the record, if it is asked for.
    ///
    /// # Panics
    /// If there are fewer than two rounds.
    pub fn finish(mut self) {
        if !wanted(self.name) {
            return;
        }
        let first = self.first.expect("a first round");
        let samples = self.samples.as_mut_slice();
        samples.sort_unstable_by_key(|sample| sample.switches);
        let switches = samples[samples.len() / 2].switches;
        let least = samples[0].switches;
        samples.sort_unstable_by_key(|sample| (sample.instructions, sample.number));
        let n = samples.len();
        let at = |index: usize| samples[index].instructions;
        // A round that a tick interrupts pays for its flushes in other portions.
        let steady = !designs::are_compared() || at(n / 2) < SHORT;
        let switches = if steady { switches } else { samples[n / 2].switches };
        if steady {
            check_eq!(least, switches, "{}: loads of CR3 differ from round to round", self.name);
        }
        let cleared = self.clearing.unwrap_or(0);
        check!(at(0) > cleared, "{}: {} instructions, {cleared} of them to clear frames", self.name, at(0));
        let figures = Figures {
            bench: self.name,
            design: calls::design().name(),
            unit: "instructions",
            n: n as u32,
            min: at(0),
            median: at(n / 2),
            p99: at((n * 99).div_ceil(100) - 1),
            max: at(n - 1),
            first: first.instructions,
            switches,
            first_section: first.number,
            section: samples[n / 2].number,
            own: nothing(),
            per: self.per,
            clearing: self.clearing,
            descendants: self.descendants,
            phi: self.phi,
        };
        check_eq!(records::write(&figures), Ok(()), "{}", self.name);
    }
}

/// Writes a record of bytes, which are counted once, if it is asked for.
pub fn bytes(bench: &str, bytes: u32) {
    plain(bench, "bytes", &mut [bytes], None);
}

/// Writes a record of what was measured without sections, if it is asked for; `timeouts`: so many of them ended by a time
/// limit.
pub fn plain(bench: &str, unit: &'static str, figures: &mut [u32], timeouts: Option<u32>) {
    if !wanted(bench) {
        return;
    }
    figures.sort_unstable();
    let n = figures.len();
    let figures = Plain {
        bench,
        design: calls::design().name(),
        unit,
        n: n as u32,
        min: figures[0],
        median: figures[n / 2],
        p99: figures[(n * 99).div_ceil(100) - 1],
        max: figures[n - 1],
        timeouts,
    };
    check_eq!(records::write(&figures), Ok(()), "{bench}");
}
