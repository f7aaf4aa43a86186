//! Upcalls: a thread deals with its own faults (docs/calls.md, 3.1).
//!
//! All that an upcall needs lies in the part of the thread's UTCB that is its own, which is there for as long as the
//! thread is: the code of the way back from [`LANDING`] on, above it the handler's stack, down from the page's end.
//!
//! What must hold: the interrupted code may stand between any two instructions, so all registers, the flags, and
//! what the handler changes of the UTCB come back: message registers of [`calls::update`](crate::calls::update) (a
//! message may be half written there), limits while it waits for the lock. The handler touches nothing pageable;
//! what it does fits on the stack (tests measure it).
//!
//! A fault that is not the pager's: the thread goes back to the instruction with the upcall unfinished, faults again,
//! and so stops there with its registers, as one without a pager does; what happened stands in the UTCB.

use core::arch::global_asm;

use freehold_abi::fault::{ACCESS_PRESENT, PAGE_FAULT};
use freehold_abi::layout::{FRAME, utcb};
use freehold_abi::update::UPDATES_AT;

use super::books;
use crate::Utcb;

/// Offset in the UTCB of the code of the way back.
const LANDING: u32 = utcb::FREE_BYTES;
/// Bytes of the instruction by which it ends the upcall: the first.
const FINISH_BYTES: u32 = 10;
/// Bytes of all three.
const LANDING_BYTES: u32 = 22;
/// Offset at which the handler's stack begins: one word for where it goes back to, and a multiple of 16 below
/// PUSHAD's eight.
const STACK: u32 = FRAME - 16;
/// Words of the message registers that one update takes.
const UPDATE_WORDS: usize = 4;
/// The trap flag, which would stop the handler itself.
const TRAP: u32 = 1 << 8;

// EAX is the flags to go on with, EDX where in the landing; the word above PUSHAD's is the return address.
global_asm!(
    ".pushsection .text.upcall_entry, \"ax\"",
    "freehold_upcall_entry:",
    "pushad",
    "xor ebp, ebp",
    "call {handle}",
    "mov [esp + 32], edx",
    "push eax",
    "popfd",
    "popad",
    "ret",
    ".popsection",
    handle = sym handle,
);

unsafe extern "C" {
    fn freehold_upcall_entry();
}

/// Makes the thread with its UTCB at `address` ready for upcalls. It is the current one, or does not run.
pub(crate) fn prepare(address: u32) {
    let word = |index: usize| address + 4 * index as u32;
    let set = |at: u32, value: u32| {
        // SAFETY: a page of this space that the kernel and its thread use, in words that no reference covers.
        unsafe { (at as *mut u32).write_volatile(value) }
    };
    set(word(utcb::UPCALL), 0);
    set(word(utcb::UPCALL_EIP), freehold_upcall_entry as *const () as u32);
    set(word(utcb::UPCALL_ESP), address + STACK);
    let (label, eip, esp) = (word(utcb::UPCALL), word(utcb::UPCALL + 7), word(utcb::UPCALL + 8));
    let mut code = [0; LANDING_BYTES as usize];
    // mov dword ptr [label], 0; mov esp, [esp of the fault]; jmp [eip of the fault].
    let pieces: [(&[u8], u32, usize); 3] =
        [(&[0xC7, 0x05], label, 4), (&[0x8B, 0x25], esp, 0), (&[0xFF, 0x25], eip, 0)];
    let mut at = 0;
    for (opcode, operand, zeroes) in pieces {
        code[at..at + 2].copy_from_slice(opcode);
        code[at + 2..at + 6].copy_from_slice(&operand.to_le_bytes());
        at += 6 + zeroes;
    }
    for (offset, byte) in code.into_iter().enumerate() {
        // SAFETY: as above; the thread's own part of the page.
        unsafe { ((address + LANDING) as *mut u8).add(offset).write_volatile(byte) };
    }
}

/// The flags to go on with, and in the upper half the address to go on at.
extern "C" fn handle() -> u64 {
    let utcb = Utcb::current();
    let said = |index: usize| utcb.get(utcb::UPCALL + index);
    let (label, address, access, eip, flags) = (said(0), said(2), said(3), said(7), said(9));
    let first = utcb::MESSAGE + UPDATES_AT;
    let message: [u32; UPDATE_WORDS] = core::array::from_fn(|word| utcb.get(first + word));
    let result = if label == u32::from(PAGE_FAULT) {
        books::fault(address, eip, access & ACCESS_PRESENT == 0)
    } else {
        books::fault(0, eip, false)
    };
    for (word, value) in message.into_iter().enumerate() {
        utcb.set(first + word, value);
    }
    let skipped = if result.is_ok() { 0 } else { FINISH_BYTES };
    let landing = utcb.address() + LANDING + skipped;
    u64::from(landing) << 32 | u64::from(flags & !TRAP)
}
