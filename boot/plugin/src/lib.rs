//! Plugin of QEMU's code generator: what the guest executes and touches, seen from outside and without changing it.
//!
//! QEMU loads it (`-plugin FILE,mode=…,out=PATH`), and calls it for every instruction that is translated, executed, or
//! reaches memory. Modes:
//!
//! | mode | what its file says |
//! |---|---|
//! | `path` | of every section that a program times: instructions, crossings, CR3 loads, lines touched; and its path |
//!
//! Modules: [`arguments`], [`code`] and [`section`] are pure; [`path`] is the mode, a [`watch::Watch`]; `qemu`,
//! not part of what is tested on the host, is all that is unsafe.

// Of the tests, which do not run in QEMU, `qemu` is no part, and so what only it uses is used by nothing.
#![cfg_attr(test, allow(dead_code))]

pub mod arguments;
pub mod code;
pub mod path;
#[cfg(not(test))]
mod qemu;
pub mod section;
pub mod watch;

#[cfg(not(test))]
use anyhow::{Result, bail};

/// The mode that the arguments name.
#[cfg(not(test))]
fn mode(arguments: arguments::Arguments) -> Result<Box<dyn watch::Watch>> {
    Ok(match arguments.get("mode") {
        Some("path") => Box::new(path::Path::new(&arguments)?),
        other => bail!("mode={}: there is path", other.unwrap_or("")),
    })
}
