//! Transfers of strings where something else than memory is in question: badges, lost capabilities, pagers that
//! are partners, the last block below the kernel.

use freehold_abi::fault::{PAGE_FAULT, RESUME};
use freehold_abi::info::{State, place};
use freehold_abi::layout::utcb::ARRIVED;
use freehold_abi::layout::{BLOCK, FOREVER, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, BELOW, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

/// A page that is missing until a pager maps it.
const MISSING: u32 = pages::address(40);
/// Where buffers are.
const BUFFER: u32 = pages::address(41);

const SENT: u32 = 120;
const GOT: u32 = 130;

/// Sends the string on the board, and says what came of it.
fn send(name: u32) {
    let utcb = Utcb::current();
    utcb.set_strings(&[Part { address: board::get(100), bytes: board::get(101) }]);
    utcb.set_send_faults(board::get(102), board::get(102));
    let sent = calls::send_strings(CapName(name), &Message::of(9, &[1, 2, 3]).with_strings());
    let (status, address) = sent.map_or_else(|stop| (stop.error as u32, stop.address), |()| (0, 0));
    board::set(SENT as usize + 1, address);
    board::set(SENT as usize, status);
}

/// Receives into the buffer on the board, and says what came of it.
fn receive(name: u32) {
    let utcb = Utcb::current();
    // SAFETY: the tests' own pages, of which nobody holds references.
    unsafe { utcb.set_buffers(&[Part { address: board::get(110), bytes: board::get(111) }]) };
    utcb.set_receive_faults(FOREVER, FOREVER);
    utcb.set_limits((FOREVER, board::get(112)));
    let (status, badge) = match calls::receive_strings(CapName(name)) {
        Ok((got, bytes)) => {
            check_eq!(bytes, utcb.get(ARRIVED));
            board::set(GOT as usize + 2, bytes);
            (0, got.badge)
        }
        Err(stop) => (stop.error as u32, 0),
    };
    board::set(GOT as usize + 1, badge);
    board::set(GOT as usize, status);
}

/// A string to send, and how long faults are waited for.
fn sends(address: u32, bytes: u32, limit: u32) {
    board::set(SENT as usize, u32::MAX);
    [address, bytes, limit].into_iter().enumerate().for_each(|(index, word)| board::set(100 + index, word));
}

/// A buffer for it, and how long it is waited for.
fn accepts(address: u32, bytes: u32, limit: u32) {
    board::set(GOT as usize, u32::MAX);
    [address, bytes, limit].into_iter().enumerate().for_each(|(index, word)| board::set(110 + index, word));
}

fn results() -> (u32, u32) {
    (board::get(SENT as usize), board::get(GOT as usize))
}

fn status(error: Error) -> u32 {
    error as u32
}

fn paged(pager: CapName) -> Options {
    Options { pager, ..ABOVE }
}

/// A sender that is queued for its pager keeps the badge of its message.
pub fn badges() {
    let (meeting, faults) = (endpoint(), endpoint());
    let (way, pager) =
        (derived(meeting.name(), Rights::SEND, 5, 0), derived(faults.name(), Rights::SEND, 77, 0));
    for receiver_first in [true, false] {
        let (page, buffer) = (Frames::take(1, 1), Frames::take(1, 1));
        check_eq!(pages::map(&buffer, BUFFER, Rights::WRITE, 0), Ok(()));
        sends(MISSING, 8, FOREVER);
        accepts(BUFFER, 8, FOREVER);
        let workers = if receiver_first {
            let receiver = Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0);
            (Worker::spawn(&Home::own(), paged(pager.name()), send, way.name().0), receiver)
        } else {
            let sender = Worker::spawn(&Home::own(), paged(pager.name()), send, way.name().0);
            (sender, Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0))
        };
        check_eq!((workers.0.state(), workers.1.state()), (State::Calling, State::Transferring));
        let got = calls::receive(faults.name()).expect("a fault");
        check_eq!((got.badge, got.message.label(), got.message.word(0)), (77, PAGE_FAULT, MISSING));
        check_eq!(pages::map(&page, MISSING, Rights::WRITE, 0), Ok(()));
        poke(MISSING, 0xABCD_0123);
        check_eq!(calls::reply(None, &Message::new(RESUME)), Ok(()));
        check!(workers.0.ends() && workers.1.ends());
        check_eq!(results(), (0, 0));
        check_eq!((board::get(GOT as usize + 1), peek(BUFFER)), (5, 0xABCD_0123));
    }
}

