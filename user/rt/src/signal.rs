//! Notifications with the registers that they take, and no others: for the short paths.
//!
//! What must hold: as for [`call`](crate::call); and a Notify leaves all registers but EAX, ECX and EDX as they were,
//! so that ESI, which is LLVM's own, can spend the call in EDI.

use core::arch::asm;

use freehold_abi::{Call, CapName};

use crate::call::ENTRY;

/// Sets bits of a notification; the status.
#[inline(always)]
pub fn notify(notification: CapName, bits: u32) -> u32 {
    let status;
    // SAFETY: all registers that the call changes are outputs; ESI is as before behind it.
    unsafe {
        asm!(
            "xchg esi, edi",
            "mov ecx, esp",
            "lea edx, [2f]",
            "jmp [{entry}]",
            "int 0x80",                 // not come to, unless the call starts again
            "2: xchg esi, edi",
            entry = sym ENTRY,
            inlateout("eax") Call::Notify as u32 => status,
            in("ebx") notification.0,
            out("ecx") _,
            out("edx") _,
            inlateout("edi") bits => _,
        );
    }
    status
}

/// Waits for a notification; the status, and the bits if that is 0.
#[inline(always)]
pub fn wait(notification: CapName) -> (u32, u32) {
    let (status, bits);
    // SAFETY: all registers that the call changes, were it of an endpoint, are outputs or saved around; ECX is the stack
    // pointer below them, so the stack is whole when the kernel sets it.
    unsafe {
        asm!(
            "push esi",
            "push ebp",
            "mov ecx, esp",
            "lea edx, [2f]",
            "jmp [{entry}]",
            "int 0x80",                 // as above
            "2: pop ebp",
            "pop esi",
            entry = sym ENTRY,
            inlateout("eax") Call::Receive as u32 => status,
            inlateout("ebx") notification.0 => _,
            out("ecx") _,
            out("edx") _,
            out("edi") bits,
        );
    }
    (status, bits)
}
