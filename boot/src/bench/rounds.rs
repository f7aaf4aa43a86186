//! What the rounds of a measurement took.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// The rounds of a measurement, in its unit. One iteration of a string instruction counts as one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// How many.
    pub n: u64,
    /// The least of them.
    pub min: u64,
    /// The one in the middle.
    pub median: u64,
    /// More than 99 of 100.
    pub p99: u64,
    /// The most.
    pub max: u64,
}

impl Rounds {
    /// Looks at whether they can be what somebody measured.
    ///
    /// # Errors
    /// There is none, or they are not in order.
    pub fn check(&self) -> Result<()> {
        ensure!(self.n > 0, "no round was made");
        let sorted = [self.min, self.median, self.p99, self.max].is_sorted();
        ensure!(sorted, "min, median, p99 and max are not in order");
        Ok(())
    }
}
