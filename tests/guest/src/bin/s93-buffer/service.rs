//! The sixth way needs a third task: the program `transfer`, loaded from its boot module, and the server's slices and
//! their pager.
//!
//! What must hold: all this is made once, before anything is counted, and stays: slices do.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::BootInfo;
use freehold_abi::info::start::BLOCKS;
use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::worker::MAIN_PRIORITY;
use freehold_guest_tests::{check_eq, objects};
use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_protocol::{server, transfer};
use freehold_rt::buffer::{Config, Failure, Peer, Server, Trust, Way, serve};
use freehold_rt::load::{self, Grant, Program};
use freehold_rt::pager;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options};
use freehold_rt::transfer::slices::Slices;
use freehold_rt::{CapName, Message, Rights, calls, start};

use crate::duo::{self, PIECE, REPLY, REQUEST};
use crate::ways;

/// Where the module is seen while it is loaded.
const MODULE: u32 = 512;
/// Where the slices lie.
static SLICES: Slices = Slices::new(600 * BLOCK);
/// The client's number.
const CLIENT: u32 = 1;
/// The workers' priority, below the server's.
const WORKERS: u8 = 8;

/// Names of the endpoints: requests, the slices' paging, the service's manager.
static ENDPOINTS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

fn endpoint(index: usize) -> CapName {
    CapName(ENDPOINTS[index].load(Ordering::Relaxed))
}

/// Starts the service and the server.
pub fn prepare() {
    for place in &ENDPOINTS {
        // It lives as long as the program.
        let endpoint = core::mem::ManuallyDrop::new(objects::endpoint());
        place.store(endpoint.name().0, Ordering::Relaxed);
    }
    let options = Options { stack_pages: 4, ..Options::new(MAIN_PRIORITY - 1) };
    for thread in [requests, paging] {
        thread::spawn(thread, 0, options).expect("a thread");
    }
    let boot = start::boot_info().expect("the first program");
    let file = module(boot, "transfer").expect("the module is there");
    let grants = [
        Grant::send(transfer::SELF, endpoint(2), transfer::WORKER),
        Grant::send(server::REQUESTS, endpoint(0), server::SERVICE),
        Grant::send(server::PAGING, endpoint(1), server::SERVICE),
        Grant::receive(transfer::MANAGER, endpoint(2)),
    ];
    let program = Program { grants: &grants, priority: 12, ..Program::new(file) };
    let child = core::mem::ManuallyDrop::new(load::load(&program).expect("the service"));
    child.start().expect("the service starts");
    for index in 0..boot.blocks {
        // Only the hooks that `module` has made are there.
        let _ = calls::unhook(CapName::NONE, MODULE + index);
    }
    let to_service = objects::derived(endpoint(2), Rights::SEND, transfer::SERVER, 0);
    SLICES.make(to_service.name(), 1, 1, WORKERS).expect("a slice");
}

/// The contents of a boot module.
fn module(boot: &BootInfo, name: &str) -> Option<&'static [u8]> {
    let module = boot.modules[..boot.module_count as usize].iter().find(|module| {
        let text =
            boot.text[module.text_at as usize..][..module.text_len as usize].split(|&byte| byte == b' ');
        let path = text.into_iter().next().unwrap_or(&[]);
        path.rsplit(|&byte| byte == b'/').next() == Some(name.as_bytes())
    })?;
    let (first, end) = (module.memory.start / BLOCK, module.memory.end.div_ceil(BLOCK));
    for block in first..end {
        calls::hook(CapName(BLOCKS.0 + block), CapName::NONE, MODULE + block - first, Rights::NONE).ok()?;
    }
    let at = MODULE * BLOCK + module.memory.start % BLOCK;
    let bytes = (module.memory.end - module.memory.start) as usize;
    // SAFETY: the blocks are hooked there, one behind the other, and nobody writes a module's frames. What is
    // returned is used up before `prepare` unhooks them.
    Some(unsafe { core::slice::from_raw_parts(at as *const u8, bytes) })
}

fn requests(_: u32) {
    // What does not come by the service has little room.
    let mut memory = [0; 64];
    let config = Config {
        endpoint: endpoint(0),
        trust: Trust::Distrusting,
        memory: &mut memory,
        clients: 1,
        window: None,
        slices: Some(&SLICES),
    };
    let mut server = Server::new(config).expect("a server");
    serve(&mut server, duo::handle);
}

fn paging(_: u32) {
    let endpoint = endpoint(1);
    freehold_rt::serve::serve(endpoint, |received| {
        let message = received.ok()?.message;
        Some(match message.label() {
            server::FILL => {
                let filled = SLICES.fill(message.word(0), message.word(1));
                Message::new(if filled.is_ok() { DONE } else { FAILED })
            }
            server::RELEASE => SLICES
                .release(message.word(0))
                .map_or(Message::new(REFUSED), |frames| Message::of(DONE, &[frames])),
            _ => Message::new(REFUSED),
        })
    });
}

/// Both directions, all sizes, whatever is missing at the client. The slice is empty when a session begins, so the
/// server's side is missing at first, and is there when it goes on.
pub fn service() {
    duo::with_pager(duo::THREAD, || {
        let [requests, manager]: [Slot; 2] =
            [0, 2].map(|index| objects::derived(endpoint(index), Rights::SEND, CLIENT, 0));
        for trust in ways::TRUSTS {
            let peer = Peer::new(requests.name(), trust);
            let mut peer = peer.with_service(manager.name(), PIECE, WORKERS).expect("a session");
            for missing in [true, false] {
                for bytes in ways::SIZES {
                    for (request, reply) in [(bytes, 0), (0, bytes), (bytes, bytes)] {
                        duo::fill(5, request, reply);
                        if missing {
                            pager::evict(REQUEST.0, REQUEST.1);
                            pager::evict(REPLY.0, REPLY.1);
                        }
                        let pages = |bytes: usize| (bytes as u32).div_ceil(FRAME);
                        let expected = if missing { pages(request) + pages(reply) } else { 0 };
                        let result = ways::call(&mut peer, Way::Service, duo::PLAIN, (request, reply), 5);
                        let result = result.map(|done| (done.messages, done.retries));
                        check_eq!(result, Ok((1 + expected, expected)), "{trust:?} {request} {reply}");
                    }
                }
            }
            let (data, room) = duo::buffers(PIECE as usize, 0);
            // As much as the session was opened for, and no more.
            check_eq!(
                peer.call_by(Way::Service, 7, [0; 2], data, room).map(|done| done.way),
                Ok(Way::Service)
            );
            let (data, _) = duo::buffers(PIECE as usize + 1, 0);
            check_eq!(peer.call_by(Way::Service, 7, [0; 2], data, &mut []), Err(Failure::TooLarge));
        }
        let mut peer = Peer::new(requests.name(), Trust::Trusting);
        check_eq!(peer.call_by(Way::Service, 7, [0; 2], &[1], &mut []), Err(Failure::NoMeans));
        // The same server by another way, whose buffers are small.
        check_eq!(peer.call_by(Way::Pull, 7, [0; 2], &[1], &mut []).map(|done| done.status), Ok(1));
        check_eq!(peer.call_by(Way::Pull, 7, [0; 2], &[1; 33], &mut []), Err(Failure::TooLarge));
    });
}
