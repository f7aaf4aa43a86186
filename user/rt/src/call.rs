//! The entry into the kernel: one instruction, all registers.
//!
//! What must hold: between the entry instruction and the instruction behind it only the kernel runs,
//! and it changes EAX, EBX, ECX, EDX, ESI, EDI, EBP; a call that is interrupted starts again at the
//! entry instruction, so nothing that it needs may be changed before that. ESI is LLVM's own and EBP
//! may be the frame pointer, so neither can be an operand: they are saved on the stack, and their
//! values travel in ECX and EDX up to the last moment. DF is clear before and after (ABI).

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use freehold_abi::{Call, Error, error};

/// Whether to enter by `int 0x80`, which every processor has.
static BY_INTERRUPT: AtomicBool = AtomicBool::new(true);

/// Chooses the entry instruction. SYSENTER works only if the kernel has prepared it.
pub(crate) fn choose_entry(sysenter: bool) {
    BY_INTERRUPT.store(!sysenter, Ordering::Relaxed);
}

/// Whether calls are made by SYSENTER.
pub fn by_sysenter() -> bool {
    !BY_INTERRUPT.load(Ordering::Relaxed)
}

/// EBX, ESI, EDI, EBP: arguments, then results.
pub type Registers = [u32; 4];

/// Enters the kernel with `eax` and the four registers; returns EAX and the four registers. Compiled
/// in place: for the short paths. What it costs beside the entry itself is nine moves to and from
/// registers and stack, a compare and a jump.
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
            "cmp byte ptr [{by_interrupt}], 0",
            "je 4f",
            "lea edx, [3f]",
            "int 0x80",
            "3: jmp 2f",
            "4: lea edx, [2f]",
            "sysenter",
            "2:",
            "mov ecx, esi",
            "mov edx, ebp",
            "pop ebp",
            "pop esi",
            by_interrupt = sym BY_INTERRUPT,
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
