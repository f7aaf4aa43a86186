//! What the broken guests share: a multiboot entry, two serial ports, the way out.
//!
//! These guests stand in for a kernel and need nothing of Freehold's: the harness must be seen to
//! report each of them as a failure even on a day when the kernel does not boot. They run in the
//! state in which a multiboot loader leaves the processor: flat 32-bit segments, paging and
//! interrupts off.
#![no_std]

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

/// First serial port: lines for people.
pub const CONSOLE: u16 = 0x3F8;
/// Second serial port: records.
pub const RECORDS: u16 = 0x2F8;
/// QEMU's `isa-debug-exit`: writing `v` ends QEMU with status `2 v + 1`.
const DEBUG_EXIT: u16 = 0xF4;

/// What a guest writes when it holds that all is well (status 33).
pub const SUCCESS: u32 = 0x10;
/// What a panicking kernel writes (status 65).
pub const PANIC: u32 = 0x20;
/// What a kernel writes that cannot run on this processor (status 67).
pub const UNSUPPORTED: u32 = 0x21;

// Multiboot 1 header (magic, flags, checksum), then the entry: a stack, and on to Rust.
global_asm!(
    ".pushsection .multiboot, \"a\"",
    ".balign 4",
    ".long 0x1BADB002, 0, -0x1BADB002",
    ".popsection",
    ".pushsection .bss",
    ".balign 16",
    ".skip 4096",
    "freehold_broken_stack:",
    ".popsection",
    ".pushsection .text",
    ".globl _start",
    "_start:",
    "mov esp, offset freehold_broken_stack",
    "call broken_main",
    "ud2",
    ".popsection",
);

/// Writes `text` to a serial port. QEMU's ports take a byte at any time.
pub fn print(port: u16, text: &str) {
    for byte in text.bytes() {
        // SAFETY: a serial port's data register is no memory, and nothing else here uses the port.
        unsafe { asm!("out dx, al", in("dx") port, in("al") byte, options(nomem, nostack)) };
    }
}

/// Ends QEMU with status `2 value + 1`.
pub fn exit(value: u32) -> ! {
    // SAFETY: the port ends the machine; no memory is involved.
    unsafe { asm!("out dx, eax", in("dx") DEBUG_EXIT, in("eax") value, options(nomem, nostack)) };
    halt()
}

/// Waits for ever, with interrupts off.
pub fn halt() -> ! {
    loop {
        // SAFETY: these guests run in ring 0, where both instructions are allowed.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// Ends as the kernel's own panic does: a line, and status 65.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    print(CONSOLE, "KERNEL PANIC: on purpose\n");
    exit(PANIC)
}
