//! What the attacks by messages, transfers and time have in common.
//!
//! | file | what |
//! |---|---|
//! | abyss.rs | memory that is never paged in, and threads that send it or receive into it |
//! | crowd.rs | as many threads as memory allows |
//! | clock.rs | whether interrupts were off for long |
//! | client.rs | a client of the transfer service that says what it likes |
//! | siege.rs | such threads around the victim's server, and questions whether it still answers |
//! | scribbler.rs | a thread whose UTCB another one overwrites in the middle of its calls |
//!
//! Addresses: they use those from 0x6000_0000 on.

pub mod abyss;
pub mod client;
pub mod clock;
pub mod crowd;
pub mod scribbler;
pub mod siege;
