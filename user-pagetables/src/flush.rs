//! What the TLB may still hold after an update (SDM vol. 3, 4.10; no PCID in 32-bit mode).
//!
//! The kernel runs on one processor and uses no user mapping except inside a copy, so a stale entry
//! does no harm before a program runs again, or before the frame behind it is cleared or changes
//! type. An update therefore returns what is due; the kernel pays it before either.
//!
//! A processor keeps no translation through an entry whose accessed bit is clear (4.10.2.2: it sets the bit before).
//! An entry is emptied by an exchange; if the bit was not set by then, nothing is due for it.

use crate::layout::FRAME;

/// The most pages that are flushed one by one: to forget everything costs about as much as to fill the TLB again,
/// and each page by itself costs some tens of cycles, so beyond a few pages everything is cheaper.
pub const PAGES_MAX: u32 = 16;

/// What an update left behind. Using it means giving it to [`Tlb::owe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a stale TLB entry may remain"]
pub enum Flush {
    /// Nothing: no translation that the processor may hold has changed.
    None,
    /// So many pages of the current space, from this address on.
    Pages(u32, u32),
    /// Everything but global entries.
    All,
}

impl Flush {
    /// What is due after both.
    pub const fn and(self, other: Flush) -> Flush {
        match (self, other) {
            (Flush::None, flush) | (flush, Flush::None) => flush,
            _ => Flush::All,
        }
    }
}

/// Proof that no stale translation is left: what was due has been paid.
#[derive(Debug)]
pub struct Settled(());

/// What is due at the moment.
#[derive(Debug, Default)]
pub struct Tlb {
    due: bool,
}

impl Tlb {
    /// Nothing due.
    pub const fn new() -> Tlb {
        Tlb { due: false }
    }

    /// Takes note of `flush`. `page` is called for single pages, which are paid at once.
    #[inline(always)]
    pub fn owe(&mut self, flush: Flush, mut page: impl FnMut(u32)) {
        match flush {
            Flush::None => {}
            Flush::Pages(first, count) if count <= PAGES_MAX => {
                if !self.due {
                    (0..count).for_each(|number| page(first + number * FRAME));
                }
            }
            Flush::Pages(..) | Flush::All => self.due = true,
        }
    }

    /// Whether CR3 must be loaded before a program runs.
    pub const fn is_due(&self) -> bool {
        self.due
    }

    /// Loads CR3 through `reload`, if that is due.
    pub fn settle(&mut self, reload: impl FnOnce()) -> Settled {
        if self.due {
            reload();
            self.due = false;
        }
        Settled(())
    }

    /// CR3 has been loaded for another reason, such as a switch of spaces.
    pub fn reloaded(&mut self) -> Settled {
        self.due = false;
        Settled(())
    }
}
