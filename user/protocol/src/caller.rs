//! The caller: carries out scenarios, a cell at a time, on [`ORDERS`].
//!
//! Case, way, residency are numbers: places in [`CASES`](super::scenario::CASES), `rt::buffer::Way::ALL` and
//! [`RESIDENCIES`](super::scenario::RESIDENCIES). Whether the two trust each other they are told when they start.

/// Name of its endpoint.
pub const ORDERS: &str = "orders";

/// Argument of both programs: they trust each other.
pub const TRUSTING: &str = "trusting";
/// Argument of both programs: neither trusts the other.
pub const DISTRUSTING: &str = "distrusting";

/// Where memory that it lends to the server lies, behind the beginning of its own addresses. Under a design with a pool
/// whoever starts it has put pages there.
pub const SHARED_BEHIND: u32 = 4 << 20;
/// Bytes of that: for the largest request, or reply, and a page for the other.
pub const SHARED_BYTES: u32 = super::files::DATA_BYTES + 4096;

/// Order `[case, way, residency, rounds]`: the call once to warm up and then so often, each time with the buffers as
/// the residency says. Answer: DONE with a [`Measured`], or [`NOT_POSSIBLE`].
pub const RUN: u16 = 1;
/// Order `[case, way, residency]`: the call once more, while a bystander of a priority between the caller's and its
/// pager's calls the server as soon as it can: if the caller waits for its pager, then. Answer: DONE with
/// `[1 if the bystander called while the call was under way, 1 if it had its answer before the pager did anything]`,
/// or [`NOT_POSSIBLE`].
pub const BESIDE: u16 = 2;
/// Order `[case, way, residency]`: the call once to warm up, then once while caller and server note what happens
/// ([`super::trace`]). Answer: as [`RUN`]'s.
pub const WATCHED: u16 = 3;
/// Order `[rounds]`: an empty call by registers, so often. Answer: DONE with a [`Measured`].
pub const NULL: u16 = 4;

/// Answer: the cell cannot be carried out. Its bytes (`rt::message::bytes`) say why; the word of the protocol's own
/// is 1 if a program refused, 0 if something failed.
pub const NOT_POSSIBLE: u16 = 16;

/// What the rounds of a cell came to. Counts are those of the last round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Measured {
    /// Rounds.
    pub rounds: u32,
    /// The shortest, in cycles.
    pub min: u32,
    /// As many took less as took more.
    pub median: u32,
    /// One of a hundred took longer.
    pub p99: u32,
    /// The longest.
    pub max: u32,
    /// Bytes of the request and the reply.
    pub bytes: u32,
    /// Messages that the caller sent.
    pub messages: u32,
    /// Space switches.
    pub switches: u32,
    /// Page faults of the caller.
    pub client_faults: u32,
    /// Page faults of the server.
    pub server_faults: u32,
    /// Pages that the caller's pager brought, by faults or because they were asked for.
    pub client_pages: u32,
    /// Pages that the server's pager brought.
    pub server_pages: u32,
    /// Messages that were stopped by a fault and sent once more.
    pub retries: u32,
    /// Cycles from when the server has the whole request until it has made the reply: the same in every way, but for
    /// the page faults that it meets meanwhile.
    pub work: u32,
    /// Rounds with a wrong reply, or a wrong effect.
    pub wrong: u32,
}

impl Measured {
    /// As words of a message.
    pub const fn words(self) -> [u32; 15] {
        [
            self.rounds,
            self.min,
            self.median,
            self.p99,
            self.max,
            self.bytes,
            self.messages,
            self.switches,
            self.client_faults,
            self.server_faults,
            self.client_pages,
            self.server_pages,
            self.retries,
            self.work,
            self.wrong,
        ]
    }

    /// From the words of a message; those that are missing are 0.
    pub fn from_words(words: &[u32]) -> Measured {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        Measured {
            rounds: word(0),
            min: word(1),
            median: word(2),
            p99: word(3),
            max: word(4),
            bytes: word(5),
            messages: word(6),
            switches: word(7),
            client_faults: word(8),
            server_faults: word(9),
            client_pages: word(10),
            server_pages: word(11),
            retries: word(12),
            work: word(13),
            wrong: word(14),
        }
    }
}
