//! Physical memory through the direct map: the words that tables, nodes and sidecars are made of.
//!
//! What must hold: an address given here lies in RAM that the direct map covers, and the word is no
//! part of a live Rust object. The pure crates compute such addresses from frames of type Table,
//! Directory, Sidecar, CapNode or Kernel only; threads and UTCBs have their own accessors.

use freehold_abi::info::BootInfo;
use freehold_user_pagetables::Memory;

use crate::arch::paging::{DIRECT_MAP_END, to_virtual};

/// Bytes that are cleared by a store for each word: a slot.
const FEW: u32 = 32;

/// The direct map as [`Memory`].
pub struct Physical;

#[inline(always)]
fn pointer(address: u32) -> *mut u32 {
    debug_assert!(address < DIRECT_MAP_END && address.is_multiple_of(4));
    to_virtual(address) as *mut u32
}

impl Memory for Physical {
    #[cold]
    fn is_bounded(&self) -> bool {
        crate::hooks::has_credits()
    }

    #[inline(always)]
    fn load(&self, address: u32) -> u32 {
        // SAFETY: in the direct map and aligned, see above. While the kernel runs only page walks write it, and only
        // accessed and dirty bits, which are believed only as `swap` returns them: so it makes no difference that
        // the compiler may read once for twice, or twice for once.
        unsafe { pointer(address).read() }
    }

    #[inline(always)]
    fn store(&mut self, address: u32, word: u32) {
        // SAFETY: as above; nothing else holds a reference to it. What reads it behind the compiler's back, page walks
        // of programs and the copy routine, comes behind assembly that the compiler takes for a reader of all memory.
        unsafe { pointer(address).write(word) }
    }

    #[inline(always)]
    fn swap(&mut self, address: u32, word: u32) -> u32 {
        // SAFETY: as above. One atomic exchange, so that an accessed or dirty bit that a page walk
        // sets at the same time is either in the result or was never set (SDM vol. 3, 4.8).
        unsafe {
            core::sync::atomic::AtomicU32::from_ptr(pointer(address))
                .swap(word, core::sync::atomic::Ordering::Relaxed)
        }
    }

    #[inline]
    fn clear(&mut self, address: u32, bytes: u32) {
        // SAFETY: the range lies in one object, by the caller's account, and no reference to it is held.
        unsafe {
            if bytes <= FEW {
                return core::ptr::write_bytes(pointer(address), 0, bytes as usize / 4);
            }
            core::arch::asm!(
                "rep stosd",
                in("eax") 0,
                inout("edi") pointer(address) => _,
                inout("ecx") bytes / 4 => _,
                options(nostack, preserves_flags),
            );
        }
    }

    #[inline]
    fn zeros(&self, address: u32, words: u32) -> u32 {
        let left: u32;
        // SAFETY: the range lies in one object, as above, and is only read. The word that ends the scan is
        // counted by it, and so given back. XOR sets ZF, for no words at all.
        unsafe {
            core::arch::asm!(
                "xor eax, eax",
                "repe scasd",
                "je 2f",
                "inc ecx",
                "2:",
                out("eax") _,
                inout("edi") pointer(address) => _,
                inout("ecx") words => left,
                options(nostack, readonly),
            );
        }
        words - left
    }
}

/// Bytes of RAM that a boot loader left and that nobody writes.
///
/// # Safety
/// The range lies in RAM below [`DIRECT_MAP_END`] and is not written while the slice lives.
pub unsafe fn boot_bytes(address: u32, bytes: usize) -> &'static [u8] {
    // SAFETY: mapped, and unwritten by the caller's promise.
    unsafe { core::slice::from_raw_parts(to_virtual(address) as *const u8, bytes) }
}

/// Copies bytes of RAM to a frame that is nobody's yet: how the first program gets its pages.
pub fn fill(frame: u32, offset: u32, bytes: &[u8]) {
    assert!(offset as usize + bytes.len() <= 4096);
    let place = to_virtual(frame + offset) as *mut u8;
    // SAFETY: the frame is data that no program has seen and no reference points to.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) }
}

/// The boot information in its frame, which is clear, and nobody's yet.
pub fn boot_info(frame: u32) -> &'static mut BootInfo {
    const { assert!(size_of::<BootInfo>() <= 4096) };
    // SAFETY: the frame is clear, and zeros are a BootInfo; boot alone writes it, before the first
    // program can read it.
    unsafe { &mut *(to_virtual(frame) as *mut BootInfo) }
}
