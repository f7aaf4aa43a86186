//! The record of a cell: what `./x attack` and papers read.

use alloc::string::String;

use serde::Serialize;

/// One number of attackers. The victim's ratio is left to who reads it: programs without the FPU know no fractions.
#[derive(Serialize)]
pub struct Record<'a> {
    /// Name of the attack.
    pub attack: &'a str,
    /// Name of the design.
    pub design: &'a str,
    /// How many attackers there were.
    pub attackers: u32,
    /// `impossible`, `held`, `untried`, `degraded` or `broken`.
    pub outcome: &'a str,
    /// How, in words.
    pub detail: String,
    /// Bytes of kernel memory in use at the worst moment that was seen: what the kernel allocated after boot, and what was in use of
    /// its pool.
    pub kernel_bytes: u32,
    /// Bytes that the pool has.
    pub pool_bytes: u32,
    /// Bytes that were charged to the attackers' spaces at the end of the window.
    pub charged_bytes: u32,
    /// Operations that the victim did beside the attackers.
    pub victim_ops: u32,
    /// Operations that it did alone.
    pub victim_ops_alone: u32,
    /// Its operations that failed beside them.
    pub victim_failed: u32,
    /// Periods of four ticks that it missed, or in which it did not get everything done.
    pub victim_missed: u32,
    /// Cycles of its longest operation, alone and beside them.
    pub victim_longest_alone: u32,
    /// See there.
    pub victim_longest: u32,
    /// Times that the attackers tried, all together.
    pub tries: u32,
    /// Times that they succeeded.
    pub successes: u32,
    /// Cycles from the machine's start until the boot's first victim had done its first operation.
    pub first_service: u64,
    /// Cycles from when the referee began to start another client, beside the attackers, until that had done its first operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newcomer_service: Option<u64>,
    /// Frames that did not come back.
    pub frames_lost: u32,
    /// Bytes of the pool that did not come back.
    pub pool_lost: u32,
    /// Cycles that taking back lent pages took, where that was tried and came to an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_cycles: Option<u64>,
    /// The most steps that the lender had granted for it, where the design has such a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_bound: Option<u32>,
}
