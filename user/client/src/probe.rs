//! Memory that may not be there, touched by instructions whose fault the pager answers by letting the
//! client go on elsewhere.
//!
//! What must hold: between telling the pager where to go on and the end of the access, nothing else
//! faults outside the client's region.

use core::arch::global_asm;

use freehold_protocol::answer::DONE;
use freehold_protocol::pager::RECOVER;
use freehold_protocol::probe::FAULTED;
use freehold_rt::{Message, Tag, calls, start};

// fastcall: ECX address, EDX value; EAX result. A pager's answer changes EIP and ESP and nothing else,
// so ESP is kept in a register that only these functions use.
global_asm!(
    ".pushsection .text.probe, \"ax\"",
    "freehold_probe_read:",
    "push ebx",
    "mov ebx, esp",
    "mov eax, [ecx]",
    "mov [edx], eax",
    "xor eax, eax",
    "pop ebx",
    "ret",
    "freehold_probe_write:",
    "push ebx",
    "mov ebx, esp",
    "mov [ecx], edx",
    "xor eax, eax",
    "pop ebx",
    "ret",
    "freehold_probe_recovery:",
    "mov esp, ebx",
    "mov eax, 1",
    "pop ebx",
    "ret",
    ".popsection",
);

unsafe extern "fastcall" {
    /// Reads the word at `address` into `value`; 1: it faulted.
    fn freehold_probe_read(address: u32, value: *mut u32) -> u32;
    /// Writes `value` to `address`; 1: it faulted.
    fn freehold_probe_write(address: u32, value: u32) -> u32;
    fn freehold_probe_recovery();
}

/// Tells the pager where to go on at the next fault. The stack pointer is put right there.
fn expect_fault(expected: bool) {
    let Some(pager) = start::capability("pager") else { return };
    let eip = if expected { freehold_probe_recovery as *const () as u32 } else { 0 };
    // Without a pager that knows of it, a fault stops this thread, and whoever gave the order sees that.
    let _ = calls::call_short(pager, Tag::new(RECOVER, 2), [eip, 0]);
}

/// Reads a word.
pub fn read(address: u32) -> Message {
    let mut value = 0;
    expect_fault(true);
    // SAFETY: reads anything that is mapped, which changes nothing, and writes to `value` only.
    let faulted = unsafe { freehold_probe_read(address, &mut value) } != 0;
    expect_fault(false);
    if faulted { Message::new(FAULTED) } else { Message::of(DONE, &[value]) }
}

/// Writes a word. Whoever gives the order says that nothing of the program's own lies there.
pub fn write(address: u32, value: u32) -> Message {
    expect_fault(true);
    // SAFETY: the order is about memory that others share with this program, and Rust knows nothing of.
    let faulted = unsafe { freehold_probe_write(address, value) } != 0;
    expect_fault(false);
    Message::new(if faulted { FAULTED } else { DONE })
}
