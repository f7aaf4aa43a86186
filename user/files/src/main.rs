//! The files server: the server of the transfer scenarios.
//!
//! | file | what | who runs it |
//! |---|---|---|
//! | tree.rs, seed.rs | the file system, and what is in it at first | |
//! | requests.rs | what is asked of the server | the requests' thread |
//! | list.rs, execute.rs, digest.rs | operations that take more than a few lines | the requests' thread |
//! | service.rs | the six ways, and the memory that they use | the requests' thread |
//! | paging.rs | pages of the slice that the transfer service brings requests in | the first thread |
//! | orders.rs | the server's buffers in memory or out of it; counts | the orders' thread |
//!
//! What must hold: requests are handled by one thread, so the file system needs no lock. Its buffers are memory that
//! the program pages itself; everything else stays in memory.

#![no_std]
#![no_main]

extern crate alloc;

mod digest;
mod execute;
mod list;
mod orders;
mod paging;
mod requests;
mod seed;
mod service;
mod tree;

use freehold_protocol::files::{ORDERS, REQUESTS};
use freehold_protocol::server;
use freehold_protocol::transfer::TRANSFER;
use freehold_rt::pager::{self, Mode};
use freehold_rt::thread::{self, Options};
use freehold_rt::{entry, start};

use paging::SLICES;

entry!(main);

/// Priority of those who bring pages, of buffers and of slices: above all who can wait for them. The first thread's.
const PAGING: u8 = 14;
/// Priority of requests, and of orders: what the caller orders must not wait for requests.
const SERVING: u8 = 10;
/// Priority of the transfer service's workers at most.
const WORKERS: u8 = SERVING - 1;
/// Pages of the requests' stack.
const STACK_PAGES: u32 = 8;

fn main() {
    let given = |name| start::capability(name).expect("given by whoever starts the server");
    pager::start(service::PAGER, Mode::Thread { priority: PAGING }).expect("memory for the buffers");
    SLICES.make(given(TRANSFER), 1, 1, WORKERS).expect("memory for a slice, and a service that takes it");
    thread::spawn(orders::serve, given(ORDERS).0, Options::new(SERVING)).expect("memory for a thread");
    let options = Options { stack_pages: STACK_PAGES, pager: pager::name(), ..Options::new(SERVING) };
    thread::spawn(service::serve, given(REQUESTS).0, options).expect("memory for a thread");
    paging::serve(given(server::PAGING));
}
