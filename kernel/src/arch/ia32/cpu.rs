//! What the processor has, and its control registers.
//!
//! What must hold: [`init`] runs before anything asks for [`features`]. FPU, PSE, TSC and CX8 were
//! checked by the boot code.

use core::arch::asm;
use core::arch::x86::__cpuid;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use x86::controlregs;
use x86::segmentation::{SegmentSelector, load_fs, load_gs};

use super::segments;

const SEP: u32 = 1 << 11;

/// CPUID leaf 1, EDX, corrected.
static FEATURES: AtomicU32 = AtomicU32::new(0);

/// What the processor has, as far as the kernel cares (CPUID leaf 1, EDX).
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names are the manual's")]
pub struct Features {
    pub fpu: bool,
    pub pse: bool,
    pub tsc: bool,
    pub cx8: bool,
    pub sep: bool,
    pub pge: bool,
    pub cmov: bool,
    pub mmx: bool,
    pub fxsr: bool,
    pub sse: bool,
    pub sse2: bool,
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.fpu, "fpu"),
            (self.pse, "pse"),
            (self.tsc, "tsc"),
            (self.cx8, "cx8"),
            (self.sep, "sep"),
            (self.pge, "pge"),
            (self.cmov, "cmov"),
            (self.mmx, "mmx"),
            (self.fxsr, "fxsr"),
            (self.sse, "sse"),
            (self.sse2, "sse2"),
        ];
        let mut separator = "";
        for (_, name) in all.iter().filter(|(present, _)| *present) {
            write!(f, "{separator}{name}")?;
            separator = " ";
        }
        Ok(())
    }
}

/// Asks the processor.
pub(super) fn init() {
    let leaf = __cpuid(1);
    let mut bits = leaf.edx;
    // The Pentium Pro reports SEP but does not have it (SDM vol. 2, SYSENTER).
    let (family, model, stepping) = (leaf.eax >> 8 & 0xF, leaf.eax >> 4 & 0xF, leaf.eax & 0xF);
    if family == 6 && model < 3 && stepping < 3 {
        bits &= !SEP;
    }
    FEATURES.store(bits, Ordering::Relaxed);
}

/// What the processor has.
pub fn features() -> Features {
    let bits = FEATURES.load(Ordering::Relaxed);
    let has = |bit: u32| bits & 1 << bit != 0;
    Features {
        fpu: has(0),
        pse: has(3),
        tsc: has(4),
        cx8: has(8),
        sep: bits & SEP != 0,
        pge: has(13),
        cmov: has(15),
        mmx: has(23),
        fxsr: has(24),
        sse: has(25),
        sse2: has(26),
    }
}

/// The address of the last page fault.
#[inline]
pub fn cr2() -> u32 {
    // SAFETY: reading it has no effect.
    unsafe { controlregs::cr2() as u32 }
}

/// The physical address of the current directory.
#[inline]
pub fn cr3() -> u32 {
    // SAFETY: reading it has no effect.
    unsafe { controlregs::cr3() as u32 }
}

/// Makes the directory at `physical` the current one. Drops all TLB entries but global ones.
///
/// # Safety
/// `physical` is a directory whose kernel half is the kernel's ([`paging::copy_kernel_half`]).
///
/// [`paging::copy_kernel_half`]: super::paging::copy_kernel_half
#[inline]
pub unsafe fn load_cr3(physical: u32) {
    segments::note_directory(physical);
    // SAFETY: the kernel stays mapped as it is, by the caller's promise.
    unsafe { controlregs::cr3_write(physical.into()) }
}

/// Drops the TLB entry of the page at `address`, also a global one.
#[inline]
pub fn invlpg(address: u32) {
    // SAFETY: dropping a TLB entry never hurts.
    unsafe { x86::tlb::flush(address as usize) }
}

/// Puts the FPU out of reach: its next use is exception 7. [`fpu`](super::fpu) keeps count.
#[inline]
pub(super) fn set_ts() {
    // SAFETY: changes nothing else in CR0.
    unsafe {
        asm!("mov {0}, cr0", "or {0}, 8", "mov cr0, {0}", out(reg) _, options(nomem, nostack));
    }
}

/// Puts the FPU within reach.
#[inline]
pub(super) fn clear_ts() {
    // SAFETY: changes nothing else in CR0.
    unsafe { asm!("clts", options(nomem, nostack, preserves_flags)) }
}

/// Empties FS and GS: they pass through the kernel untouched, and would carry a word from one
/// thread to the next.
#[inline]
pub fn clear_fs_gs() {
    let null = SegmentSelector::from_raw(0);
    // SAFETY: the kernel does not use them.
    unsafe {
        load_fs(null);
        load_gs(null);
    }
}
