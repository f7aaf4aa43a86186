//! Waiting.

use freehold_abi::Error;
use freehold_abi::info::Kernel;
use freehold_abi::layout::TICK_MS;

use crate::{Utcb, calls, start};

/// Waits for `milliseconds`, at least one tick.
///
/// # Panics
/// If the runtime's notification is gone.
pub fn sleep(milliseconds: u32) {
    // Nobody ever signals it, so that the time limit is all that can end the wait.
    let utcb = Utcb::current();
    let limits = (0, milliseconds.max(TICK_MS));
    match utcb.within(limits, || calls::wait(start::SLEEP)) {
        Err(Error::Timeout | Error::Canceled) => {}
        other => panic!("sleep ended with {other:?}"),
    }
}

/// Ticks of [`TICK_MS`] milliseconds since the kernel booted.
pub fn ticks() -> u32 {
    // The kernel knows this question, so there is no error to meet.
    calls::kernel_info(Kernel::Ticks).unwrap_or(0)
}

/// The processor's cycle counter. QEMU with an instruction clock counts instructions.
#[inline(always)]
pub fn cycles() -> u64 {
    // SAFETY: every processor that the kernel accepts has RDTSC, which changes nothing.
    unsafe { core::arch::x86::_rdtsc() }
}
