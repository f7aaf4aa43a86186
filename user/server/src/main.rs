//! The server: computes over what the transfer service brings.
//!
//! | file | what | who runs it |
//! |---|---|---|
//! | requests.rs | what is asked of the server | its own thread, below the pager |
//! | paging.rs | pages of the slices, filled and taken back | the first thread |
//! | ops.rs | what is computed | the requests' thread |
//!
//! The slices themselves are `rt::transfer::slices`, used by both threads. What must hold: the server touches no
//! memory but its own, and only when a request is complete; it waits for nobody but, when it makes the slices,
//! the transfer service. So its progress depends on no client.

#![no_std]
#![no_main]

extern crate alloc;

mod ops;
mod paging;
mod requests;

use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED};
use freehold_protocol::server::{PAGING, REQUESTS};
use freehold_rt::layout::OWN;
use freehold_rt::memory::MapError;
use freehold_rt::thread::{self, Options};
use freehold_rt::transfer::slices::Slices;
use freehold_rt::{Message, entry, start};

entry!(main);

/// Below the pager's, which is the first thread's, so that a long computation delays no transfer.
const PRIORITY: u8 = 9;
/// Of the transfer service's workers, at most: below the server, so that none of them delays it.
const WORKERS: u8 = PRIORITY - 1;
/// Pages of the requests' stack.
const STACK_PAGES: u32 = 8;

/// The slices.
static SLICES: Slices = Slices::new(OWN);

fn main() {
    let requests = start::capability(REQUESTS).expect("the server is given its endpoint");
    match start::capability(PAGING) {
        // A server without slices answers short calls only.
        None => requests::serve(requests.0),
        Some(paging) => {
            let options = Options { stack_pages: STACK_PAGES, ..Options::new(PRIORITY) };
            thread::spawn(requests::serve, requests.0, options).expect("memory for a thread");
            paging::serve(paging);
        }
    }
}

/// The answer to something that gives nothing but success.
fn answer(result: Result<(), MapError>) -> Message {
    match result {
        Ok(()) => Message::new(DONE),
        Err(MapError::Kernel(error)) => Message::of(FAILED, &[error as u32]),
        Err(MapError::OutOfMemory | MapError::OutOfSlots) => Message::new(EXHAUSTED),
    }
}
