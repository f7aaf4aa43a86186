//! Numbers that look random and are the same in every run.

/// A generator (xorshift32).
#[derive(Clone, Debug)]
pub struct Random(u32);

impl Random {
    /// The generator with this seed, which is not 0.
    pub const fn new(seed: u32) -> Random {
        Random(seed)
    }

    /// The next number, never 0.
    pub const fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: u32) -> u32 {
        (self.word() >> 4) % end
    }

    /// One of `choices`.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }
}
