//! memcpy, memmove, memset, memcmp, bcmp, strlen: the compiler expects them of every program.
//!
//! What must hold: a loop here may not become a call to the function itself, hence string
//! instructions; DF is clear on entry (the kernel sees to that) and on return. ESI cannot be an
//! operand of inline assembly, so it is exchanged with another register for the time it is needed.

use core::arch::asm;

/// Copies `count` bytes between areas that do not overlap.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise. Words first, then what is left.
    unsafe {
        asm!(
            "xchg esi, eax",
            "rep movsd",
            "mov ecx, edx",
            "rep movsb",
            "xchg esi, eax",
            inout("eax") from => _,
            inout("edi") to => _,
            inout("ecx") count / 4 => _,
            in("edx") count % 4,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// Copies `count` bytes between areas that may overlap.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= count {
        // SAFETY: `to` does not begin inside the source, so going up reads everything in time.
        return unsafe { memcpy(to, from, count) };
    }
    // SAFETY: `to` begins inside the source (so `count` > 0), so going down reads everything in time.
    unsafe {
        asm!(
            "xchg esi, eax",
            "std",
            "rep movsb",
            "cld",
            "xchg esi, eax",
            inout("eax") from.add(count - 1) => _,
            inout("edi") to.add(count - 1) => _,
            inout("ecx") count => _,
            options(nostack),
        );
    }
    to
}

/// Fills `count` bytes.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "rep stosd",
            "mov ecx, edx",
            "rep stosb",
            in("eax") u32::from(byte as u8) * 0x0101_0101,
            inout("edi") to => _,
            inout("ecx") count / 4 => _,
            in("edx") count % 4,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// Compares `count` bytes: the sign of the first difference.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    let (above, below): (u8, usize);
    // SAFETY: the caller's promise. The first instruction stands for "equal" if there is nothing to
    // compare; neither flag is set then.
    unsafe {
        asm!(
            "xchg esi, eax",
            "cmp ecx, ecx",
            "repe cmpsb",
            "mov esi, eax",
            "seta dl",
            "setb cl",
            inout("eax") left => _,
            inout("edi") right => _,
            inout("ecx") count => below,
            lateout("dl") above,
            options(nostack, readonly),
        );
    }
    i32::from(above) - i32::from(below as u8)
}

/// Compares `count` bytes: 0 if they are equal.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    // SAFETY: the same promise.
    unsafe { memcmp(left, right, count) }
}

/// Bytes before the first 0.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let left: usize;
    // SAFETY: the caller's promise. ECX counts down from the largest number, the 0 included.
    unsafe {
        asm!(
            "repne scasb",
            in("al") 0u8,
            inout("edi") text => _,
            inout("ecx") usize::MAX => left,
            options(nostack, readonly),
        );
    }
    usize::MAX - 1 - left
}
