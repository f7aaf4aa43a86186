//! The six ways: `rt::buffer`'s server over memory that the program pages itself.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_protocol::caller::TRUSTING;
use freehold_protocol::files::DATA_BYTES;
use freehold_protocol::trace::{WORKED, WORKS};
use freehold_rt::abi::layout::{BLOCK, FRAME};
use freehold_rt::buffer::{self, Config, Request, Response, Server, Trust};
use freehold_rt::layout::OWN;
use freehold_rt::pager::{self, Region};
use freehold_rt::{CapName, start, time, trace};

use crate::paging::SLICES;
use crate::tree::Tree;
use crate::{requests, seed};

/// Clients whose requests or replies are kept: the caller and its bystander.
const CLIENTS: usize = 2;
/// Pages of the buffers: one for what arrives, one for each client.
const PAGES: u32 = (CLIENTS as u32 + 1) * DATA_BYTES / FRAME;
/// Where the buffers lie.
const BUFFERS: u32 = OWN;
/// Where slices lie, out of the way.
pub const SLICES_AT: u32 = BUFFERS + (1 << 28);
/// Directory index at which clients' containers are hooked.
const WINDOW: u32 = BUFFERS / BLOCK + (PAGES * FRAME).div_ceil(BLOCK);

/// Requests handled, and the cycles that this took.
pub static REQUESTS: AtomicU32 = AtomicU32::new(0);
/// See [`REQUESTS`].
pub static WORK: AtomicU32 = AtomicU32::new(0);

/// What the pager works with: every page has a frame, and a place in the store.
pub const PAGER: pager::Config =
    pager::Config { resident: PAGES + pager::SPARE, stored: PAGES, pinned: PAGES };

/// Sends the buffers out of memory, whatever is in them. Returns how many pages went.
pub fn evict() -> u32 {
    pager::evict(BUFFERS, PAGES * FRAME)
}

/// Makes the first `bytes` bytes of each buffer present.
///
/// # Errors
/// The pager's.
pub fn touch(bytes: u32) -> Result<(), pager::Error> {
    (0..=CLIENTS as u32)
        .try_for_each(|buffer| pager::touch(BUFFERS + buffer * DATA_BYTES, bytes.min(DATA_BYTES)))
}

/// Serves requests until the endpoint is gone.
///
/// # Panics
/// If there is no memory for the buffers, or for what a server keeps.
pub fn serve(endpoint: u32) {
    let _region = Region::new(BUFFERS, PAGES).expect("addresses of the program's own");
    // SAFETY: the region is there for as long as this function runs, and nothing else refers to it.
    let memory = unsafe { core::slice::from_raw_parts_mut(BUFFERS as *mut u8, (PAGES * FRAME) as usize) };
    let trust = if start::arguments() == TRUSTING { Trust::Trusting } else { Trust::Distrusting };
    let endpoint = CapName(endpoint);
    let config =
        Config { endpoint, trust, memory, clients: CLIENTS, window: Some(WINDOW), slices: Some(&SLICES) };
    let mut server = Server::new(config).expect("memory for what a server keeps");
    let mut tree = seed::tree().expect("no two paths are the same");
    buffer::serve(&mut server, |request| handle(&mut tree, request));
}

fn handle(tree: &mut Tree, request: Request<'_>) -> Response {
    let Request { op, args, data, room, .. } = request;
    trace::note(WORKS, op.into(), data.len() as u32);
    let begin = time::cycles();
    let (status, bytes) = requests::answer(tree, op, args, data, room);
    let cycles = time::cycles() - begin;
    trace::note(WORKED, status, bytes as u32);
    REQUESTS.fetch_add(1, Relaxed);
    WORK.fetch_add(cycles as u32, Relaxed);
    Response { status, bytes: bytes as u32 }
}
