//! Threads that receive and never get anything. They have a UTCB and no stack.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_abi::{Call, CapName};
use freehold_guest_tests::worker::MAIN_PRIORITY;
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::slots::Slot;

/// From what they receive, as their space names it.
static HEARS: AtomicU32 = AtomicU32::new(0);

// The stack pointer is the end of the UTCB. A receive that ends is an exception, which stops the thread.
global_asm!(
    ".pushsection .text.sleeper, \"ax\"",
    "bench_sleeper:",
    "mov dword ptr [esp + {limit}], {forever}",
    "mov ebx, [{hears}]",
    "mov eax, {receive}",
    "mov ecx, esp",
    "lea edx, [2f]",
    "sysenter",
    "2: ud2",
    ".popsection",
    limit = const 4 * utcb::RECEIVE_LIMIT as i32 - FRAME as i32,
    forever = const FOREVER as i32,
    hears = sym HEARS,
    receive = const Call::Receive as u32,
);

unsafe extern "C" {
    fn bench_sleeper();
}

/// Makes a thread, which runs at once, until it waits. The capability is left in `slot`.
///
/// # Panics
/// If the kernel refuses.
pub fn start(place: ThreadPlace, hears: CapName, slot: &Slot) {
    HEARS.store(hears.0, Ordering::Relaxed);
    calls::make_thread(place, slot.reference()).expect("a thread");
    let entry = bench_sleeper as *const () as u32;
    let above = MAIN_PRIORITY + 1;
    calls::start_thread(slot.name(), entry, place.address + FRAME, CapName::NONE, above).expect("a start");
}
