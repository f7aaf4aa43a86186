//! The run "service": the transfer service attacked, by clients that the first program plays itself, beside
//! real ones that behave well. docs/transfer-service.md says what must hold.
//!
//! | file | what |
//! |---|---|
//! | ground.rs | memory whose pages come and go |
//! | caller.rs | threads that call, and can be destroyed anywhere |
//! | looper.rs | clients that do the same over and over |
//! | stage.rs | the programs, and a client played beside them |
//! | replies.rs | requests and replies of many sizes, through the library |
//! | lies.rs | messages that no honest client sends, and what a client cannot name |
//! | names.rs | what the service and the server can name |
//! | strikes.rs | frames, capabilities, threads taken away at every step |
//! | deaths.rs | a client's program destroyed at every step |
//! | ends.rs | the server destroyed at every step; a server that is late, or slow |
//! | budgets.rs | a server that never answers a request, or RELEASE |
//! | sweep.rs | workers killed after any number of instructions |
//! | flood.rs | more clients than slices, opening and closing, sending pieces |
//! | waits.rs | clients that wait, and do not wait any more |
//! | together.rs | several clients at once; high and low priority |

mod budgets;
mod caller;
mod deaths;
mod ends;
mod flood;
mod ground;
mod lies;
mod looper;
mod names;
mod replies;
mod stage;
mod strikes;
mod sweep;
mod together;
mod waits;

use crate::claims::Claims;
use crate::services::Services;
use crate::tour::{Part, run_parts};

/// The parts.
const PARTS: [Part; 11] = [
    ("Requests and replies of many sizes, every page missing at first", replies::run),
    ("A client that lies", lies::run),
    ("What the service and the server can name", names::run),
    ("Struck at every step", strikes::run),
    ("A client's program destroyed at every step", deaths::run),
    ("The server destroyed at every step, or late", ends::run),
    ("A server that never answers", budgets::run),
    ("A worker killed after any instruction", sweep::run),
    ("Floods, and more clients than slices", flood::run),
    ("Clients that wait, and do not wait any more", waits::run),
    ("Several clients at once, of high and of low priority", together::run),
];

/// Runs it.
pub fn run(services: &Services, claims: &mut Claims) {
    run_parts(&PARTS, services, claims);
}
