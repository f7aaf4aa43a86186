//! A payload that changes while it is on its way and while it is looked at: the accomplice is an honest server by the runtime's
//! library, which trusts no client; it checks a request (sums it up), lets time pass, and uses it (sums it up once more). The
//! attacker sends requests by four of the ways that there are to move a buffer, and a thread of its changes them all the time.
//!
//! Success would mean that what the server used is not what it had checked. What stops it: a server that trusts nobody looks
//! only at memory of its own, copied once (in registers, by string, by `copy`), and takes no client's container, in which the
//! client could go on writing (docs/decisions/0010; invariants 16, 18).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::abyss::priority;
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::buffer::{Config, Failure, Peer, Request, Response, Server, Trust, Way, serve};
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, memory, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// Where the client's request lies, and the server's buffers.
const AT: u32 = 0x6800_0000;
/// Bytes of a request.
const BYTES: u32 = 2 * FRAME;
/// Where the client's container lies; the server hooks it, if it does, at [`WINDOW`].
const SHARED: u32 = 0x6C00_0000;
/// Directory index of the server's window for containers.
const WINDOW: u32 = 0x6C40_0000 / BLOCK;
/// The ways that need nothing but the two of them.
const WAYS: [Way; 4] = [Way::Registers, Way::Touched, Way::Container, Way::Pull];
/// Status: what was used is what was checked; it is not.
const SAME: u32 = 1;
const CHANGED: u32 = 2;

/// The endpoint; requests checked; requests that had changed when they were used.
static SERVED: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];
/// Addresses at which the client's thread changes words.
static TARGETS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

attack!("payload-change", client, server);

fn client(kit: &mut Kit) -> Evidence {
    if memory::map_new(AT, BYTES / FRAME).is_err() {
        return kit.untried("no memory for a request");
    }
    let Ok(mut peer) = Peer::new(kit.peer, Trust::Trusting).with_shared(SHARED, BYTES) else {
        return kit.untried("no memory for a container");
    };
    TARGETS[0].store(AT, Ordering::Relaxed);
    TARGETS[1].store(SHARED, Ordering::Relaxed);
    if thread::spawn(change, 0, Options::new(priority())).is_err() {
        return kit.untried("no memory for a thread");
    }
    let (mut done, mut refused, mut failed) = ([0; 4], 0, 0);
    while !kit.stopped() {
        for (way, done) in WAYS.into_iter().zip(&mut done) {
            // SAFETY: the pages are mapped; the library hands their address on, or copies words out of them, and does not
            // rely on what it reads. That another thread writes there is the attack.
            let request = unsafe { core::slice::from_raw_parts(AT as *const u8, BYTES as usize) };
            match kit.within(200, || peer.call_by(way, 1, [0; 2], request, &mut [])) {
                Ok(answer) => {
                    *done += 1;
                    kit.tries += 1;
                    kit.successes += u32::from(answer.status != SAME);
                }
                Err(Failure::Distrust) => {
                    refused += 1;
                    kit.tries += 1;
                }
                Err(_) => failed += 1,
            }
        }
    }
    let [registers, strings, containers, pulled] = done;
    let detail = format!(
        "by registers {registers}, string {strings}, container {containers} (refused {refused}), copy {pulled}; failed {failed}; \
         {} were used otherwise than checked",
        kit.successes
    );
    match kit.successes {
        0 if registers + strings + pulled == 0 => kit.untried(format!("no request was carried: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

/// Changes the first words of each page of the request, wherever it may be looked at, all the time.
fn change(_: u32) {
    for turn in 0_u32.. {
        for target in &TARGETS {
            for page in 0..BYTES / FRAME {
                let place = (target.load(Ordering::Relaxed) + page * FRAME) as *mut u32;
                // SAFETY: both are mapped for as long as the program lives.
                unsafe { place.write_volatile(turn) };
            }
        }
        time::sleep(1);
    }
}

fn server(kit: &mut Kit) -> Evidence {
    SERVED[0].store(kit.own.0, Ordering::Relaxed);
    let memory = memory::map_new(AT, 2 * BYTES / FRAME);
    if memory.is_err()
        || thread::spawn(run, 0, Options { stack_pages: 6, ..Options::new(priority()) }).is_err()
    {
        return kit.untried("no memory for a server");
    }
    while !kit.pause(100) {}
    // Counted as tries by the client.
    let checked = SERVED[1].load(Ordering::Relaxed);
    kit.successes = SERVED[2].load(Ordering::Relaxed);
    let detail = format!("checked {checked}, used otherwise {}", kit.successes);
    if kit.successes == 0 { kit.held(detail) } else { kit.broken(detail) }
}

fn run(_: u32) {
    // SAFETY: `server` has mapped it, for this.
    let memory = unsafe { core::slice::from_raw_parts_mut(AT as *mut u8, 2 * BYTES as usize) };
    let endpoint = CapName(SERVED[0].load(Ordering::Relaxed));
    let trust = Trust::Distrusting;
    let config = Config { endpoint, trust, memory, clients: 1, window: Some(WINDOW), slices: None };
    if let Ok(mut server) = Server::new(config) {
        serve(&mut server, check_and_use);
    }
}

fn check_and_use(request: Request<'_>) -> Response {
    let checked = sum(request.data);
    // Whatever time it takes to do what was asked.
    time::sleep(2);
    let changed = sum(request.data) != checked;
    SERVED[1].fetch_add(1, Ordering::Relaxed);
    SERVED[2].fetch_add(changed.into(), Ordering::Relaxed);
    Response { status: if changed { CHANGED } else { SAME }, bytes: 0 }
}

/// A sum that depends on every byte, which is read each time that it is asked for.
fn sum(data: &[u8]) -> u32 {
    data.iter().fold(0, |sum: u32, byte| {
        // SAFETY: a byte of the request.
        sum.wrapping_mul(31).wrapping_add(unsafe { core::ptr::from_ref(byte).read_volatile() }.into())
    })
}
