//! The entry into the kernel: one instruction, all registers.
//!
//! What must hold: between the entry instruction and the instruction behind it only the kernel runs,
//! and it changes EAX, EBX, ECX, EDX, ESI, EDI, EBP; a call that is interrupted starts again two bytes
//! before the place in EDX, where there is an entry instruction, so nothing that it needs may be changed
//! before that. ESI is LLVM's own and EBP
//! may be the frame pointer, so neither can be an operand: they are saved on the stack, and their
//! values travel in ECX and EDX up to the last moment. DF is clear before and after (ABI).

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicPtr, Ordering};

use freehold_abi::{Call, Error, error};

global_asm!(
    ".pushsection .text.freehold_entries, \"ax\"",
    "freehold_entry_sysenter: sysenter",
    "freehold_entry_interrupt: int 0x80",
    ".popsection",
);

unsafe extern "C" {
    #[link_name = "freehold_entry_sysenter"]
    fn sysenter();
    #[link_name = "freehold_entry_interrupt"]
    fn interrupt();
}

/// The entry instruction that is used. It goes on at the place in EDX, wherever it stands itself. At first the one
/// that every processor has.
pub(crate) static ENTRY: AtomicPtr<()> = AtomicPtr::new(interrupt as *mut ());

/// Chooses the entry instruction. SYSENTER works only if the kernel has prepared it.
pub(crate) fn choose_entry(by_sysenter: bool) {
    let entry = if by_sysenter { sysenter as *mut () } else { interrupt as *mut () };
    ENTRY.store(entry, Ordering::Relaxed);
}

/// Whether calls are made by SYSENTER.
pub fn by_sysenter() -> bool {
    ENTRY.load(Ordering::Relaxed) == sysenter as *mut ()
}

/// EBX, ESI, EDI, EBP: arguments, then results.
pub type Registers = [u32; 4];

/// Enters the kernel with `eax` and the four registers; returns EAX and the four registers. Compiled
/// in place: for the short paths. What it costs beside the entry itself is nine moves to and from
/// registers and stack and a jump.
#[inline(always)]
pub fn enter(eax: u32, registers: Registers) -> (u32, Registers) {
    let [mut ebx, mut esi, mut edi, mut ebp] = registers;
    let status;
    // SAFETY: all registers that the kernel changes are outputs or saved around. The two words pushed
    // are popped again; ECX is the stack pointer below them, so the stack is whole when the kernel
    // sets it. What the call does to memory is the subject of `calls`.
    unsafe {
        asm!(
            "push esi",
            "push ebp",
            "mov esi, ecx",
            "mov ebp, edx",
            "mov ecx, esp",
            "lea edx, [2f]",
            "jmp [{entry}]",
            "int 0x80",                 // not come to, unless the call starts again
            "2:",
            "mov ecx, esi",
            "mov edx, ebp",
            "pop ebp",
            "pop esi",
            entry = sym ENTRY,
            inlateout("eax") eax => status,
            inlateout("ebx") ebx,
            inlateout("ecx") esi,
            inlateout("edx") ebp,
            inlateout("edi") edi,
        );
    }
    (status, [ebx, esi, edi, ebp])
}

/// Makes a call. The registers are results also when it fails: some calls say how far they came.
#[inline(never)]
pub fn call(number: Call, immediate: u32, registers: Registers) -> (Result<(), Error>, Registers) {
    let (status, registers) = enter(number as u32 | immediate << 8, registers);
    (error::status(status), registers)
}

/// Makes a call that has no results.
pub(crate) fn simple(number: Call, immediate: u32, registers: Registers) -> Result<(), Error> {
    call(number, immediate, registers).0
}

/// Makes a call whose registers count only if it succeeds.
pub(crate) fn query(number: Call, immediate: u32, registers: Registers) -> Result<Registers, Error> {
    let (result, registers) = call(number, immediate, registers);
    result.map(|()| registers)
}
