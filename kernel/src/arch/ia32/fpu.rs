//! FPU and SSE state of threads.
//!
//! What must hold: the kernel itself uses neither. While CR0.TS is set every use is exception 7,
//! so a thread without FPU use can neither see nor disturb what is loaded. CR0 is written only
//! when it changes: [`REACHABLE`] is its TS bit, inverted. (A task switch can set TS all the same;
//! the entry code puts that right when it shows.)
//! SDM vol. 1, 8.1.10, 10.5; vol. 2, FXSAVE, FNSAVE; vol. 3, 2.5.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use x86::controlregs::{Cr4, cr4, cr4_write};

use super::cpu;

static FXSR: AtomicBool = AtomicBool::new(false);

/// Whether the kernel wants CR0.TS clear; the entry code looks here too.
pub(super) static REACHABLE: AtomicBool = AtomicBool::new(false);

/// x87: all exceptions masked, 64-bit precision, round to nearest.
const CONTROL: u16 = 0x037F;
/// SSE: all exceptions masked, round to nearest.
const MXCSR: u32 = 0x1F80;

/// Where a thread's state rests, in the format that the processor dictates.
#[repr(C, align(16))]
pub struct FpuArea([u8; 512]);

impl FpuArea {
    /// All zero: not a valid state before [`init_area`].
    pub const fn zeroed() -> Self {
        Self([0; 512])
    }
}

/// Switches on FXSAVE and SSE where they are, and puts the FPU out of reach.
pub(super) fn init() {
    let features = cpu::features();
    FXSR.store(features.fxsr, Ordering::Relaxed);
    let mut bits = Cr4::empty();
    bits.set(Cr4::CR4_ENABLE_SSE, features.fxsr);
    bits.set(Cr4::CR4_UNMASKED_SSE, features.sse);
    // A processor from before these bits may not even have others to keep.
    if !bits.is_empty() {
        // SAFETY: the features that the bits belong to are there.
        unsafe { cr4_write(cr4() | bits) }
    }
    cpu::set_ts();
}

/// Makes `area`, which is all zero, the clean state: what a thread starts with.
pub fn init_area(area: &mut FpuArea) {
    area.0[0..2].copy_from_slice(&CONTROL.to_le_bytes());
    if FXSR.load(Ordering::Relaxed) {
        // The abridged tag word at 4 has a bit set for each register that is *not* empty.
        area.0[24..28].copy_from_slice(&MXCSR.to_le_bytes());
    } else {
        // Tag word: all empty.
        area.0[8..10].fill(0xFF);
    }
}

/// Stores the FPU's state. The FPU must be within reach, and its contents are undefined afterwards.
#[inline]
pub fn save(area: &mut FpuArea) {
    let area = area.0.as_mut_ptr();
    // SAFETY: the area is large enough and aligned for either format; neither instruction raises
    // pending exceptions.
    unsafe {
        if FXSR.load(Ordering::Relaxed) {
            asm!("fxsave [{}]", in(reg) area, options(nostack, preserves_flags));
        } else {
            asm!("fnsave [{}]", in(reg) area, options(nostack, preserves_flags));
        }
    }
}

/// Loads the FPU's state. The FPU must be within reach. Whatever it held is lost.
#[inline]
pub fn restore(area: &FpuArea) {
    let area = area.0.as_ptr();
    // SAFETY: the area holds what `init_area` or `save` left there, which is always loadable.
    // FRSTOR would raise an exception that the former owner left pending: FNINIT drops it.
    unsafe {
        if FXSR.load(Ordering::Relaxed) {
            asm!("fxrstor [{}]", in(reg) area, options(nostack, preserves_flags, readonly));
        } else {
            asm!("fninit", "frstor [{}]", in(reg) area, options(nostack, preserves_flags, readonly));
        }
    }
}

/// Puts the FPU within reach.
#[inline]
pub fn enable() {
    if !REACHABLE.load(Ordering::Relaxed) {
        cpu::clear_ts();
        REACHABLE.store(true, Ordering::Relaxed);
    }
}

/// Puts the FPU out of reach: its next use is exception 7.
#[inline]
pub fn disable() {
    if REACHABLE.load(Ordering::Relaxed) {
        cpu::set_ts();
        REACHABLE.store(false, Ordering::Relaxed);
    }
}
