//! The transfer service's protocol as a model, explored exhaustively: what user/transfer, the server's side
//! (`rt::transfer::slices`) and the client's (`rt::transfer`) do, call by call, with every schedule, and with a
//! client that does what it likes.
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
