//! A thread's UTCB: message registers, time limits, slots for what arrives, ranges for `copy`.
//!
//! What must hold: a thread's stack pointer lies in the block of addresses that holds its UTCB
//! ([`layout::BLOCK`]). [`Utcb`] is a handle without references, so a thread can have any number of
//! them; it cannot be sent to another thread.

use core::arch::asm;

use freehold_abi::CapName;
use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::message::WORDS_MAX;

use crate::layout;

/// Message registers: the tag's, that of each word, and one more for an item's second half.
const REGISTERS_END: usize = WORDS_MAX as usize + 2;

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

/// A piece of memory that a message's strings come from, or go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First byte.
    pub address: u32,
    /// Bytes, at least 1.
    pub bytes: u32,
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
        // into its first kilobyte; the kernel writes there, hence volatile.
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

    /// Puts bytes into the message registers from `first` (3 or more) on, in as many words as they need; what a last
    /// word has beyond them is 0. They are for the very next call (see the crate's rule).
    ///
    /// # Panics
    /// If they do not fit.
    #[inline]
    pub fn put_bytes(self, first: usize, bytes: &[u8]) {
        let (place, words) = (self.registers(first, bytes.len()), bytes.len().div_ceil(4));
        if !bytes.len().is_multiple_of(4) {
            self.set(utcb::MESSAGE + first + words - 1, 0);
        }
        // SAFETY: `registers` has checked that they fit, nobody holds references into that part of the page, and the
        // kernel reads it in calls only, which the compiler takes for readers and writers of all memory.
        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Fills `bytes` out of the message registers from `first` (3 or more) on, which the last call left there.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn get_bytes(self, first: usize, bytes: &mut [u8]) {
        let place = self.registers(first, bytes.len());
        // SAFETY: as above; the kernel writes there in calls only.
        unsafe { place.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
    }

    /// Puts words into the message registers from `first` (3 or more) on. They are for the very next call.
    ///
    /// # Panics
    /// If they do not fit.
    #[inline]
    pub(crate) fn put_words(self, first: usize, words: &[u32]) {
        let place = self.registers(first, size_of_val(words)).cast();
        // SAFETY: as in `put_bytes`.
        unsafe { words.as_ptr().copy_to_nonoverlapping(place, words.len()) };
    }

    /// Fills `words` out of the message registers from `first` (3 or more) on, which the last call left there.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub(crate) fn get_words(self, first: usize, words: &mut [u32]) {
        let place = self.registers(first, size_of_val(words)).cast();
        // SAFETY: as in `get_bytes`.
        unsafe { words.as_mut_ptr().copy_from_nonoverlapping(place, words.len()) };
    }

    /// Where message register `first` is, which `bytes` follow.
    #[inline]
    fn registers(self, first: usize, bytes: usize) -> *mut u8 {
        assert!(first >= 3 && bytes <= (REGISTERS_END - first) * 4, "no such message registers");
        // SAFETY: within the page.
        unsafe { self.words.add(utcb::MESSAGE + first).cast() }
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

    /// The strings of the next message that says [`crate::Message::with_strings`], in this order.
    ///
    /// # Panics
    /// If there are more than 32.
    pub fn set_strings(self, strings: &[Part]) {
        self.set_parts(utcb::STRINGS_COUNT, utcb::STRINGS, strings);
    }

    /// Where the strings of the next message go that is received by a call which accepts strings.
    ///
    /// # Safety
    /// Until they are set anew, no Rust code relies on what lies in the buffers, or calls that accept strings
    /// are made only while they are the caller's to write.
    ///
    /// # Panics
    /// If there are more than 32.
    pub unsafe fn set_buffers(self, buffers: &[Part]) {
        self.set_parts(utcb::BUFFERS_COUNT, utcb::BUFFERS, buffers);
    }

    fn set_parts(self, count: usize, first: usize, parts: &[Part]) {
        assert!(parts.len() <= utcb::STRINGS_MAX);
        self.set(count, parts.len() as u32);
        for (index, part) in parts.iter().enumerate() {
            self.set(first + 2 * index, part.address);
            self.set(first + 2 * index + 1, part.bytes);
        }
    }

    /// Milliseconds that a transfer of strings which are sent may wait when a page is missing, here and at
    /// the receiver's. 0: it is stopped at once; [`FOREVER`]: no limit.
    pub fn set_send_faults(self, mine: u32, other: u32) {
        self.set(utcb::SEND_FAULT_MINE, mine);
        self.set(utcb::SEND_FAULT_OTHER, other);
    }

    /// The same for strings that are received: here, and at the sender's.
    pub fn set_receive_faults(self, mine: u32, other: u32) {
        self.set(utcb::RECEIVE_FAULT_MINE, mine);
        self.set(utcb::RECEIVE_FAULT_OTHER, other);
    }
}
