//! The transfer service: carries a client's requests to the server and its replies back, through page faults on
//! every side, so that a fault hurts nobody but the one whose memory it is. docs/transfer-service.md tells the
//! protocol, its budgets, and who may do what.
//!
//! | file | what | whose frames | who runs it |
//! |---|---|---|---|
//! | manager.rs | sessions opened, ended, their time watched | the service's | the manager, at [`PRIORITY`] |
//! | waiting.rs | clients that wait for a session, in order | the service's | the manager |
//! | session.rs | one session: endpoint, worker, capabilities | the service's | the manager |
//! | slices.rs | the server's Tables, hooked here | the server's | the manager |
//! | worker.rs | a transfer | Thread and UTCB are the client's | the session's worker, at the client's priority |
//! | board.rs | what the manager tells workers | the service's | written by the manager, read by workers |
//!
//! What must hold. *Authority:* the service holds the server's Tables with Write and Share, the right to
//! call the server's two endpoints, for each session two roots of the client's; and whatever the reply
//! capability of a blocked client allows. *Isolation:* no address of memory whose giver is not trusted is
//! ever dereferenced but by a worker, in its own UTCB; the manager touches neither slices nor UTCBs. *Sharing:*
//! workers take no lock and write only their UTCB and their slice, so that destroying one after any
//! instruction leaves the service as it was. *Progress:* the manager waits for nobody but the server's pager,
//! and for that a stated time.

#![no_std]
#![no_main]

mod board;
mod manager;
mod session;
mod slices;
mod waiting;
mod worker;

use freehold_protocol::transfer::MANAGER;
use freehold_rt::{entry, start};

use manager::Manager;

entry!(main);

/// The manager's priority, and the highest that a worker gets.
pub const PRIORITY: u8 = 12;

fn main() {
    let endpoint = start::capability(MANAGER).expect("the service is given its endpoint");
    Manager::new().serve(endpoint);
}
