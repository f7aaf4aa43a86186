//! What is claimed, and whether it held. A claim that does not hold is a line on the console with what
//! was found, and makes the run fail.

use core::fmt::{Debug, Display};

use freehold_rt::println;

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

    /// Claims that `found` is `expected`. Returns whether it is.
    pub fn equal<T: PartialEq + Debug>(&mut self, what: impl Display, found: T, expected: T) -> bool {
        self.checks += 1;
        let holds = found == expected;
        if !holds {
            self.failed += 1;
            println!("FAILED: {what}: found {found:?}, expected {expected:?}");
        }
        holds
    }

    /// Claims that something succeeded, and returns what it gave.
    pub fn succeeds<T, E: Debug>(&mut self, what: impl Display, result: Result<T, E>) -> Option<T> {
        self.checks += 1;
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed += 1;
                println!("FAILED: {what}: {error:?}");
                None
            }
        }
    }
}
