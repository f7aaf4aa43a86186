//! What every Freehold program stands on: start-up, call stubs, messages, its own memory, printing,
//! and the means to start further programs. Mechanism only: who gets what is decided by programs.
//!
//! A program is `no_std`, names its main function with [`entry!`], and has a build script that hands
//! `link.ld` to the linker. What must hold for all of them: one UTCB a thread, found from the stack
//! pointer ([`Utcb`]); no message is ever left half-built in the UTCB, so printing and allocating are
//! possible anywhere: words that are put there go with the very next call, words that arrived are taken out before
//! it, and in between memory is copied and nothing else is done (an upcall for a page that is missing meanwhile
//! brings back what it used, `pager::upcall`); whoever gives memory away takes it out of the [`memory`] books first.
//!
//! | module | what |
//! |---|---|
//! | layout | where things lie in a program's space |
//! | start, start_page | from the first instruction to `main`; what a program is told |
//! | call, signal, calls | the entry into the kernel; the same for notifications; a function for every call |
//! | message, utcb | messages as values; the thread's own page |
//! | roots, memory, heap, slots | books on own frames and slots; mappings; the allocator |
//! | lock, time | a lock that sleeps; waiting |
//! | serial, console, records | a port; lines for people; lines for programs |
//! | machine, panic | the ends |
//! | image, load, child | ELF files; a program from one; its end |
//! | thread | further threads in the own space |
//! | pager | more pages than frames: the program pages itself |
//! | serve | a server's loop |
//! | trace | events noted for whoever asks |
//! | buffer | six ways to move a buffer in a call, client and server |
//! | transfer | large requests and replies through the transfer service, both sides |
//!
//! What does not touch the machine also compiles on the host, where its tests run.

#![cfg_attr(target_arch = "x86", no_std)]

extern crate alloc;

pub use freehold_abi as abi;
pub use freehold_abi::{CapName, Error, Rights, SlotRef, Tag};
pub use serde;
pub use serde_json;

pub mod buffer;
pub mod image;
pub mod layout;
pub mod message;
pub mod roots;
pub mod start_page;

#[cfg(target_arch = "x86")]
pub mod call;
#[cfg(target_arch = "x86")]
pub mod calls;
#[cfg(target_arch = "x86")]
pub mod child;
#[cfg(target_arch = "x86")]
pub mod console;
#[cfg(target_arch = "x86")]
pub mod heap;
#[cfg(target_arch = "x86")]
pub mod load;
#[cfg(target_arch = "x86")]
pub mod lock;
#[cfg(target_arch = "x86")]
pub mod machine;
#[cfg(target_arch = "x86")]
#[path = "../../../kernel/src/arch/ia32/mem.rs"]
mod mem;
#[cfg(target_arch = "x86")]
pub mod memory;
#[cfg(target_arch = "x86")]
pub mod pager;
#[cfg(target_arch = "x86")]
mod panic;
#[cfg(target_arch = "x86")]
pub mod records;
#[cfg(target_arch = "x86")]
pub mod serial;
#[cfg(target_arch = "x86")]
pub mod serve;
#[cfg(target_arch = "x86")]
pub mod signal;
#[cfg(target_arch = "x86")]
pub mod slots;
#[cfg(target_arch = "x86")]
pub mod start;
#[cfg(target_arch = "x86")]
pub mod thread;
#[cfg(target_arch = "x86")]
pub mod time;
#[cfg(target_arch = "x86")]
pub mod trace;
#[cfg(target_arch = "x86")]
pub mod transfer;
#[cfg(target_arch = "x86")]
pub mod utcb;

pub use message::Message;
#[cfg(target_arch = "x86")]
pub use utcb::Utcb;
