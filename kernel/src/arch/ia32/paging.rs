//! The address map, and the kernel half of directories.
//!
//! | addresses | what |
//! |---|---|
//! | 0 – 3 GiB | the space's own |
//! | 0xC000_0000 – 0xFF00_0000 | direct map: physical 0 – 1008 MiB in 4 MiB pages |
//! | 0xFF00_0000 – 0xFF80_0000 | copy window: empty except during a copy |
//! | 0xFF80_0000 – 4 GiB | nothing |
//!
//! What must hold: the kernel half of all directories is the same, but for the window; it never
//! changes once [`kernel_half`] has been called.

use core::cell::UnsafeCell;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};

use super::cpu;

/// Where the kernel half begins, and with it the direct map.
pub const KERNEL_BASE: u32 = 0xC000_0000;
/// First directory entry of the kernel half.
pub const KERNEL_FIRST_TABLE: usize = 768;
/// Directory entries of the direct map.
pub const DIRECT_MAP_TABLES: usize = 252;
/// End of the physical memory that the kernel can reach, and so use: 1008 MiB.
pub const DIRECT_MAP_END: u32 = (DIRECT_MAP_TABLES as u32) << 22;
/// The two directory entries of the copy window.
pub(super) const WINDOW_TABLE: usize = KERNEL_FIRST_TABLE + DIRECT_MAP_TABLES;
const ENTRIES: usize = 1024;

/// Bits of directory and table entries (SDM vol. 3, 4.3).
pub mod entry_bits {
    /// Maps something.
    pub const PRESENT: u32 = 1 << 0;
    /// May be written.
    pub const WRITE: u32 = 1 << 1;
    /// May be used by ring 3.
    pub const USER: u32 = 1 << 2;
    /// In a directory: maps 4 MiB itself.
    pub const LARGE: u32 = 1 << 7;
    /// Survives a load of CR3.
    pub const GLOBAL: u32 = 1 << 8;
}

/// A page directory.
#[repr(C, align(4096))]
pub(super) struct Directory(UnsafeCell<[u32; ENTRIES]>);

// SAFETY: entries are read and written as words, through raw pointers, with interrupts off.
unsafe impl Sync for Directory {}

/// The first directory; its user half stays empty, so it is where the kernel stands when no space
/// is current.
pub(super) static BOOT_DIRECTORY: Directory = Directory(UnsafeCell::new([0; ENTRIES]));

/// Directory entries of the direct map that map memory, from its first on.
static DIRECT_MAP_USED: AtomicU32 = AtomicU32::new(DIRECT_MAP_TABLES as u32);

/// Physical address of the directory that has a kernel half and nothing else.
pub fn boot_directory() -> u32 {
    to_physical(BOOT_DIRECTORY.0.get() as u32)
}

/// The physical address behind `address` of the direct map.
#[inline]
pub const fn to_physical(address: u32) -> u32 {
    address.wrapping_sub(KERNEL_BASE)
}

/// Where the direct map has `physical`, below [`DIRECT_MAP_END`].
#[inline]
pub const fn to_virtual(physical: u32) -> u32 {
    physical.wrapping_add(KERNEL_BASE)
}

/// The physical addresses of the kernel's image, .bss included; whole pages.
pub fn kernel_image() -> Range<u32> {
    unsafe extern "C" {
        static kernel_image_start: u8;
        static kernel_image_end: u8;
    }
    to_physical(&raw const kernel_image_start as u32)..to_physical(&raw const kernel_image_end as u32)
}

/// Entry `index` of the directory at `physical`, in the direct map.
#[inline]
pub(super) fn entry(physical: u32, index: usize) -> *mut u32 {
    debug_assert!(index < ENTRIES && physical.is_multiple_of(4096) && physical < DIRECT_MAP_END);
    (to_virtual(physical) as *mut u32).wrapping_add(index)
}

/// Cuts the direct map down to the memory that exists: whole 4 MiB below `ram_top`, rounded up.
/// To be called before [`copy_kernel_half`] is.
pub fn kernel_half(ram_top: u32) {
    let tables = (ram_top.div_ceil(4 << 20) as usize).min(DIRECT_MAP_TABLES);
    for index in KERNEL_FIRST_TABLE + tables..WINDOW_TABLE {
        // SAFETY: nothing the kernel uses lies above `ram_top`.
        unsafe { entry(boot_directory(), index).write_volatile(0) }
        // Global entries survive a load of CR3.
        cpu::invlpg((index as u32) << 22);
    }
    DIRECT_MAP_USED.store(tables as u32, Ordering::Relaxed);
}

/// Writes what the kernel half of a new directory at `physical` begins with: the direct map. Returns the
/// physical address behind that; from there on all is to be zero.
///
/// # Safety
/// The frame is a directory to be, in use for nothing else.
pub unsafe fn copy_kernel_half(physical: u32) -> u32 {
    let used = DIRECT_MAP_USED.load(Ordering::Relaxed);
    let (from, to) = (entry(boot_directory(), KERNEL_FIRST_TABLE), entry(physical, KERNEL_FIRST_TABLE));
    // SAFETY: two directories, in the direct map. The window, which may be open in the boot directory, lies
    // behind the direct map.
    unsafe { to.copy_from_nonoverlapping(from, used as usize) };
    physical + 4 * (KERNEL_FIRST_TABLE as u32 + used)
}
