//! What this crate needs from its surroundings: the words of physical memory, and leave to go on.

/// Physical memory, by the word. Addresses are multiples of four.
///
/// What must hold: a word reads as it was last written, here or by the page walks of the hardware
/// (which set accessed and dirty bits and nothing else).
pub trait Memory {
    /// Reads a word.
    fn load(&self, address: u32) -> u32;
    /// Writes a word.
    fn store(&mut self, address: u32, word: u32);
    /// Writes a word and returns what it replaced, in one step that the hardware cannot divide.
    fn swap(&mut self, address: u32, word: u32) -> u32;
    /// Writes zeros. Both numbers are multiples of four.
    fn clear(&mut self, address: u32, bytes: u32);
    /// Whether totals bound what can be derived ([`freehold_captree::Slots::is_bounded`]). If not, a mapping that stays the
    /// only one of its frame ([`Meta::is_sole`](crate::Meta::is_sole)) is bound by its total all the same.
    fn is_bounded(&self) -> bool {
        true
    }
    /// How many words from `address` on are zero before the first that is not: `words` if all are.
    fn zeros(&self, address: u32, words: u32) -> u32 {
        (0..words).take_while(|word| self.load(address + 4 * word) == 0).count() as u32
    }
}

/// Units of work between preemption checks (one node or entry, or 256 bytes cleared or looked through).
pub trait Budget {
    /// Takes `units` for work that is done next; `false`: stop before it, in a state that can be
    /// taken up again.
    fn spend(&mut self, units: u32) -> bool;
    /// Takes up to `most` units, at least 1, for a piece of work that is done next without a stop; 0: stop
    /// before it.
    fn take(&mut self, most: u32) -> u32;
    /// Gives units back that were taken and not used.
    fn give_back(&mut self, units: u32);
}

/// How far a preemptible piece of work got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// Nothing is left to do.
    Done,
    /// The budget ended; the same call goes on from here.
    Preempted,
}
