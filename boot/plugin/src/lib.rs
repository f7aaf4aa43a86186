//! Plugin of QEMU's code generator: what the guest executes and touches, seen from outside and without changing it.
//!
//! QEMU loads it (`-plugin FILE,mode=…,out=PATH`), and calls it for every instruction that is translated, executed, or
//! reaches memory. Modes:
//!
//! | mode | what its file says |
//! |---|---|
//! | `path` | of every section that a program times: instructions, crossings, CR3 loads, lines touched; and its path |
//! | `latency` | how many stretches with interrupts off there were, and what the longest were |
//!
//! Modules: [`arguments`], [`code`], [`section`] and [`stretches`] are pure; [`path`] and [`latency`] are the modes, each
//! a [`watch::Watch`]; `qemu`, not part of what is tested on the host, is all that is unsafe.

// Of the tests, which do not run in QEMU, `qemu` is no part, and so what only it uses is used by nothing.
#![cfg_attr(test, allow(dead_code))]

pub mod arguments;
pub mod code;
pub mod latency;
pub mod path;
#[cfg(not(test))]
mod qemu;
pub mod section;
pub mod stretches;
pub mod watch;

#[cfg(not(test))]
use anyhow::{Result, bail};

/// The mode that the arguments name.
#[cfg(not(test))]
fn mode(arguments: arguments::Arguments) -> Result<Box<dyn watch::Watch>> {
    Ok(match arguments.get("mode") {
        Some("path") => Box::new(path::Path::new(&arguments)?),
        Some("latency") => Box::new(latency::Latency::new(&arguments)?),
        other => bail!("mode={}: there are path and latency", other.unwrap_or("")),
    })
}
