//! Memory that goes away in the middle: what was touched is evicted again before the transfer comes to it, what was
//! pinned is not; replies that are missing at the server. And what is chosen when nobody names a way.

use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::{check, check_eq};
use freehold_protocol::answer::DONE;
use freehold_protocol::buffer::{REST, STRING};
use freehold_rt::buffer::choose::{self, Direction, Row};
use freehold_rt::buffer::crossover::TABLE;
use freehold_rt::buffer::{Failure, Peer, Trust, Way};
use freehold_rt::pager::{self, Config, Mode};
use freehold_rt::utcb::Part;
use freehold_rt::{Error, Message, SlotRef, Utcb, calls, time};

use crate::duo::{self, Duo, EVICT, PIECE, PLAIN, REPLY, REQUEST, SERVER, SHARED, SHARED_BYTES};
use crate::ways::{self, TRUSTS, misses};

/// Bytes of request and reply in these tests.
const BYTES: usize = 65537;
const SEED: u32 = 11;

/// A server that has all of the client's memory evicted whenever something is about to be copied from it or to it. It is above
/// the client, so that a receive which fails is over before the client tries again.
/// It answers as [`duo::handle`] would.
fn thief(_: u32) {
    while !duo::client_is_there() {
        time::sleep(1);
    }
    let endpoint = duo::server_endpoint();
    let utcb = Utcb::current();
    let mut status = 0;
    loop {
        // Only when the client already waits is it certain to have touched its memory.
        let state = calls::thread_info(duo::client_thread()).expect("the client's thread").state;
        if state != State::Calling {
            if calls::cap_info(SlotRef::own(endpoint)).is_ok_and(|info| info.kind == Kind::Empty) {
                break;
            }
            time::sleep(1);
            continue;
        }
        pager::evict(REQUEST.0, REQUEST.1);
        utcb.set_receive_faults(FOREVER, 0);
        // SAFETY: the server's region, which nothing else uses now.
        unsafe { utcb.set_buffers(&[Part { address: SERVER.0, bytes: SERVER.1 }]) };
        let received = match utcb.within((0, 0), || calls::receive_strings(endpoint)) {
            Ok((received, _)) => received.message,
            // The client touches its memory, and tries again.
            Err(_) => continue,
        };
        let (bytes, room, offset) = match received.label() {
            STRING => (received.word(3), received.word(4), 0),
            REST => (BYTES as u32, BYTES as u32, received.word(1)),
            _ => continue,
        };
        // SAFETY: as above.
        let memory = unsafe { core::slice::from_raw_parts_mut(SERVER.0 as *mut u8, BYTES) };
        if received.label() == STRING {
            status = duo::sum(&memory[..bytes as usize]);
            for (index, byte) in memory.iter_mut().enumerate().take(room as usize) {
                let request = index < bytes as usize;
                *byte = if request { byte.wrapping_add(1) } else { duo::number(SEED, index) };
            }
            duo::count();
        }
        let mut answer = Message::of(DONE, &[status, room]);
        if room > offset {
            utcb.set_strings(&[Part { address: SERVER.0 + offset, bytes: room - offset }]);
            utcb.set_send_faults(FOREVER, 0);
            answer = answer.with_strings();
        }
        pager::evict(REPLY.0, REPLY.1);
        // A reply that stops is the client's to ask for again.
        let _ = calls::reply_strings(None, &answer);
    }
    duo::server_ends(Error::Canceled);
}

/// Three failures, then the client wires and it works; who wires at once does not fail. Of a request and of a reply.
pub fn stolen() {
    duo::with_companion(thief, || {
        let duo = Duo::of_companion();
        let name = duo.client(1);
        for trust in TRUSTS {
            let mut peer = Peer::new(name.name(), trust);
            for (request, reply) in [(BYTES, 0), (0, BYTES)] {
                for (way, failures) in [(Way::Touched, 3), (Way::Wired, 0)] {
                    duo::fill(SEED, request, reply);
                    let done = ways::call(&mut peer, way, PLAIN, (request, reply), SEED);
                    let done = done.map(|done| (done.messages, done.retries));
                    check_eq!(done, Ok((1 + failures, failures)), "{way:?} {request} {reply}");
                    check_eq!(pager::statistics().map(|statistics| statistics.pinned), Ok(0), "unpinned");
                }
            }
        }
    });
}

