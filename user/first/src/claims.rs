//! What is claimed, and whether it held. Each claim is a line on the console; one that does not hold
//! says what was found, and makes the run fail.

use core::fmt::{Debug, Display};

use freehold_rt::println;

use crate::command;

/// The word of the kernel's command line that says so.
const HOST_TIME: &str = "host-time";

/// Counts claims.
#[derive(Debug, Default)]
pub struct Claims {
    checks: u32,
    failed: u32,
}

impl Claims {
    /// None so far.
    pub const fn new() -> Claims {
        Claims { checks: 0, failed: 0 }
    }

    /// How many were checked.
    pub fn checks(&self) -> u32 {
        self.checks
    }

    /// How many did not hold.
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Claims that something holds. Returns whether it does.
    pub fn holds(&mut self, what: impl Display, holds: bool) -> bool {
        self.checks += 1;
        self.failed += u32::from(!holds);
        println!("{} {what}", if holds { "  ok    " } else { "  FAILED" });
        holds
    }

    /// Claims that `found` is `expected`. Returns whether it is.
    pub fn equal<T: PartialEq + Debug>(&mut self, what: impl Display, found: T, expected: T) -> bool {
        if found == expected {
            return self.holds(what, true);
        }
        self.holds(format_args!("{what}: found {found:?}, expected {expected:?}"), false)
    }

    /// Claims that two measurements of time differ by at most `percent` of the smaller one. On a machine
    /// whose time is the host's they are only shown: what else the host does is part of them.
    pub fn close(&mut self, what: impl Display, (a, b): (u32, u32), percent: u32) -> bool {
        if command::says(HOST_TIME) {
            println!("  note   {what}: {a} and {b}, by the host's clock");
            return true;
        }
        let near = u64::from(a.abs_diff(b)) * 100 <= u64::from(a.min(b)) * u64::from(percent);
        self.holds(format_args!("{what}: {a} and {b} differ by at most {percent} %"), near)
    }

    /// Claims that `with` cycles are at most `percent`, and `slack` cycles, more than `without`. On a machine
    /// whose time is the host's they are only shown.
    pub fn no_slower(&mut self, what: impl Display, (without, with): (u64, u64), percent: u64, slack: u64) {
        if command::says(HOST_TIME) {
            println!("  note   {what}: {without} and {with} cycles, by the host's clock");
            return;
        }
        let near = with <= without + without * percent / 100 + slack;
        self.holds(format_args!("{what}: {without} and {with} cycles, at most {percent} % more"), near);
    }

    /// Claims that something succeeded, and returns what it gave.
    pub fn succeeds<T, E: Debug>(&mut self, what: impl Display, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                self.holds(what, true);
                Some(value)
            }
            Err(error) => {
                self.holds(format_args!("{what}: {error:?}"), false);
                None
            }
        }
    }
}
