//! Calls that are made with flags and segment registers as a hostile program sets them.

use core::arch::global_asm;

use freehold_rt::abi::Call;

/// Trap.
pub const TF: u32 = 1 << 8;
/// Direction.
pub const DF: u32 = 1 << 10;
/// Nested task.
pub const NT: u32 = 1 << 14;
/// Alignment check.
pub const AC: u32 = 1 << 18;
/// I/O privilege, and virtual 8086 mode: a program cannot set them, but can try.
pub const PRIVILEGED: u32 = 3 << 12 | 1 << 17;
/// The selector that a program's segment registers hold.
pub const FLAT: u32 = 0x23;

/// What a call is made with, and what comes back.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Flagged {
    /// Number and immediate; then the status.
    pub eax: u32,
    /// EBX, ESI, EDI, EBP.
    pub registers: [u32; 4],
    flags: u32,
    selector: u32,
    by_interrupt: u32,
    /// GS, FS, ES, DS, EFLAGS behind the call.
    seen: [u32; 5],
}

// Until DS is whole again everything goes through SS. The entry instruction stands right before the place in EDX.
global_asm!(
    ".pushsection .text.flagged, \"ax\"",
    "freehold_flagged_call:",
    "push ebx",
    "push esi",
    "push edi",
    "push ebp",
    "mov ebp, [esp + 20]",
    "push ebp",
    "push dword ptr [ebp + 20]",
    "mov edx, [ebp + 24]",
    "mov eax, [ebp]",
    "mov ebx, [ebp + 4]",
    "mov esi, [ebp + 8]",
    "mov edi, [ebp + 12]",
    "cmp dword ptr [ebp + 28], 0",
    "mov ebp, [ebp + 16]",
    "mov ds, edx",
    "mov es, edx",
    "mov fs, edx",
    "mov gs, edx",
    "lea ecx, [esp + 4]",
    "jne 1f",
    "mov edx, offset freehold_flagged_fast",
    "popfd",
    "sysenter",
    "freehold_flagged_fast: jmp freehold_flagged_back",
    "1: mov edx, offset freehold_flagged_back",
    "popfd",
    "int 0x80",
    "freehold_flagged_back: pushfd",
    "mov ecx, ds",
    "push ecx",
    "mov ecx, es",
    "push ecx",
    "mov ecx, fs",
    "push ecx",
    "mov ecx, gs",
    "push ecx",
    "push 2",
    "popfd",
    "mov ecx, ss",
    "mov ds, ecx",
    "mov es, ecx",
    "mov ecx, [esp + 20]",
    "mov [ecx], eax",
    "mov [ecx + 4], ebx",
    "mov [ecx + 8], esi",
    "mov [ecx + 12], edi",
    "mov [ecx + 16], ebp",
    "pop dword ptr [ecx + 32]",
    "pop dword ptr [ecx + 36]",
    "pop dword ptr [ecx + 40]",
    "pop dword ptr [ecx + 44]",
    "pop dword ptr [ecx + 48]",
    "pop eax",
    "pop ebp",
    "pop edi",
    "pop esi",
    "pop ebx",
    "ret",
    ".popsection",
);

unsafe extern "C" {
    fn freehold_flagged_call(frame: *mut Flagged);
}

impl Flagged {
    /// A call with these flags, and `selector` in DS, ES, FS and GS; by `int 0x80` or SYSENTER.
    pub const fn new(
        call: Call,
        registers: [u32; 4],
        (flags, selector): (u32, u32),
        by_interrupt: bool,
    ) -> Flagged {
        let flags = flags | 2;
        Flagged {
            eax: call as u32,
            registers,
            flags,
            selector,
            by_interrupt: by_interrupt as u32,
            seen: [0; 5],
        }
    }

    /// Makes it. Returns the status.
    pub fn enter(&mut self) -> u32 {
        // SAFETY: it keeps all registers that a function keeps, and puts DS, ES and EFLAGS right. What the call does to
        // memory is its caller's affair, as with `rt::calls`.
        unsafe { freehold_flagged_call(&raw mut *self) };
        self.eax
    }

    /// Of DF, NT and AC what was set behind the call, and the selectors in GS, FS, ES and DS, a byte each.
    pub fn seen(&self) -> [u32; 2] {
        let [selectors @ .., flags] = self.seen;
        [flags & (DF | NT | AC), u32::from_le_bytes(selectors.map(|selector| selector as u8))]
    }

    /// Of DF, NT and AC what was set behind the call, and whether a segment register held anything that another space's
    /// thread could have left there.
    pub fn left_over(&self) -> (u32, bool) {
        let [gs, fs, es, ds, flags] = self.seen;
        let clean = [gs, fs].iter().all(|word| word & 0xFFFC == 0)
            && [es, ds].iter().all(|word| word & 0xFFFF == FLAT);
        (flags & (DF | NT | AC), !clean)
    }
}
