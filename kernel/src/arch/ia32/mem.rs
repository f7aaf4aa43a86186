//! What the compiler expects of every program: memcpy and its kin, and strlen. The kernel and the
//! programs' runtime share this file.
//!
//! What must hold: none of them may be written so that the compiler recognises a loop and calls
//! the function itself; hence string instructions. DF is clear on entry (entry code), and again
//! on return. ESI is LLVM's own and cannot be an operand, so it is borrowed,
//! and all other operands are named: a free choice could fall on ESI.

use core::arch::asm;

/// Copies `n` bytes between areas that do not overlap.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, which is C's.
    unsafe {
        asm!(
            "xchg esi, edx",
            "rep movsd",
            "mov ecx, eax",
            "rep movsb",
            "mov esi, edx",
            in("eax") n & 3,
            inout("edx") src => _,
            inout("edi") dst => _,
            inout("ecx") n >> 2 => _,
            options(nostack, preserves_flags),
        );
    }
    dst
}

/// Copies `n` bytes; the areas may overlap.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    if (dst as usize).wrapping_sub(src as usize) >= n {
        // SAFETY: ascending, each byte is read before it is overwritten.
        return unsafe { memcpy(dst, src, n) };
    }
    // SAFETY: descending, each byte is read before it is overwritten.
    unsafe {
        asm!(
            "std",
            "xchg esi, edx",
            "rep movsb",
            "mov esi, edx",
            "cld",
            inout("edx") src.wrapping_add(n).wrapping_sub(1) => _,
            inout("edi") dst.wrapping_add(n).wrapping_sub(1) => _,
            inout("ecx") n => _,
            options(nostack),
        );
    }
    dst
}

/// Fills `n` bytes with the low byte of `value`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(dst: *mut u8, value: i32, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, which is C's.
    unsafe {
        asm!(
            "rep stosd",
            "mov ecx, edx",
            "rep stosb",
            in("edx") n & 3,
            in("eax") u32::from(value as u8) * 0x0101_0101,
            inout("edi") dst => _,
            inout("ecx") n >> 2 => _,
            options(nostack, preserves_flags),
        );
    }
    dst
}

/// Compares `n` bytes: negative, 0 or positive as the first that differ.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    let (above, below): (u32, usize);
    // SAFETY: the caller's promise, which is C's. The first instruction makes "equal" the answer
    // for n = 0, where CMPSB does not run.
    unsafe {
        asm!(
            "cmp ecx, ecx",
            "xchg esi, edx",
            "repe cmpsb",
            "mov esi, edx",
            "seta al",
            "setb cl",
            inout("edx") a => _,
            inout("edi") b => _,
            inout("ecx") n => below,
            out("eax") above,
            options(nostack, readonly),
        );
    }
    i32::from(above as u8) - i32::from(below as u8)
}

/// Compares `n` bytes: 0 if they are equal.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the same promise.
    unsafe { memcmp(a, b, n) }
}

/// Bytes before the first 0.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(s: *const u8) -> usize {
    let left: usize;
    // SAFETY: the caller's promise, which is C's. ECX counts down from -1, the 0 included.
    unsafe {
        asm!(
            "repne scasb",
            in("al") 0u8,
            inout("edi") s => _,
            inout("ecx") usize::MAX => left,
            options(nostack, readonly),
        );
    }
    usize::MAX - left - 1
}