/// Who goes on receiving, but without the endpoint, learns Canceled.
pub fn lost_endpoint() {
    let (meeting, faults) = (endpoint(), endpoint());
    let mine = derived(meeting.name(), Rights::RECEIVE, 0, 0);
    let buffer = Frames::take(1, 1);
    check_eq!(pages::map(&buffer, BUFFER, Rights::WRITE, 0), Ok(()));
    sends(MISSING, 8, FOREVER);
    accepts(BUFFER, 8, FOREVER);
    let receiver = Worker::spawn(&Home::own(), ABOVE, receive, mine.name().0);
    let sender = Worker::spawn(&Home::own(), paged(faults.name()), send, meeting.name().0);
    check_eq!(receiver.state(), State::Transferring);
    check_eq!(calls::delete(mine.reference()), Ok(()));
    check_eq!(receiver.state(), State::Transferring, "what has begun goes on");
    check_eq!(calls::stop_thread(sender.name()), Ok(()));
    check!(receiver.ends());
    check_eq!(results().1, status(Error::Canceled));
}

/// The receiver is the sender's pager: it cannot hear of the fault, and its own limit ends it for both.
pub fn partner_is_pager() {
    let meeting = endpoint();
    let buffer = Frames::take(1, 1);
    check_eq!(pages::map(&buffer, BUFFER, Rights::WRITE, 0), Ok(()));
    sends(MISSING, 8, FOREVER);
    accepts(BUFFER, 8, 5);
    let receiver = Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0);
    let sender = Worker::spawn(&Home::own(), paged(meeting.name()), send, meeting.name().0);
    check_eq!((sender.state(), receiver.state()), (State::Calling, State::Transferring));
    check!(sender.ends() && receiver.ends());
    check_eq!(results(), (status(Error::PeerGone), status(Error::Timeout)));
    let none = Utcb::current().within((0, 0), || calls::receive(meeting.name()).map(|got| got.badge));
    check_eq!(none, Err(Error::Timeout), "the fault's message has gone with it");

    // A sender's own limit, the receiver being its pager once more: the receiver loses nothing.
    sends(MISSING, 8, 3);
    accepts(BUFFER, 8, FOREVER);
    let receiver = Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0);
    let sender = Worker::spawn(&Home::own(), paged(meeting.name()), send, meeting.name().0);
    check!(sender.ends());
    check_eq!((results().0, receiver.state()), (status(Error::FaultMine), State::Receiving));
    let message = Message::new(4);
    check_eq!(calls::send(meeting.name(), &message), Ok(()));
    check!(receiver.ends());
}

/// Strings in the last 4 MiB of the space, seen by either side: there is no second block behind it to show.
pub fn last_block() {
    let meeting = endpoint();
    let buffer = Frames::take(2, 1);
    check_eq!(pages::map(&buffer, BUFFER, Rights::WRITE, 0), Ok(()));
    let tables = calls::space_summary(CapName::NONE).expect("the own space").tables;
    let unused = place::AREA + tables * FRAME;
    // The area's first page, whose entries nobody changes meanwhile; then what is not there, at both its ends.
    let cases = [
        (place::AREA, FRAME, None),
        (unused - 16, 64, Some(unused)),
        (place::AREA + BLOCK - 32, 32, Some(place::AREA + BLOCK - 32)),
    ];
    for (address, bytes, fault) in cases {
        for receiver_first in [true, false] {
            poke(BUFFER, 0);
            sends(address, bytes, 0);
            accepts(BUFFER, 2 * FRAME, 0);
            let mut workers = alloc::vec::Vec::new();
            if receiver_first {
                accepts(BUFFER, 2 * FRAME, FOREVER);
                workers.push(Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0));
            }
            workers.push(Worker::spawn(&Home::own(), ABOVE, send, meeting.name().0));
            if !receiver_first {
                workers.push(Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0));
            }
            let sent = (board::get(SENT as usize), board::get(SENT as usize + 1));
            match fault {
                None => {
                    check_eq!((sent, board::get(GOT as usize)), ((0, 0), 0));
                    let same = |word: u32| (peek(BUFFER + word) ^ peek(address + word)) & !0x60 == 0;
                    check!((0..bytes).step_by(4).all(same), "not what stands at {address:#x}");
                }
                Some(place) => {
                    check_eq!(sent, (status(Error::FaultMine), place), "{address:#x}");
                }
            }
        }
    }
}

/// Bytes of a copy that takes a good part of a tick.
const LONG: u32 = 1 << 20;
const ROUNDS: usize = 30;

/// Sends and receives without end, below everybody.
fn send_on(name: u32) {
    let utcb = Utcb::current();
    utcb.set_strings(&[Part { address: pages::address(100), bytes: LONG }]);
    while board::get(140) == 0 {
        board::add(141, calls::send_strings(CapName(name), &Message::new(1).with_strings()).is_ok().into());
    }
}

