//! The arena: the first program `referee` sets attackers upon a victim, and says what became of it (docs/attacks.md).
//!
//! An attacker is two programs of the same image, the attacker and its *accomplice*, each with an endpoint of its own
//! where the referee gives orders, and one where the other of the two sends. The victim is two programs of one image
//! too: a client that works by the clock, and the server that it calls, which attackers can call as well.

/// Name of the endpoint for orders: every program of the arena serves it.
pub const ORDERS: &str = "orders";
/// Name of the notification of which a bit is set when the attack is to end. Nobody takes the bit away for the others:
/// each program has one of its own.
pub const STOP: &str = "stop";
/// Name of the way to the victim's server, badged ([`attacker_badge`]).
pub const SERVER: &str = "server";
/// Name of the way to the transfer service's manager, for attacks that need it.
pub const TRANSFER: &str = super::transfer::TRANSFER;
/// Name of the endpoint by which the partner is sent to.
pub const PEER: &str = "peer";
/// Name of the endpoint where the partner's messages arrive.
pub const OWN: &str = "own";
/// Name of the root's endpoint that deals out memory, badged as at the server; it is also every attacker's pager.
pub const MEMORY: &str = "memory";
/// Name of a container of [`LENT_PAGES`] pages that are lent to the attacker, with Share and Edit, by attacks that need it
/// (designs without a pool).
pub const LENT: &str = "lent";
/// Pages of [`LENT`].
pub const LENT_PAGES: u32 = 4;

/// Words of an attack program's arguments, each `NAME=NUMBER`.
pub mod argument {
    /// 0: the attacker, 1: its accomplice.
    pub const ROLE: &str = "role=";
    /// Which of the attackers, from 0 on.
    pub const NUMBER: &str = "number=";
    /// How many there are.
    pub const ATTACKERS: &str = "attackers=";
    /// What its choices come from.
    pub const SEED: &str = "seed=";
    /// Of the victim: 0: the client, 1: the server.
    pub const PART: &str = "part=";
}

/// Priority of attackers' threads, and of what works for them: the lowest but that of idle ones. The victim's is higher, so that
/// what they do to it goes through the kernel or through the server, not through the scheduler.
pub const PRIORITY: u8 = 1;

/// Order with one capability, the partner's first thread, with Control: begin. Answered at once.
pub const BEGIN: u16 = 1;
/// Order, when the attack has been told to end. Answer: [`super::answer::DONE`] `[outcome, tries, successes, bytes]`, then that many bytes of
/// detail, four a word.
pub const VERDICT: u16 = 2;

/// [`VERDICT`]: nothing that was tried did what it must not.
pub const HELD: u32 = 0;
/// Something did.
pub const BROKEN: u32 = 1;
/// The design offers no way to try it.
pub const IMPOSSIBLE: u32 = 2;
/// It was not tried, for a reason that is no merit of the design's.
pub const UNTRIED: u32 = 3;

/// Order to the victim's client `[ticks, operations in a period]`: works for so many ticks, in periods of four. Answer: DONE with a [`Worked`].
pub const WORK: u16 = 3;

/// What the victim did in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Worked {
    /// Operations done.
    pub done: u32,
    /// Operations that failed.
    pub failed: u32,
    /// Number of the first error that one met.
    pub error: u32,
    /// Periods that it slept through or in which it did not get everything done.
    pub missed: u32,
    /// Cycles of the longest operation.
    pub longest: u32,
    /// The cycle counter, low half, when its first operation in this life was done ...
    pub first_low: u32,
    /// ... and the high half.
    pub first_high: u32,
}

impl Worked {
    /// As words of a message.
    pub const fn words(self) -> [u32; 7] {
        [self.done, self.failed, self.error, self.missed, self.longest, self.first_low, self.first_high]
    }

    /// The cycle counter when its first operation was done; 0: none has been.
    pub fn first(self) -> u64 {
        u64::from(self.first_low) | u64::from(self.first_high) << 32
    }

    /// From the words of a message; those that are missing are 0.
    pub fn from_words(words: &[u32]) -> Worked {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        Worked {
            done: word(0),
            failed: word(1),
            error: word(2),
            missed: word(3),
            longest: word(4),
            first_low: word(5),
            first_high: word(6),
        }
    }
}

/// The victim's client's badge at its server and at the root's memory.
pub const VICTIM: u32 = 1;
/// The victim's server's badge at the root's memory.
pub const VICTIM_SERVER: u32 = 2;
/// The badge of a client that starts beside the attackers.
pub const NEWCOMER: u32 = 3;
/// Badges of attackers' programs begin here.
const ATTACKERS: u32 = 16;

/// The badge of an attacker's program; `role` as in [`argument::ROLE`].
pub const fn attacker_badge(number: u32, role: u32) -> u32 {
    ATTACKERS + 2 * number + role
}

/// Server `[any, any]`. Answer: DONE with the same.
pub const ECHO: u16 = 0x10;
/// Server, with strings of at most [`STRING_MAX`] bytes. Answer: DONE `[bytes that came, sum of them]`. A page that is missing on
/// the client's side ends the transfer: the server waits for nobody.
pub const STRING: u16 = 0x11;
/// Server `[bytes]`, at most [`STRING_MAX`]: answer: DONE with a string of so many bytes, likewise.
pub const ANSWER: u16 = 0x12;
/// Server, with map items (designs with a pool), which go where the server's window is (its pages: [`WINDOW_LOG2`]). Answer: DONE.
pub const TAKE: u16 = 0x13;
/// Bytes that the server accepts, and answers, at most.
pub const STRING_MAX: u32 = 4096;
/// log2 of the pages of the server's window for map items.
pub const WINDOW_LOG2: u32 = 10;

/// Root's memory `[page, address]`: maps page `page` of the client's allotment (below [`PAGES`]) at `address` in the client's
/// space, by a map item in the answer; it is taken back from where it was before. Answer: DONE; FAILED with the error's
/// number. REFUSED: there is no such page, or the client has pages in [`BLOCKS`] blocks of 4 MiB already.
pub const MAP: u16 = 0x20;
/// Root's memory `[page]`: takes the page back. Answer: DONE.
pub const UNMAP: u16 = 0x21;
/// Pages that the root keeps for each client (designs with a pool).
pub const PAGES: u32 = 64;
/// Different blocks of 4 MiB in which the root will map for a client: each may cost a table of the kernel's.
pub const BLOCKS: u32 = 8;
