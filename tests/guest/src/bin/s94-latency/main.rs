//! Every kind of long work, as long as it comes, so that how long interrupts are off can be measured from outside.
//!
//! What is checked in here is that the work is done. The kinds are those of the table in docs/performance.md, "The
//! longest stretch with interrupts off".

#![no_std]
#![no_main]

extern crate alloc;

mod lists;
mod mappings;
mod objects;
mod queues;
mod transfers;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s94-latency",
        &[
            ("mappings made", mappings::made),
            ("mappings made from words", mappings::validated),
            ("mappings taken back", mappings::unmapped),
            ("entries without mappings", mappings::empty),
            ("derivations taken back", mappings::revoked),
            ("roots lent", mappings::lent),
            ("frames reclaimed", mappings::reclaimed),
            ("objects made", objects::made),
            ("a Table full of mappings", objects::table),
            ("a Directory full of hooks", objects::directory),
            ("an area full of Tables", objects::area),
            ("nodes full of capabilities", objects::nodes),
            ("a node full of replies", objects::replies),
            ("objects with nothing in them", objects::reclaimed),
            ("a space full of threads", objects::threads),
            ("an endpoint that many wait on", queues::deleted),
            ("many that wait in vain", queues::refused),
            ("many whose items cannot be carried", queues::items),
            ("many time limits that pass at once", queues::timers),
            ("lists as long as they can be", lists::longest),
            ("strings in pieces", lists::pieces),
            ("bytes copied by a server", lists::copied),
            ("bytes to a port", lists::written),
            ("many transfers that stop at once", transfers::stopped),
            ("many that go on to receive", transfers::left),
        ],
    )
}
