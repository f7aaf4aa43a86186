//! The registers of a thread that is not running in user mode.
//!
//! What must hold: the layout is what the entry code pushes ([`entry`](super::entry)); CS and SS
//! are the user's (nothing else is loadable in ring 3), EFLAGS has IF set and IOPL, VM and NT
//! clear or, for NT, as ring 3 itself set it: the exit by IRET checks nothing.

use core::mem::{offset_of, size_of};

use super::segments::{USER_CODE, USER_DATA};

/// [`Regs::vector`] of a page fault.
pub const VECTOR_PAGE_FAULT: u32 = 14;
/// [`Regs::vector`] of the first of the 16 interrupt lines.
pub const VECTOR_IRQ_BASE: u32 = 0x20;
/// [`Regs::vector`] of a call by `int 0x80`.
pub const VECTOR_INT_CALL: u32 = freehold_abi::layout::CALL_VECTOR;
/// [`Regs::vector`] of a call by SYSENTER: the only one that returns by SYSEXIT. EIP and ESP of the thread are in
/// `edx` and `ecx` then, where the program put them; `eip`, `eflags` and `esp` are undefined.
pub const VECTOR_SYSENTER: u32 = 0x100;
/// [`Regs::vector`] of registers that the kernel has prepared: all of them are restored.
pub const VECTOR_RESTART: u32 = 0x101;

/// EFLAGS after a call, and of a new thread: IF, and bit 1, which is always set.
pub const EFLAGS_USER: u32 = 0x202;

/// Registers as PUSHA, then the entry stub, then the processor leave them, lowest address first.
#[repr(C)]
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names are the processor's")]
pub struct Regs {
    pub edi: u32,
    pub esi: u32,
    pub ebp: u32,
    /// What PUSHA stored and POPA ignores.
    pub _esp: u32,
    pub ebx: u32,
    pub edx: u32,
    pub ecx: u32,
    pub eax: u32,
    /// How the thread came in, and so how it leaves: an IDT vector or a `VECTOR_*`.
    pub vector: u32,
    /// The exception's error code, else undefined.
    pub error: u32,
    pub eip: u32,
    pub cs: u32,
    pub eflags: u32,
    pub esp: u32,
    pub ss: u32,
}

/// Bytes of a [`Regs`].
pub const REGS_BYTES: usize = size_of::<Regs>();

// The entry code's own offsets, which PUSHA and the IRET frame dictate.
const _: () =
    assert!(offset_of!(Regs, eax) == 28 && offset_of!(Regs, vector) == 32 && offset_of!(Regs, eip) == 40);
const _: () = assert!(offset_of!(Regs, ss) == 56 && REGS_BYTES == 60);

impl Regs {
    /// Registers of a thread that begins at `eip` with stack `esp` and everything else 0.
    pub const fn new(eip: u32, esp: u32) -> Self {
        Self {
            edi: 0,
            esi: 0,
            ebp: 0,
            _esp: 0,
            ebx: 0,
            edx: 0,
            ecx: 0,
            eax: 0,
            vector: VECTOR_RESTART,
            error: 0,
            eip,
            cs: USER_CODE as u32,
            eflags: EFLAGS_USER,
            esp,
            ss: USER_DATA as u32,
        }
    }
}
