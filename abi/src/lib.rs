//! The contract between the kernel and its programs: everything that both sides must agree on, and
//! nothing else.
//!
//! What must hold: no unsafe code, no policy, no dependency. A number that appears here is stable
//! within a release; CHANGELOG.md says when one changes.
//!
//! # How a call is made
//!
//! | register | in | out |
//! |---|---|---|
//! | EAX | call number (bits 0–7), immediate (bits 8–31) | status: 0, or an [`Error`] |
//! | EBX, ESI, EDI, EBP | arguments | results |
//! | ECX | the caller's stack pointer | undefined |
//! | EDX | address of the byte after the entry instruction | undefined |
//!
//! The entry instruction is `sysenter` where the processor has it, else `int 0x80`; both are two
//! bytes long, and a call that must be restarted resumes at EDX − 2 with every register as it
//! should be for the rest of the work. After a call DF, NT and AC are clear.
//! `docs/calls.md` is the reference: for each call its arguments, results and errors.

#![no_std]
#![forbid(unsafe_code)]

pub mod call;
pub mod designs;
pub mod error;
pub mod fault;
pub mod info;
pub mod layout;
pub mod message;
pub mod names;
pub mod rights;
pub mod update;

pub use call::Call;
pub use error::Error;
pub use message::Tag;
pub use names::{CapName, SlotRef};
pub use rights::Rights;
