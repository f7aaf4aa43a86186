//! The host side of Freehold: everything that `./x` does.
//!
//! Host code is built by the workspace's own cargo call; guest code (the kernel and the programs,
//! for ia32) is built by a nested one whose compiler and flags [`toolchain`] alone decides.
//! [`guest`] builds, [`qemu`] boots, [`outcome`] judges, [`plugin`]
//! looks on where something is to be watched; the commands ([`run`], [`mod@test`], [`mod@bench`],
//! [`attack`], [`experiment`], [`check`], [`gdb`]) put these together. What the host needs from the machine is asked for in [`install`].
//!
//! A boot has passed only if QEMU ended with the status that the guest alone can cause *and* the
//! guest's last record says that it made checks and none failed. Everything else is a failure.
#![forbid(unsafe_code)]

pub mod args;
pub mod attack;
pub mod bench;
pub mod check;
pub mod design;
pub mod experiment;
pub mod gdb;
pub mod guest;
pub mod install;
pub mod jobs;
pub mod libtest;
pub mod outcome;
pub mod plugin;
pub mod qemu;
pub mod records;
pub mod run;
pub mod suite;
pub mod test;
pub mod toolchain;
pub mod workspace;