/// The same where nothing can be wired: the request is said not to have got through; a reply that has stopped too often is
/// missing, and that is not the way's fault, so that nobody asks for it by another one: it is carried out once.
pub fn stolen_for_good() {
    const CONFIG: Config = Config { pinned: 0, ..duo::PAGES };
    duo::with_config(CONFIG, duo::THREAD, Some(thief), || {
        let duo = Duo::of_companion();
        let name = duo.client(1);
        let mut peer = Peer::new(name.name(), Trust::Distrusting);
        duo::fill(SEED, BYTES, BYTES);
        let (data, room) = duo::buffers(BYTES, BYTES);
        check_eq!(peer.call_by(Way::Touched, PLAIN, [0; 2], data, &mut []), Err(Failure::NoMeans));
        let handled = duo::handled();
        let failure = peer.call_by(Way::Touched, PLAIN, [0; 2], &[], room);
        check!(matches!(failure, Err(Failure::Missing(_))), "{failure:?}");
        check!(failure.is_err_and(|failure| !failure.is_about_the_way()), "{failure:?}");
        check_eq!(duo::handled(), handled + 1, "carried out once");
    });
}

/// More than may be pinned, or than there are frames: what cannot be had is said, and what needs no pins works.
pub fn scarce() {
    const CONFIG: Config = Config { resident: 24, stored: 1400, pinned: 10 };
    duo::with_config(CONFIG, duo::THREAD, None, || {
        for server in TRUSTS {
            let duo = Duo::new(server);
            let name = duo.client(1);
            let mut peer = Peer::new(name.name(), Trust::Trusting);
            duo::fill(SEED, BYTES, BYTES);
            let (data, room) = duo::buffers(BYTES, BYTES);
            check_eq!(peer.call_by(Way::Wired, PLAIN, [0; 2], data, &mut []), Err(Failure::NoMeans));
            check_eq!(peer.call_by(Way::Wired, PLAIN, [0; 2], &[], room), Err(Failure::NoMeans));
            for way in [Way::Registers, Way::Pull] {
                duo::fill(SEED, BYTES, BYTES);
                let done = ways::call(&mut peer, way, PLAIN, (BYTES, BYTES), SEED);
                check_eq!(done.map(|done| done.bytes), Ok(BYTES as u32), "{way:?}");
            }
            // 20 KiB fit, and stay, one at a time.
            for (request, reply) in [(20 << 10, 0), (0, 20 << 10)] {
                duo::fill(SEED, request, reply);
                for way in [Way::Wired, Way::Touched] {
                    let done = ways::call(&mut peer, way, PLAIN, (request, reply), SEED);
                    check!(done.is_ok(), "{way:?} {request} {reply}: {done:?}");
                }
            }
        }
    });
}

/// Fewer frames than the client's pages, so that the pager's library cannot touch them all at once: the client reads or
/// writes them itself, one by one, and those that are needed first are those that stay. The server's are pinned.
pub fn tight() {
    const PAGES: u32 = 8;
    const CONFIG: Config = Config { resident: 2 * PAGES + pager::SPARE, stored: 1400, pinned: 2 * PAGES };
    duo::with_config(CONFIG, duo::THREAD, None, || {
        for (request, reply) in [(PAGES * FRAME, 0), (0, PAGES * FRAME)] {
            let duo = Duo::new(Trust::Distrusting);
            let name = duo.client(1);
            let mut peer = Peer::new(name.name(), Trust::Distrusting);
            let (request, reply) = (request as usize, reply as usize);
            duo::fill(SEED, request, reply);
            // The piece for what arrives, and the only client's, which is the last.
            let pieces = [0, duo::CLIENTS * PIECE];
            let pins = pieces.map(|piece| pager::pin(SERVER.0 + piece, PAGES * FRAME));
            check!(pins.iter().all(Result::is_ok), "{pins:?}");
            for region in [REQUEST, REPLY] {
                pager::evict(region.0, region.1);
            }
            let done = ways::call(&mut peer, Way::Pull, PLAIN, (request, reply), SEED);
            check!(done.is_ok_and(|done| done.retries != 0), "{request} {reply}: {done:?}");
        }
    });
}

