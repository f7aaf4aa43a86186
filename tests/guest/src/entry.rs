//! The entry into the kernel that the runtime does not use where there is SYSENTER: no short path takes it.

use core::arch::asm;

use freehold_rt::call::Registers;

/// [`enter`](freehold_rt::call::enter), by the instruction that every processor has.
pub fn enter_by_interrupt(eax: u32, registers: Registers) -> (u32, Registers) {
    let [mut ebx, mut esi, mut edi, mut ebp] = registers;
    let status;
    // SAFETY: as in `enter`: what the kernel changes is an output or saved around, and the stack is whole behind it.
    unsafe {
        asm!(
            "push esi",
            "push ebp",
            "mov esi, ecx",
            "mov ebp, edx",
            "mov ecx, esp",
            "lea edx, [2f]",
            "int 0x80",
            "2:",
            "mov ecx, esi",
            "mov edx, ebp",
            "pop ebp",
            "pop esi",
            inlateout("eax") eax => status,
            inlateout("ebx") ebx,
            inlateout("ecx") esi,
            inlateout("edx") ebp,
            inlateout("edi") edi,
        );
    }
    (status, [ebx, esi, edi, ebp])
}