fn receive_on(name: u32) {
    let utcb = Utcb::current();
    // SAFETY: the tests' own pages, of which nobody holds references.
    unsafe { utcb.set_buffers(&[Part { address: pages::address(400), bytes: LONG }]) };
    while calls::receive_strings(CapName(name)).is_ok() {}
}

/// Who wakes above a long copy runs at once, whichever side drives; and the copy goes on behind it.
pub fn give_way() {
    let meeting = endpoint();
    let (source, buffer) = (Frames::take(LONG / FRAME, 1), Frames::take(LONG / FRAME, 1));
    check_eq!(pages::map(&source, pages::address(100), Rights::WRITE, 0), Ok(()));
    check_eq!(pages::map(&buffer, pages::address(400), Rights::WRITE, 0), Ok(()));
    board::set(140, 0);
    board::set(141, 0);
    let sender = Worker::spawn(&Home::own(), BELOW, send_on, meeting.name().0);
    let receiver = Worker::spawn(&Home::own(), BELOW, receive_on, meeting.name().0);
    let mut caught = 0;
    for _ in 0..ROUNDS {
        let before = time::ticks();
        time::sleep(1);
        let late = time::ticks().wrapping_sub(before);
        check!(late <= 2, "woken after {late} ticks");
        let states = [sender.state(), receiver.state()];
        caught += u32::from(states.contains(&State::Transferring) && states.contains(&State::Ready));
    }
    board::set(140, 1);
    check!(sender.ends());
    check!(caught > 5, "only {caught} times in the middle of a copy");
    check!(board::get(141) > 5, "{} copies", board::get(141));
}

fn spin(_: u32) {
    while board::get(142) == 0 {
        core::hint::spin_loop();
    }
}

/// Who waits for a transfer is not held by what computes between the two: the copy takes the higher priority.
pub fn priorities() {
    let (meeting, faults) = (endpoint(), endpoint());
    let buffer = Frames::take(1, 1);
    check_eq!(pages::map(&buffer, BUFFER, Rights::WRITE, 0), Ok(()));
    let (low, between) = (Options { priority: 3, ..paged(faults.name()) }, Options { priority: 9, ..ABOVE });
    for sender_low in [true, false] {
        let page = Frames::take(1, 1);
        let missing = if sender_low { (MISSING, BUFFER) } else { (BUFFER, MISSING) };
        sends(missing.0, 64, FOREVER);
        accepts(missing.1, 64, FOREVER);
        // The one above waits; the one below finds it, and then lacks a page.
        let workers = if sender_low {
            let receiver = Worker::spawn(&Home::own(), ABOVE, receive, meeting.name().0);
            [Worker::spawn(&Home::own(), low, send, meeting.name().0), receiver]
        } else {
            let sender = Worker::spawn(&Home::own(), ABOVE, send, meeting.name().0);
            [Worker::spawn(&Home::own(), low, receive, meeting.name().0), sender]
        };
        let got = calls::receive(faults.name()).expect("a fault");
        check_eq!(got.message.word(0), MISSING);
        check_eq!(workers[0].info().priority, u32::from(ABOVE.priority), "lent");
        board::set(142, 0);
        let spinner = Worker::spawn(&Home::own(), between, spin, 0);
        check_eq!(pages::map(&page, MISSING, Rights::WRITE, 0), Ok(()));
        check_eq!(calls::reply(None, &Message::new(RESUME)), Ok(()));
        check!(workers[1].ends(), "held by the one between");
        let info = workers[0].info();
        check_eq!((info.state, info.priority), (State::Ready, 3), "and is where it was");
        board::set(142, 1);
        check!(spinner.ends() && workers[0].ends());
        check_eq!(results(), (0, 0));

        // The same, but the one above is stopped: what it lent ends with it.
        check_eq!(calls::unmap(CapName::NONE, MISSING / FRAME, 1), Ok(()));
        let [below, above] = [&workers[0], &workers[1]];
        let (first, second) =
            if sender_low { (receive as fn(u32), send as fn(u32)) } else { (send as _, receive as _) };
        above.start(first, meeting.name().0);
        below.start(second, meeting.name().0);
        check!(calls::receive(faults.name()).is_ok());
        check_eq!(below.info().priority, u32::from(ABOVE.priority));
        check_eq!(calls::stop_thread(above.name()), Ok(()));
        check_eq!(below.info().priority, 3);
        check_eq!(calls::stop_thread(below.name()), Ok(()));
    }
}
