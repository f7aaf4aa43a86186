//! The copy window: eight mebibytes of another space, seen from the current one.
//!
//! What must hold: its two directory entries are empty except between [`Window::open`] and
//! [`Window::close`], and in the short path for strings, which has its own of both; meanwhile the kernel only
//! copies, and notes interrupts. They never carry the user bit, so ring 3 could not use them anyway, and never show
//! anything of the other directory's kernel half.
//! Rights stay the tables' own; only a right that the directory entry withheld is withheld here
//! too, since the entry is taken over whole.

use freehold_user_pagetables::Flush;

use super::paging::{KERNEL_FIRST_TABLE, WINDOW_TABLE, entry, entry_bits};

/// Where it begins.
pub(super) const WINDOW_BASE: u32 = (WINDOW_TABLE as u32) << 22;
const BLOCK: u32 = 4 << 20;

/// An open window.
#[must_use = "an open window has to be closed"]
#[derive(Debug)]
pub struct Window {
    current: u32,
    /// First byte that it shows.
    shown: u32,
}

impl Window {
    /// Shows, in the directory at physical `current` (the one in CR3), what the directory at
    /// physical `other` maps from `address` (below 3 GiB) on, to the end of the following 4 MiB.
    /// No flush is needed: there was nothing.
    ///
    /// # Safety
    /// Both are directories; `other`'s tables do not change while the window is open.
    #[inline]
    pub unsafe fn open(current: u32, other: u32, address: u32) -> Self {
        let index = (address >> 22) as usize;
        debug_assert!(index < KERNEL_FIRST_TABLE);
        // SAFETY: the entries of `other` that are read belong to its user half; those of `current`
        // that are written belong to the window.
        unsafe {
            let first = entry(other, index).read_volatile();
            entry(current, WINDOW_TABLE).write_volatile(first & !entry_bits::USER);
            if index + 1 < KERNEL_FIRST_TABLE {
                let second = entry(other, index + 1).read_volatile();
                entry(current, WINDOW_TABLE + 1).write_volatile(second & !entry_bits::USER);
            }
        }
        Self { current, shown: address - address % BLOCK }
    }

    /// Where `address` is to be found, if it and the `bytes` behind it (at most 4 MiB) are shown.
    #[inline]
    pub const fn find(&self, address: u32, bytes: u32) -> Option<u32> {
        if address.wrapping_sub(self.shown) > 2 * BLOCK - bytes {
            return None;
        }
        Some(self.address(address))
    }

    /// Where `address`, which is shown, is to be found.
    #[inline]
    pub const fn address(&self, address: u32) -> u32 {
        WINDOW_BASE + address.wrapping_sub(self.shown)
    }

    /// Empties the window. What was seen through it is still in the TLB.
    #[inline]
    pub fn close(self) -> Flush {
        // SAFETY: the entries belong to the window.
        unsafe {
            entry(self.current, WINDOW_TABLE).write_volatile(0);
            entry(self.current, WINDOW_TABLE + 1).write_volatile(0);
        }
        Flush::All
    }
}
