//! A thread's UTCB: message registers, time limits, slots for what arrives, ranges for `copy`.
//!
//! What must hold: a thread's stack pointer lies in the block of addresses that holds its UTCB
//! ([`layout::BLOCK`]). [`Utcb`] is a handle without references, so a thread can have any number of
//! them; it cannot be sent to another thread.

use core::arch::asm;

use freehold_abi::CapName;
use freehold_abi::layout::{FOREVER, utcb};

use crate::layout;

/// A handle to the current thread's UTCB.
#[derive(Clone, Copy)]
pub struct Utcb {
    /// A raw pointer also keeps the handle in its thread.
    words: *mut u32,
}

/// A range of the caller's memory that the receiver of its call may `copy` from, or to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First byte.
    pub address: u32,
    /// Bytes, below 2³¹.
    pub bytes: u32,
    /// Whether the other side may write it.
    pub writable: bool,
}

impl Utcb {
    /// The UTCB of the thread that asks.
    #[inline(always)]
    pub fn current() -> Utcb {
        let stack: u32;
        // SAFETY: reads a register.
        unsafe { asm!("mov {}, esp", out(reg) stack, options(nomem, nostack, preserves_flags)) };
        Utcb { words: layout::utcb_of(stack) as *mut u32 }
    }

    /// Its address.
    pub fn address(self) -> u32 {
        self.words as u32
    }

    /// Word `index` of the page.
    ///
    /// # Panics
    /// If the index is beyond what kernel and thread share.
    #[inline]
    pub fn get(self, index: usize) -> u32 {
        assert!(index < utcb::FREE_BYTES as usize / 4);
        // SAFETY: the page is mapped for as long as the thread lives, and nobody holds references
        // into its first 512 bytes; the kernel writes there, hence volatile.
        unsafe { self.words.add(index).read_volatile() }
    }

    /// Sets word `index` of the page.
    ///
    /// # Panics
    /// As [`Utcb::get`].
    #[inline]
    pub fn set(self, index: usize, word: u32) {
        assert!(index < utcb::FREE_BYTES as usize / 4);
        // SAFETY: as above.
        unsafe { self.words.add(index).write_volatile(word) }
    }

    /// Milliseconds that sending, and receiving or waiting for a reply, may take from now on. 0: not at
    /// all; [`FOREVER`]: no limit. Returns what they were.
    pub fn set_limits(self, (send, receive): (u32, u32)) -> (u32, u32) {
        let before = (self.get(utcb::SEND_LIMIT), self.get(utcb::RECEIVE_LIMIT));
        self.set(utcb::SEND_LIMIT, send);
        self.set(utcb::RECEIVE_LIMIT, receive);
        before
    }

    /// Does `work` under these limits.
    pub fn within<R>(self, limits: (u32, u32), work: impl FnOnce() -> R) -> R {
        let before = self.set_limits(limits);
        let result = work();
        self.set_limits(before);
        result
    }

    /// What a new thread must do first: a clear UTCB says that no wait may take any time.
    pub(crate) fn remove_limits(self) {
        self.set_limits((FOREVER, FOREVER));
    }

    /// The slots that capabilities of the next message go into: `count` of them, from `first` on, all
    /// empty. With `count` 0, messages with capabilities are refused.
    pub fn set_slots(self, first: CapName, count: u32) {
        self.set(utcb::SLOTS_FIRST, first.0);
        self.set(utcb::SLOTS_COUNT, count);
    }

    /// What the next call declares, if its message says [`crate::Message::with_ranges`].
    ///
    /// # Panics
    /// If there are more than four ranges.
    pub fn set_ranges(self, ranges: &[Range]) {
        assert!(ranges.len() <= utcb::RANGES_MAX);
        self.set(utcb::RANGES_COUNT, ranges.len() as u32);
        for (index, range) in ranges.iter().enumerate() {
            let writable = if range.writable { utcb::RANGE_WRITABLE } else { 0 };
            self.set(utcb::RANGES + 2 * index, range.address);
            self.set(utcb::RANGES + 2 * index + 1, range.bytes & !utcb::RANGE_WRITABLE | writable);
        }
    }
}
