//! A fault in transit, at the receiver: a client has the server answer with strings, into a buffer of which a page is
//! missing. Its pager, its own, never answers, and the client would wait for it for ever.
//!
//! Success would mean that the server waits with it in its reply: the client's pager is asked about it, or the server leaves
//! a question unanswered. What stops it: of both parties' policies the stricter holds, and the server gives a client's pages
//! no time; the reply then ends the client's call with the fault, and is over for the server (invariant 17).

#![no_std]
#![no_main]

use freehold_attacks::messages::abyss::Side;
use freehold_attacks::messages::siege;
use freehold_attacks::{Evidence, Kit, attack};

/// Threads of each program.
const STALLERS: usize = 4;

attack!("transit-stall-receiver", run, run);

fn run(kit: &mut Kit) -> Evidence {
    siege::lay(kit, Side::Receiver, STALLERS)
}
