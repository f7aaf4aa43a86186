//! Six ways to move a buffer in a call, for clients ([`Peer`]) and for servers ([`Server`], [`serve()`]).
//!
//! A call carries a request, a reply, or both; either is any number of bytes, and lies where the caller has
//! it. The ways differ in who copies, whose page faults stop what, and who has to trust whom:
//!
//! | way | who copies | a page missing at the client | at the server | trust |
//! |---|---|---|---|---|
//! | [`registers`] | both, 240 bytes a message | ordinary fault | ordinary fault | none |
//! | [`wired`] | the kernel | cannot happen: pinned | waits, or is tried again | none |
//! | [`touched`] | the kernel | stops; touched, tried again; wired after three | as wired | none |
//! | [`container`] | the client, if it does not work in the Table | ordinary fault, in the copy | – | both sides |
//! | [`service`] | a third task | the client's, who goes on there | the server's pager | in the service |
//! | [`pull`] | the server, by `copy` | the client's, who goes on there | ordinary fault | none |
//!
//! | file | what |
//! |---|---|
//! | peer | the client's side: what it knows about a server; the ways, by name or chosen |
//! | registers, wired, touched, container, service, pull | a way each: the client's function, the server's |
//! | strings | what wired and touched share |
//! | choose, crossover | which way is chosen; the measured table behind it |
//! | serve, places | the server's loop; what it keeps for its clients |
//! | wire | messages |
//!
//! What must hold. *Nobody waits for the memory of somebody that it does not trust:* a distrusting server
//! ([`Trust::Distrusting`]) gives the other side's page faults no time, names no slots for capabilities, and
//! dereferences nothing but its own memory; a distrusting client gives no time either. *A server keeps a bounded
//! amount for each client, and can drop it:* one buffer a client, given to another client when there are more
//! than buffers. A client whose buffer went hears of it: it sends its request again, a few times, unless the call may
//! have been carried out ([`Failure::Lost`]). So each call is carried out at most once.

pub mod choose;
pub mod crossover;

#[cfg(target_arch = "x86")]
pub mod container;
#[cfg(target_arch = "x86")]
mod failure;
#[cfg(target_arch = "x86")]
mod own;
#[cfg(target_arch = "x86")]
mod peer;
#[cfg(target_arch = "x86")]
mod places;
#[cfg(target_arch = "x86")]
pub mod pull;
#[cfg(target_arch = "x86")]
pub mod registers;
#[cfg(target_arch = "x86")]
mod serve;
#[cfg(target_arch = "x86")]
pub mod service;
#[cfg(target_arch = "x86")]
mod strings;
#[cfg(target_arch = "x86")]
pub mod touched;
#[cfg(target_arch = "x86")]
mod wire;
#[cfg(target_arch = "x86")]
pub mod wired;

#[cfg(target_arch = "x86")]
pub use failure::Failure;
#[cfg(target_arch = "x86")]
pub use peer::Peer;
#[cfg(target_arch = "x86")]
pub use serve::{Config, Request, Response, Server, serve};

/// A way to move a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// In message registers, as many messages as it takes.
    Registers,
    /// As a string, the client's memory pinned beforehand.
    Wired,
    /// As a string, the client's memory touched beforehand.
    Touched,
    /// In a Table of the client's that the server hooks.
    Container,
    /// By the transfer service.
    Service,
    /// By the server, out of ranges that the client declares.
    Pull,
}

impl Way {
    /// All six.
    pub const ALL: [Way; 6] =
        [Way::Registers, Way::Wired, Way::Touched, Way::Container, Way::Service, Way::Pull];

    /// Its name in records and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Registers => "registers",
            Way::Wired => "wired",
            Way::Touched => "touched",
            Way::Container => "container",
            Way::Service => "service",
            Way::Pull => "pull",
        }
    }
}

/// What a party makes of the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// It waits for the other one's page faults, and uses memory that the other one gives.
    Trusting,
    /// It does neither.
    Distrusting,
}

impl Trust {
    /// Its name in records and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Trust::Trusting => "trusting",
            Trust::Distrusting => "distrusting",
        }
    }

    /// Milliseconds that a transfer waits for the other side's pages.
    pub const fn patience(self) -> u32 {
        match self {
            Trust::Trusting => freehold_abi::layout::FOREVER,
            Trust::Distrusting => 0,
        }
    }
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// What the server's handler said; the protocol of the two gives it a meaning.
    pub status: u32,
    /// Bytes of the reply.
    pub bytes: u32,
    /// How it went.
    pub way: Way,
    /// How often a page was missing, or the server had dropped what it had, and it was tried again.
    pub retries: u32,
    /// Calls that it took.
    pub messages: u32,
}
