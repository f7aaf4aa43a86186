//! Copying to and from memory that may not be there: the only code of the kernel that may fault.
//!
//! What must hold: the instructions between the two labels are reached only from here, touch no
//! stack but for RET, and keep in ECX how much is left: 0 when they are through, something else
//! whenever they can fault. So the landing pad has nothing to do: a page fault in between resumes
//! at the RET with the error code in EAX, and ECX tells.

use core::arch::{asm, global_asm};

use freehold_abi::layout::USER_END;

use super::cpu;

global_asm!(
    r#"
    .pushsection .text
    .balign 16
may_fault_begin:

    // EDI, ESI, ECX: to, from, bytes. Uses EAX. REP leaves all three exact at a fault.
    .globl  copy_bytes                          // for the short paths
copy_bytes:
    mov     eax, ecx
    shr     ecx, 2
    rep     movsd
    mov     ecx, eax
    and     ecx, 3
    rep     movsb
    ret

    // EDX: address; ECX: 1. EAX := the word.
load_word:
    mov     eax, [edx]
    dec     ecx
may_fault_end:
    ret
    .popsection
    "#
);

unsafe extern "C" {
    fn may_fault_begin();
    fn may_fault_end();
}

/// Whether a page fault at `eip` is one of a copy.
pub(super) fn may_fault(eip: u32) -> bool {
    (may_fault_begin as *const () as u32..may_fault_end as *const () as u32).contains(&eip)
}

/// Where the kernel goes on after such a fault.
pub(super) fn landing() -> u32 {
    may_fault_end as *const () as u32
}

/// A copy that met a page fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyFault {
    /// Bytes copied before it. An item of four bytes that straddles a page boundary counts as not
    /// copied, so the fault may lie up to three bytes further on.
    pub done: u32,
    /// The address that faulted, on whichever side; CR2.
    pub address: u32,
    /// The processor's error code (SDM vol. 3, 4.7).
    pub access: u32,
}

/// A load that met a page fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadFault {
    /// The address that faulted.
    pub address: u32,
}

/// Copies `bytes` (at most 16 KiB, so as not to keep interrupts waiting) from `src` to `dst`,
/// ascending. The access rights are the hardware's business: CR0.WP holds for the kernel too.
///
/// # Safety
/// Both ranges lie in user addresses or in the copy window, which other code holds no reference to.
#[inline]
pub unsafe fn copy(dst: u32, src: u32, bytes: u32) -> Result<(), CopyFault> {
    let (left, to, access): (u32, u32, u32);
    // SAFETY: writes nothing but the destination, of which the caller knows; a fault ends in the
    // landing pad. ESI is LLVM's own, so it is borrowed.
    unsafe {
        asm!(
            "xchg esi, edx",
            "call copy_bytes",
            "mov esi, edx",
            inout("edx") src => _,
            inout("edi") dst => to,
            inout("ecx") bytes => left,
            out("eax") access,
        );
    }
    if left == 0 {
        Ok(())
    } else {
        Err(CopyFault { done: to.wrapping_sub(dst), address: cpu::cr2(), access })
    }
}

/// Loads the word at `address` of the current space. Kernel addresses are refused as if nothing
/// were mapped there.
#[inline]
pub fn load_user(address: u32) -> Result<u32, LoadFault> {
    if address > USER_END - 4 {
        return Err(LoadFault { address });
    }
    let (word, left): (u32, u32);
    // SAFETY: reads user memory only, by the check above; a fault ends in the landing pad.
    unsafe {
        asm!(
            "call load_word",
            in("edx") address,
            inout("ecx") 1 => left,
            lateout("eax") word,
            options(readonly),
        );
    }
    if left == 0 { Ok(word) } else { Err(LoadFault { address: cpu::cr2() }) }
}
