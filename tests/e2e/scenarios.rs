//! The table of scenarios, in layers: what a later layer relies on is tested in an earlier one.

use std::time::Duration;

use crate::scenario::{Expect, Scenario};

/// Every scenario, in the order in which they start.
pub fn all() -> Vec<Scenario> {
    [harness(), boot(), inside()].into_iter().flatten().collect()
}

/// The harness itself: each way in which a guest can fail is seen as a failure of that kind, even if
/// the guest wrote a closing record that says that all is well; and a guest that does all that it
/// must is seen to pass.
fn harness() -> Vec<Scenario> {
    vec![
        Scenario::broken("succeeds", Expect::Pass("succeeds")),
        Scenario::broken("triple_faults", Expect::Reset),
        Scenario::broken("panics", Expect::Panic("KERNEL PANIC: on purpose")),
        Scenario::broken("lacks_a_feature", Expect::Unsupported("this processor lacks everything")),
        // It never ends, so it cannot be taken for something else however short the limit is.
        Scenario { time_limit: Duration::from_secs(3), ..Scenario::broken("hangs", Expect::Hang) },
        Scenario::broken("stays_silent", Expect::NoClosing),
        Scenario::broken("fails_a_claim", Expect::ClaimsFail),
        Scenario::broken("claims_nothing", Expect::ClaimsFail),
    ]
}

/// The kernel before its first program: what it cannot work with it refuses, and says so.
fn boot() -> Vec<Scenario> {
    vec![
        Scenario::alone("boot_without_modules", Expect::Panic("no first program")),
        Scenario { cpu: "486", ..Scenario::alone("boot_on_486", Expect::Unsupported("lacks")) },
    ]
}

/// The kernel as programs see it: one program of `freehold-guest-tests` each.
fn inside() -> Vec<Scenario> {
    vec![Scenario::of("s00-boot", "s00-boot")]
}
