//! A server's thread, and a client's thread that calls it, in one space: each with memory of its own, all of it paged
//! by the program's own pager, so that it can be missing at either.
//!
//! What must hold: the server's buffers lie at [`SERVER`], the client's at [`REQUEST`] and [`REPLY`]; one server at a
//! time. Its handler is [`handle`], so that a client can tell what it must have got.

use alloc::vec::Vec;

use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::worker::{MAIN_PRIORITY, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::buffer::{Config, Request, Response, Server, Trust, serve};
use freehold_rt::pager::{self, Mode, Region};
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::{CapName, Error, Rights, SlotRef, Utcb, calls};

/// Bytes of a buffer of the server's.
pub const PIECE: u32 = 1 << 20;
/// Clients that it keeps something for.
pub const CLIENTS: u32 = 2;
/// Where the server's buffers lie, and their bytes.
pub const SERVER: (u32, u32) = (260 * BLOCK, (CLIENTS + 1) * PIECE);
/// Where the client's requests lie ...
pub const REQUEST: (u32, u32) = (261 * BLOCK, PIECE);
/// ... and the replies to it, with a byte to spare.
pub const REPLY: (u32, u32) = (261 * BLOCK + 2 * PIECE, PIECE + FRAME);
/// Directory index of the server's window for containers.
pub const WINDOW: u32 = 262;
/// Where the client's shared region lies.
pub const SHARED: u32 = 263 * BLOCK;
/// Its bytes.
pub const SHARED_BYTES: u32 = 2 * PIECE + FRAME;

/// A pager thread, above everybody; it lets a transfer of strings wait.
pub const THREAD: Mode = Mode::Thread { priority: MAIN_PRIORITY + 5 };

/// The pager has frames for everything.
pub const PAGES: pager::Config = pager::Config { resident: 1400, stored: 1400, pinned: 600 };
/// Milliseconds after which a client takes a wait for hopeless.
const PATIENCE: u32 = 3000;
/// The priority of clients, and of servers that they start.
const PRIORITY: u8 = MAIN_PRIORITY - 1;
/// Pages of the threads' stacks.
const STACK: u32 = 6;

/// Op: nothing beside what is done for every request.
pub const PLAIN: u16 = 7;
/// Op: puts all of the server's memory away at the end, the reply with it.
pub const EVICT: u16 = 98;
/// Op: revokes the capability `args[0]`, and looks at nothing that it was given.
pub const REVOKE: u16 = 99;

/// Words of the board.
const ENDPOINT: usize = 0;
const TRUST: usize = 1;
const SERVER_ENDED: usize = 2;
const HANDLED: usize = 3;
const CLIENT_ENDED: usize = 4;
const CLIENT: usize = 5;

/// Makes what a pager makes once and keeps.
pub fn prepare() {
    with_pager(THREAD, || ());
}

/// Runs `client` in a thread that is paged, as the server will be. There are frames for everything.
pub fn with_pager(mode: Mode, client: fn()) {
    with_config(PAGES, mode, None, client);
}

/// The same with a server that is above the client: it calls [`server_ends`] when [`server_endpoint`] is gone.
pub fn with_companion(server: fn(u32), client: fn()) {
    with_config(PAGES, THREAD, Some(server), client);
}

/// The same with so many frames.
pub fn with_config(config: pager::Config, mode: Mode, companion: Option<fn(u32)>, client: fn()) {
    board::clear();
    pager::start(config, mode).expect("memory for a pager");
    let region = |(address, bytes)| Region::new(address, bytes / FRAME).expect("a region");
    let regions: Vec<Region> = [SERVER, REQUEST, REPLY].into_iter().map(region).collect();
    let spawn = |main, argument, priority| {
        let options = Options { stack_pages: STACK, pager: pager::name(), ..Options::new(priority) };
        thread::spawn(main, argument, options).expect("a thread")
    };
    let companion = companion.map(|server| spawn(server, 0, MAIN_PRIORITY));
    let thread = spawn(run, client as usize as u32, PRIORITY);
    board::set(CLIENT, thread.name().0);
    // Its own waits end after `PATIENCE` each.
    while !eventually(|| board::get(CLIENT_ENDED) != 0) {
        let state = calls::thread_info(thread.name()).expect("a thread").state;
        if !check!(
            state != freehold_abi::info::State::Stopped,
            "the client is dead: {:?}",
            pager::last_refusal()
        ) {
            break;
        }
    }
    for thread in companion.into_iter().chain([thread]) {
        check_eq!(thread.destroy(), Ok(()));
    }
    drop(regions);
    check_eq!(pager::stop(), Ok(()));
}

fn run(client: u32) {
    Utcb::current().set_limits((PATIENCE, PATIENCE));
    // SAFETY: `with_pager` put a function of this type there.
    let client: fn() = unsafe { core::mem::transmute(client) };
    client();
    board::set(CLIENT_ENDED, 1);
}

/// The client's thread.
pub fn client_thread() -> CapName {
    CapName(board::get(CLIENT))
}

/// What the tests' server does: the status is [`sum`] of the request; the reply are the request's bytes, each one
/// more, then [`number`]s.
pub fn handle(request: Request<'_>) -> Response {
    let Request { data, room, args, op, .. } = request;
    if op == REVOKE {
        let revoked = calls::revoke(SlotRef::own(CapName(args[0])));
        return Response { status: u32::from(revoked.is_err()), bytes: 0 };
    }
    for (index, byte) in room.iter_mut().enumerate() {
        *byte = data.get(index).map_or_else(|| number(args[0], index), |byte| byte.wrapping_add(1));
    }
    count();
    let status = sum(data);
    if op == EVICT {
        pager::evict(SERVER.0, SERVER.1);
    }
    Response { status, bytes: room.len() as u32 }
}

/// Counts a request.
pub fn count() {
    board::add(HANDLED, 1);
}

/// Byte `index` of a reply without a request.
pub fn number(seed: u32, index: usize) -> u8 {
    (seed.wrapping_add(index as u32).wrapping_mul(0x9E37_79B1) >> 24) as u8
}

/// A number that depends on each byte and its place.
pub fn sum(data: &[u8]) -> u32 {
    data.iter().fold(0, |sum: u32, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

/// Requests handled since the pager started.
pub fn handled() -> u32 {
    board::get(HANDLED)
}

/// A server that runs.
pub struct Duo {
    endpoint: Option<Slot>,
    thread: Option<Thread>,
}

impl Duo {
    /// Starts one that [`serve`]s, with [`handle`].
    pub fn new(trust: Trust) -> Duo {
        board::set(TRUST, (trust == Trust::Trusting).into());
        Duo::with(server)
    }

    /// Starts one that does something else with [`server_endpoint`], and then calls [`server_ends`].
    pub fn with(server: fn(u32)) -> Duo {
        let endpoint = endpoint();
        board::set(ENDPOINT, endpoint.name().0);
        board::set(SERVER_ENDED, 0);
        let options = Options { stack_pages: STACK, pager: pager::name(), ..Options::new(PRIORITY) };
        let thread = thread::spawn(server, 0, options).expect("a thread");
        Duo { endpoint: Some(endpoint), thread: Some(thread) }
    }

    /// The server that [`with_companion`] has started.
    pub fn of_companion() -> Duo {
        let endpoint = endpoint();
        board::set(ENDPOINT, endpoint.name().0);
        Duo { endpoint: Some(endpoint), thread: None }
    }

    /// A way to it, as client number `badge`.
    pub fn client(&self, badge: u32) -> Slot {
        let endpoint = self.endpoint.as_ref().expect("a server that runs").name();
        derived(endpoint, Rights::SEND, badge, 0)
    }
}

impl Drop for Duo {
    fn drop(&mut self) {
        self.endpoint = None;
        check!(eventually(|| board::get(SERVER_ENDED) != 0), "the server goes on");
        check_eq!(board::get(SERVER_ENDED), Error::Canceled as u32);
        check_eq!(self.thread.take().map_or(Ok(()), Thread::destroy), Ok(()));
    }
}

fn server(_: u32) {
    let trust = if board::get(TRUST) != 0 { Trust::Trusting } else { Trust::Distrusting };
    // SAFETY: `with_pager` has made a region there, which only the one server uses.
    let memory = unsafe { core::slice::from_raw_parts_mut(SERVER.0 as *mut u8, SERVER.1 as usize) };
    let clients = CLIENTS as usize;
    let endpoint = server_endpoint();
    let config = Config { endpoint, trust, memory, clients, window: Some(WINDOW), slices: None };
    let mut server = Server::new(config).expect("a server");
    let error = serve(&mut server, handle);
    drop(server);
    server_ends(error);
}

/// Whether the client's thread has made the endpoint.
pub fn client_is_there() -> bool {
    board::get(ENDPOINT) != 0
}

/// What a server receives from.
pub fn server_endpoint() -> CapName {
    CapName(board::get(ENDPOINT))
}

/// The server's last word.
pub fn server_ends(error: Error) {
    board::set(SERVER_ENDED, error as u32);
}

/// The client's buffers, `bytes` of each.
pub fn buffers(request: usize, reply: usize) -> (&'static [u8], &'static mut [u8]) {
    // SAFETY: `with_pager` has made regions there; the tests use one pair at a time.
    unsafe {
        (
            core::slice::from_raw_parts(REQUEST.0 as *const u8, request),
            core::slice::from_raw_parts_mut(REPLY.0 as *mut u8, reply),
        )
    }
}

/// Fills the request's memory so that no two tests' are the same, and the reply's with something else.
pub fn fill(seed: u32, request: usize, reply: usize) {
    // SAFETY: as above, and no slice of it is alive.
    unsafe {
        let bytes = core::slice::from_raw_parts_mut(REQUEST.0 as *mut u8, request);
        bytes.iter_mut().enumerate().for_each(|(index, byte)| *byte = number(!seed, index));
        core::slice::from_raw_parts_mut(REPLY.0 as *mut u8, reply + 1).fill(0xA5);
    }
}
