//! The transfer service's protocol as a model, explored exhaustively: what user/transfer, the server's side
//! (`rt::transfer::slices`, user/server) and the client's (`rt::transfer`) do, call by call of the kernel's, under
//! every schedule, with a client that does what it likes. docs/invariants.md: 16, 17, 19.
//!
//! | file | what |
//! |---|---|
//! | kernel.rs | calls, replies, queues, the ends of threads: docs/calls.md, section 2 |
//! | state.rs | what everybody knows |
//! | server.rs, manager.rs, worker.rs, client.rs | the parties, a step each |
//! | model.rs | who can do what next; this is what stateright explores |
//! | properties.rs | what holds in every state |
//! | graph.rs, liveness.rs, questions.rs | what happens in the end, if those go on who can be relied upon |
//! | config.rs | what is explored, and the bugs that can be planted |
//!
//! What must hold: the model can do all that the code can do. Where it differs it can do more: limits pass, pages
//! go and clocks tick whenever that is worst; what the evil client says is chosen when it is looked at. It does
//! less only in what is the same for every number: two clients, at most two slices, at most two pages. Not
//! modelled: a server or service that lacks memory (it refuses, which clients are told), a server or service
//! that is destroyed, several threads of a server that work on requests, the priorities (any thread may be next).
//!
//! One wait for somebody who has ended there is, and it is nobody else's: a client that has taken back the
//! capability to its worker's frames waits for that worker, once it is stopped, until it takes back the frames too.

#![allow(missing_docs, reason = "fields of variants are what their names say")]

pub mod client;
pub mod config;
pub mod graph;
pub mod kernel;
pub mod liveness;
pub mod manager;
pub mod model;
pub mod properties;
pub mod questions;
pub mod server;
pub mod state;
pub mod worker;
