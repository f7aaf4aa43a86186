//! A function for every call of [`freehold_abi::Call`]. Names, units and errors are those of
//! docs/calls.md; what every call can answer is not repeated here: NoCapability (no such slot, or
//! empty), WrongKind, NoRight, Gone, and OutOfRange for an index outside a container.
//!
//! What must hold: a stub does what its call does and nothing else. Interrupted calls are started
//! again by the kernel, out of sight.
//!
//! The stubs are safe functions although a call can take away or replace memory that Rust code
//! relies on, as a process can by writing to a file that is its own memory. Who maps, unmaps or
//! reclaims names the memory; `memory` keeps the books that say whose it is. What
//! lets the kernel write at an address, [`copy_in`] and `Utcb::set_buffers`, is unsafe.

mod capability;
mod designs;
mod device;
mod info;
mod ipc;
mod make;
mod mapping;
mod strings;
mod thread;

pub use capability::*;
pub use designs::*;
pub use device::*;
pub use info::*;
pub use ipc::*;
pub use make::*;
pub use mapping::*;
pub use strings::*;
pub use thread::*;
