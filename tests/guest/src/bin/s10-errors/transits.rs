//! Errors that end a transfer under way: a page that is missing on either side, a partner that leaves, a stop.

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, Error, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages;
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Message, Utcb, calls};

use crate::claims::note;

/// Where nothing is mapped.
const NOWHERE: u32 = pages::address(3);
const BYTES: u32 = 12;

/// One side of an exchange.
#[derive(Clone, Copy)]
struct Side {
    call: Call,
    /// Whether its memory is missing.
    missing: bool,
    /// Whether its memory is the reply's: its own message is bare.
    bare: bool,
}

/// Words of the board that an actor finds its part in.
const PART: usize = 16;
const STATUS: usize = 15;

fn base(actor: usize) -> usize {
    140 + PART * actor
}

/// Makes the call on the board.
fn act(actor: u32) {
    let at = |index| board::get(base(actor as usize) + index);
    let (utcb, here) = (Utcb::current(), [0_u8; BYTES as usize]);
    let address = if at(1) != 0 { NOWHERE } else { here.as_ptr() as u32 };
    let part = Part { address, bytes: BYTES };
    utcb.set_strings(&[part]);
    // SAFETY: the array is looked at by nobody but the kernel.
    unsafe { utcb.set_buffers(&[part]) };
    let limit = at(3);
    utcb.set_send_faults(limit, limit);
    utcb.set_receive_faults(limit, limit);
    let (call, endpoint, tag) = (at(0), at(4), at(2));
    if matches!(Call::from_word(call), Some(Call::Reply | Call::ReplyReceive)) {
        check!(calls::receive(CapName(endpoint)).is_ok());
    }
    let (status, registers) = enter(call | ACCEPT << 8, [endpoint, tag, 1, 2]);
    board::set(base(actor as usize) + STATUS, status);
    board::set(base(actor as usize) + STATUS - 1, registers[2]);
    board::set(base(actor as usize) + STATUS - 2, registers[3]);
    core::hint::black_box(&here);
}

fn spawn(actor: usize, side: Side, endpoint: u32, limit: u32, pager: CapName) -> Worker {
    let strings = if side.bare { Tag::new(3, 0) } else { Tag::new(3, 0).with_strings() };
    let words = [side.call as u32, side.missing.into(), strings.0, limit, endpoint];
    words.into_iter().enumerate().for_each(|(index, word)| board::set(base(actor) + index, word));
    board::set(base(actor) + STATUS, u32::MAX);
    Worker::spawn(&Home::own(), Options { pager, ..ABOVE }, act, actor as u32)
}

fn ended(worker: &Worker, actor: usize, call: Call, error: Error) {
    check!(worker.ends(), "{} {error:?}", call.name());
    if check_eq!(board::get(base(actor) + STATUS), error as u32, "{}", call.name()) {
        note(call, error);
    }
    if matches!(error, Error::FaultMine | Error::FaultTheirs) {
        let place = [board::get(base(actor) + STATUS - 1), board::get(base(actor) + STATUS - 2)];
        check_eq!(place, [0, NOWHERE], "{}", call.name());
    }
}

/// A sender and a receiver; which of them comes first does not matter here.
const PAIRS: [(Call, Call); 4] = [
    (Call::Send, Call::Receive),
    (Call::Call, Call::Receive),
    (Call::Reply, Call::Call),
    (Call::ReplyReceive, Call::Call),
];

fn pair(pair: (Call, Call), missing: [bool; 2], limit: u32, pager: CapName, endpoint: u32) -> [Worker; 2] {
    let answered = pair.1 == Call::Call;
    let sender = Side { call: pair.0, missing: missing[0], bare: false };
    let receiver = Side { call: pair.1, missing: missing[1], bare: answered };
    // Who answers receives first; else the receiver waits for the sender.
    if answered {
        let sender = spawn(0, sender, endpoint, limit, pager);
        [sender, spawn(1, receiver, endpoint, limit, pager)]
    } else {
        let receiver = spawn(1, receiver, endpoint, limit, pager);
        [spawn(0, sender, endpoint, limit, pager), receiver]
    }
}

/// Both sides abort at once.
pub fn faults() {
    let endpoint = endpoint();
    for calls in PAIRS {
        let [sender, receiver] = pair(calls, [true, false], 0, CapName::NONE, endpoint.name().0);
        ended(&sender, 0, calls.0, Error::FaultMine);
        if calls.1 == Call::Call {
            ended(&receiver, 1, calls.1, Error::FaultTheirs);
        } else {
            check_eq!(receiver.state(), State::Receiving);
        }
        drop((sender, receiver));
        let [sender, receiver] = pair(calls, [false, true], 0, CapName::NONE, endpoint.name().0);
        ended(&sender, 0, calls.0, Error::FaultTheirs);
        ended(&receiver, 1, calls.1, Error::FaultMine);
    }
    // As the second half of a ReplyReceive.
    let (bare, gone) = (Side { call: Call::ReplyReceive, missing: true, bare: true }, CapName::NONE);
    let server = spawn(1, bare, endpoint.name().0, 0, gone);
    check!(calls::call(endpoint.name(), &Message::new(1)).is_ok());
    let sender = spawn(0, Side { call: Call::Send, missing: false, bare: false }, endpoint.name().0, 0, gone);
    ended(&sender, 0, Call::Send, Error::FaultTheirs);
    ended(&server, 1, Call::ReplyReceive, Error::FaultMine);
}

/// The receiver's page is waited for, and one of the two is stopped.
pub fn stops() {
    let (endpoint, pager) = (endpoint(), endpoint());
    for calls in PAIRS {
        for stopped in 0..2 {
            let workers = pair(calls, [false, true], FOREVER, pager.name(), endpoint.name().0);
            check_eq!(workers[0].state(), State::Transferring);
            check_eq!(workers[1].state(), State::Calling, "its pager");
            check_eq!(calls::stop_thread(workers[stopped].name()), Ok(()));
            let names = [calls.0, calls.1];
            let receives = calls.1 == Call::Receive;
            if stopped == 0 && receives {
                check_eq!(workers[1].state(), State::Receiving);
            } else {
                ended(&workers[1 - stopped], 1 - stopped, names[1 - stopped], Error::PeerGone);
            }
            let again = calls::continue_thread(workers[stopped].name(), CapName::NONE, ABOVE.priority);
            check_eq!(again, Ok(()));
            ended(&workers[stopped], stopped, names[stopped], Error::Canceled);
        }
    }
}