/// The reply is missing at the server when it is to be sent: its own page, which it touches. Who waits for it does
/// not notice; who does not, asks again.
fn missing_reply(mode: Mode) {
    for server in TRUSTS {
        let duo = Duo::new(server);
        let name = duo.client(1);
        for trust in TRUSTS {
            let mut peer = Peer::new(name.name(), trust);
            for request in [0, 100, BYTES] {
                for way in [Way::Registers, Way::Wired, Way::Touched, Way::Pull] {
                    duo::fill(SEED, request, BYTES);
                    for region in [SERVER, REQUEST, REPLY] {
                        check_eq!(pager::touch(region.0, region.1), Ok(()));
                    }
                    let done = ways::call(&mut peer, way, EVICT, (request, BYTES), SEED);
                    let by_strings = matches!(way, Way::Wired | Way::Touched);
                    let waits = trust == Trust::Trusting && mode != Mode::Upcall;
                    let retries = if by_strings && !waits { misses(BYTES) } else { 0 };
                    check_eq!(done.map(|done| done.retries), Ok(retries), "{way:?} {trust:?} {request}");
                }
            }
        }
    }
}

pub fn missing_replies() {
    duo::with_pager(duo::THREAD, || missing_reply(duo::THREAD));
    duo::with_pager(Mode::Upcall, || missing_reply(Mode::Upcall));
}

/// The table's cases are whole and in order, and give no memory to who is not trusted: it is generated.
pub fn table() {
    for direction in [Direction::Send, Direction::Receive] {
        for (trust, resident) in TRUSTS.into_iter().flat_map(|trust| [(trust, true), (trust, false)]) {
            let case = |row: &&Row| (row.direction, row.trust, row.resident) == (direction, trust, resident);
            let rows = || TABLE.iter().filter(case);
            check!(rows().is_sorted_by_key(|row| row.up_to), "{direction:?} {trust:?} {resident}");
            check_eq!(rows().next_back().map(|row| row.up_to), Some(u32::MAX));
            let gives = |row: &Row| trust == Trust::Distrusting && row.way == Way::Container;
            check!(!rows().any(gives), "{direction:?} {resident}");
        }
    }
}

/// What the table says for memory that the test knows to be resident or not, if it can be gone.
fn expected(direction: Direction, trust: Trust, resident: bool, bytes: usize, shared: bool) -> Way {
    let usable = |way| match way {
        Way::Container => shared && bytes <= SHARED_BYTES as usize,
        Way::Service => false,
        _ => true,
    };
    choose::way(direction, trust, resident || bytes == 0, bytes as u32, usable)
}

/// Without a named way.
pub fn chosen() {
    duo::with_pager(duo::THREAD, || {
        let duo = Duo::new(Trust::Distrusting);
        let name = duo.client(1);
        for trust in TRUSTS {
            for with_shared in [false, true] {
                let mut peer = Peer::new(name.name(), trust);
                if with_shared {
                    peer = peer.with_shared(SHARED, SHARED_BYTES).expect("memory for a shared region");
                }
                for bytes in ways::SIZES {
                    for resident in [true, false] {
                        duo::fill(SEED, bytes, bytes);
                        if !resident {
                            pager::evict(REQUEST.0, REQUEST.1);
                            pager::evict(REPLY.0, REPLY.1);
                        }
                        let handled = duo::handled();
                        let (data, room) = duo::buffers(bytes, bytes);
                        let ways = [Direction::Send, Direction::Receive]
                            .map(|direction| expected(direction, trust, resident, bytes, with_shared));
                        check_eq!(
                            peer.choose(Direction::Send, data),
                            ways[0],
                            "{bytes} {trust:?} {resident}"
                        );
                        check_eq!(
                            peer.choose(Direction::Receive, room),
                            ways[1],
                            "{bytes} {trust:?} {resident}"
                        );
                        // The server takes no containers, and says so: then it is pull.
                        let ways = ways.map(|way| if way == Way::Container { Way::Pull } else { way });
                        let sent = peer.send(PLAIN, [SEED, 0], data);
                        check_eq!(sent.map(|done| done.way), Ok(ways[0]), "{bytes}");
                        check_eq!(sent.map(|done| done.status), Ok(duo::sum(data)), "{bytes}");
                        let received = peer.receive(PLAIN, [SEED, 0], room);
                        check_eq!(received.map(|done| done.way), Ok(ways[1]), "{bytes}");
                        let right = |index: usize| room[index] == duo::number(SEED, index);
                        check!((0..bytes).all(right), "{bytes}");
                        check_eq!(duo::handled(), handled + 2);
                    }
                }
            }
        }
    });
}
