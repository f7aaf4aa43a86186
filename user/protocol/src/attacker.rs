//! The attacker: maps one frame wherever the kernel lets it, on [`ORDERS`].

/// Name of its endpoint.
pub const ORDERS: &str = "orders";
/// Name of the notification that ends an attack.
pub const STOP: &str = "stop";

/// Order: makes Tables of all memory, then maps one frame at every address where that succeeds. Answer: a
/// [`Flooded`].
pub const FLOOD: u16 = 1;
/// Order: fills all Tables and empties them, over and over, until a bit of [`STOP`] is set. The answer comes
/// at once, before the work begins.
pub const ATTACK: u16 = 2;
/// Order. Answer: what the last [`ATTACK`] came to, an [`Attacked`].
pub const RESULT: u16 = 3;

/// What a flood came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flooded {
    /// Mappings made.
    pub mapped: u32,
    /// Pages where something was mapped before: the program itself.
    pub occupied: u32,
    /// Status of the attempt at the first address behind the last Table.
    pub error_behind: u32,
    /// Blocks of 4 MiB in which the first attempt failed with NoTable.
    pub blocks_without_table: u32,
    /// Blocks in which it failed with PageTableArea.
    pub blocks_of_area: u32,
    /// Attempts that failed in any other way.
    pub other_errors: u32,
}

impl Flooded {
    /// As words of a message.
    pub const fn words(self) -> [u32; 6] {
        [
            self.mapped,
            self.occupied,
            self.error_behind,
            self.blocks_without_table,
            self.blocks_of_area,
            self.other_errors,
        ]
    }

    /// From the words of a message; those that are missing are 0.
    pub fn from_words(words: &[u32]) -> Flooded {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        Flooded {
            mapped: word(0),
            occupied: word(1),
            error_behind: word(2),
            blocks_without_table: word(3),
            blocks_of_area: word(4),
            other_errors: word(5),
        }
    }
}

/// What an attack came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Attacked {
    /// Mappings made.
    pub mapped: u32,
    /// Mappings taken back.
    pub unmapped: u32,
    /// Attempts that failed with NoTable: one for each time that all Tables were full.
    pub refused: u32,
}

impl Attacked {
    /// As words of a message.
    pub const fn words(self) -> [u32; 3] {
        [self.mapped, self.unmapped, self.refused]
    }

    /// From the words of a message; those that are missing are 0.
    pub fn from_words(words: &[u32]) -> Attacked {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        Attacked { mapped: word(0), unmapped: word(1), refused: word(2) }
    }
}
