//! Everything that must work: a way, both directions, all sizes, all trust, whatever is missing.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::buffer::{Done, Failure, Peer, Trust, Way};
use freehold_rt::pager::{self, Mode};

use crate::duo::{self, Duo, PIECE, PLAIN, REPLY, REQUEST, SERVER, SHARED, SHARED_BYTES};

/// Bytes: nothing, less than a word, a cache line, what a message holds, one more, a page, pages and a byte, as much
/// as the server takes.
pub const SIZES: [usize; 9] = [0, 1, 3, 64, 240, 241, 4096, 65537, PIECE as usize];

pub const TRUSTS: [Trust; 2] = [Trust::Trusting, Trust::Distrusting];

/// Whose memory is missing when the call begins.
#[derive(Clone, Copy, Debug)]
struct Missing {
    client: bool,
    server: bool,
}

impl Missing {
    const ALL: [Missing; 4] = [
        Missing { client: false, server: false },
        Missing { client: true, server: false },
        Missing { client: false, server: true },
        Missing { client: true, server: true },
    ];

    /// Brings it about.
    fn arrange(self, request: usize, reply: usize) {
        for (missing, (address, bytes), used) in
            [(self.client, REQUEST, request), (self.client, REPLY, reply), (self.server, SERVER, 1)]
        {
            if missing {
                pager::evict(address, bytes);
                check!(used == 0 || !pager::resident(address, used as u32));
            } else {
                check_eq!(pager::touch(address, bytes), Ok(()));
            }
        }
    }
}

/// A case: who trusts whom, what is missing, how large request and reply are.
#[derive(Clone, Copy, Debug)]
struct Case {
    mode: Mode,
    server: Trust,
    client: Trust,
    missing: Missing,
    request: usize,
    reply: usize,
}

/// How often a missing buffer of so many bytes is noticed, if 16 pages are touched each time.
pub fn misses(bytes: usize) -> u32 {
    (bytes as u32).div_ceil(16 * FRAME)
}

/// Calls with buffers that are filled, and checks what comes back: all of it, once, and nothing behind it.
pub fn call(
    peer: &mut Peer,
    way: Way,
    op: u16,
    (request, reply): (usize, usize),
    seed: u32,
) -> Result<Done, Failure> {
    let before = duo::handled();
    let (data, room) = duo::buffers(request, reply);
    let done = peer.call_by(way, op, [seed, 9], data, room)?;
    let what = (way, request, reply);
    check_eq!((done.way, done.bytes as usize, done.status), (way, reply, duo::sum(data)), "{what:?}");
    let right =
        |index: usize| data.get(index).map_or_else(|| duo::number(seed, index), |byte| byte.wrapping_add(1));
    check_eq!((0..reply).find(|&index| room[index] != right(index)), None, "{what:?}");
    // SAFETY: `fill` has written the byte behind the reply, and no slice goes so far.
    let behind = unsafe { *(REPLY.0 as *const u8).add(reply) };
    check_eq!(behind, 0xA5, "behind the reply: {what:?}");
    check_eq!(duo::handled(), before + 1, "handled once: {what:?}");
    Ok(done)
}

/// Goes one way in every case. `expect`: messages and retries.
fn all(way: Way, mode: Mode, expect: fn(&Case) -> Result<(u32, u32), Failure>) {
    for server in TRUSTS {
        let duo = Duo::new(server);
        let name = duo.client(1);
        for client in TRUSTS {
            let mut peer = Peer::new(name.name(), client);
            if way == Way::Container {
                peer = peer.with_shared(SHARED, SHARED_BYTES).expect("memory for a shared region");
            }
            for missing in Missing::ALL {
                // The largest ones take long, and trust and mode have nothing to do with their size.
                let largest = client == server && mode != Mode::Upcall;
                for bytes in SIZES.into_iter().filter(|&bytes| bytes <= 65537 || largest) {
                    for (request, reply) in [(bytes, 0), (0, bytes), (bytes, bytes)] {
                        let seed = bytes as u32 + 1;
                        let case = Case { mode, server, client, missing, request, reply };
                        duo::fill(seed, request, reply);
                        missing.arrange(request, reply);
                        let done = call(&mut peer, way, PLAIN, (request, reply), seed);
                        let done = done.map(|done| (done.messages, done.retries));
                        check_eq!(done, expect(&case), "{way:?} {case:?}");
                    }
                }
            }
        }
    }
}

/// Bytes in a request's first message, and in all others.
const FIRST: usize = 228;
const NEXT: usize = 240;

fn registers_in(mode: Mode) {
    all(Way::Registers, mode, |case| {
        let on = case.request.saturating_sub(FIRST).div_ceil(NEXT);
        let more = case.reply.div_ceil(NEXT).max(1) - 1;
        Ok((1 + (on + more) as u32, 0))
    });
}

fn pull_in(mode: Mode) {
    all(Way::Pull, mode, |case| {
        let resumed = if case.missing.client { misses(case.request) + misses(case.reply) } else { 0 };
        Ok((1 + resumed, resumed))
    });
}

/// A page that is missing at the server is waited for by who trusts it and if there is somebody to wait for; else the
/// request is sent again, and if it brings a reply, the client has to ask each time whether it has arrived.
fn strings(case: &Case) -> Result<(u32, u32), Failure> {
    let waits = case.client == Trust::Trusting && case.mode != Mode::Upcall;
    let again = if case.missing.server && !waits { misses(case.request) } else { 0 };
    let asked = if case.reply == 0 { 0 } else { again };
    Ok((1 + again + asked, again))
}

fn wired_in(mode: Mode) {
    all(Way::Wired, mode, strings);
    check_eq!(pager::statistics().map(|statistics| statistics.pinned), Ok(0));
}

fn touched_in(mode: Mode) {
    all(Way::Touched, mode, strings);
}

/// Containers: where both trust each other; everywhere else they are refused, by whoever does not trust.
fn container_in(mode: Mode) {
    all(Way::Container, mode, |case| match (case.client, case.server) {
        (Trust::Distrusting, _) => Err(Failure::NoTrust),
        (_, Trust::Distrusting) => Err(Failure::Distrust),
        _ => Ok((1, 0)),
    });
}

pub fn registers() {
    duo::with_pager(duo::THREAD, || registers_in(duo::THREAD));
}

pub fn wired() {
    duo::with_pager(duo::THREAD, || wired_in(duo::THREAD));
}

pub fn touched() {
    duo::with_pager(duo::THREAD, || touched_in(duo::THREAD));
}

pub fn container() {
    duo::with_pager(duo::THREAD, || container_in(duo::THREAD));
}

pub fn pull() {
    duo::with_pager(duo::THREAD, || pull_in(duo::THREAD));
}

/// The ways in which it matters, with faults that are dealt with by upcall: nobody can wait for them in transit.
pub fn upcall() {
    duo::with_pager(Mode::Upcall, || {
        wired_in(Mode::Upcall);
        touched_in(Mode::Upcall);
        pull_in(Mode::Upcall);
    });
}
