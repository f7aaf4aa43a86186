//! The client as the attacker's victim: short calls to the server, each of them measured.

/// Order `[calls]`: calls [`ECHO`] so often and measures each call. The answer comes when that is done;
/// REFUSED if there is no server, or no memory; FAILED with an error's number if a call failed (0: the
/// answer was wrong).
pub const MEASURE: u16 = 0x100;
/// Order. Answer: what the last [`MEASURE`] found, a [`Measured`].
pub const RESULT: u16 = 0x101;

/// To the server, `[any, any]`. Answer: the same.
pub const ECHO: u16 = 0x102;

/// Cycles that calls took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Measured {
    /// Calls made.
    pub calls: u32,
    /// The shortest.
    pub min: u32,
    /// As many took less as took more.
    pub median: u32,
    /// One of a hundred took longer.
    pub p99: u32,
    /// The longest.
    pub max: u32,
}

impl Measured {
    /// As words of a message.
    pub const fn words(self) -> [u32; 5] {
        [self.calls, self.min, self.median, self.p99, self.max]
    }

    /// From the words of a message; those that are missing are 0.
    pub fn from_words(words: &[u32]) -> Measured {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        Measured { calls: word(0), min: word(1), median: word(2), p99: word(3), max: word(4) }
    }
}
