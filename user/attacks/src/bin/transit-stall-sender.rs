//! A fault in transit, at the sender: a client sends the server strings of which a page is missing. Its pager, its own, never
//! answers, and the client would wait for it for ever.
//!
//! Success would mean that the server waits with it: the client's pager is asked about a transfer with the server, or the
//! server leaves a question unanswered. (L4 X.2 cannot prevent it: its one transfer timeout counts for both sides' faults.)
//! What stops it: of both parties' policies the stricter holds, and the server gives a client's pages no time; a fault on the
//! sender's side then ends the sender's call, and the server goes on receiving (invariant 17).

#![no_std]
#![no_main]

use freehold_attacks::messages::abyss::Side;
use freehold_attacks::messages::siege;
use freehold_attacks::{Evidence, Kit, attack};

/// Threads of each program.
const STALLERS: usize = 4;

attack!("transit-stall-sender", run, run);

fn run(kit: &mut Kit) -> Evidence {
    siege::lay(kit, Side::Sender, STALLERS)
}
