//! Buffers: each of the six ways, both directions, all sizes, whatever is missing, whoever trusts whom; and
//! clients that do not play along.

#![no_std]
#![no_main]

extern crate alloc;

mod duo;
mod hostile;
mod liars;
mod retries;
mod service;
mod ways;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    duo::prepare();
    service::prepare();
    scenario::run(
        "s93-buffer",
        &[
            ("registers", ways::registers),
            ("wired strings", ways::wired),
            ("touched strings", ways::touched),
            ("containers", ways::container),
            ("pull", ways::pull),
            ("the transfer service", service::service),
            ("strings and pull, faults by upcall", ways::upcall),
            ("touched in vain, then wired", retries::stolen),
            ("touched in vain, and not to be wired", retries::stolen_for_good),
            ("too few frames, too few pins", retries::scarce),
            ("fewer frames than pages to be touched", retries::tight),
            ("replies that are missing at the server", retries::missing_replies),
            ("the table of crossovers", retries::table),
            ("a way is chosen", retries::chosen),
            ("servers that lie", liars::lies),
            ("a server that forgets", liars::forgets),
            ("hostile: wrong counts, offsets, tickets", hostile::registers),
            ("hostile: wrong strings and ranges", hostile::memory),
            ("hostile: wrong capabilities", hostile::capabilities),
            ("hostile: a container taken back", hostile::revoked),
            ("hostile: clients that never come back", hostile::never),
        ],
    )
}
