//! Words, labels and badges arrive as they were sent.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::{State, place};
use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::layout::{BLOCK, FOREVER, USER_END};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::Received;
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

/// Label of the message that ends [`echo`].
pub const END: u16 = 0xE0D;
/// The endpoint's name in other spaces.
const THERE: CapName = CapName(9);

fn pattern(index: u32, length: u32) -> u32 {
    0x9E37_79B9_u32.wrapping_mul(index + 1) ^ length << 24
}

/// Answers each message with the same words, each inverted, under the next label.
pub fn echo(endpoint: u32) {
    let endpoint = CapName(endpoint);
    let mut received = calls::receive(endpoint);
    while let Ok(got) = received {
        board::set(0, got.badge);
        let mut answer = Message::new(got.message.label().wrapping_add(1));
        for word in got.message.words() {
            answer.push(!word);
        }
        if got.message.label() == END {
            let _ = calls::reply(None, &answer);
            return;
        }
        received = calls::reply_receive(None, &answer, endpoint);
    }
}

/// Where strings arrive.
static ARRIVED: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// Lists of one buffer that are refused, and how.
const REFUSED: [(u32, u32, Error); 6] = [
    (4, 0, Error::EmptyString),
    (USER_END - 1, 2, Error::BadAddress),
    (u32::MAX, 1, Error::BadAddress),
    (place::AREA - 1, 2, Error::PageTableArea),
    (place::AREA, 1, Error::PageTableArea),
    (place::AREA + BLOCK - 1, 1, Error::PageTableArea),
];

/// The same, accepting strings whenever it receives again. Buffers that are refused answer nobody: it tries all that
/// must be, and adds to word 2 of the board for each that is not, before it takes one that must not be.
fn echo_strings(endpoint: u32) {
    let (utcb, endpoint) = (Utcb::current(), CapName(endpoint));
    let accepted = [(ARRIVED.as_ptr() as u32, 8), (place::AREA - 1, 1)];
    let mut received = calls::receive(endpoint);
    for round in 0.. {
        let Ok(Received { message, .. }) = received else { return };
        let mut answer = Message::new(message.label().wrapping_add(1));
        message.words().iter().for_each(|word| answer.push(!word));
        if message.label() == END {
            let _ = calls::reply(None, &answer);
            return;
        }
        let answer_and_accept = |address, bytes| {
            // SAFETY: a string is sent only when the buffer is the array, which anybody may change.
            unsafe { utcb.set_buffers(&[Part { address, bytes }]) };
            let result = calls::reply_receive_strings(None, &answer, endpoint);
            result.map(|(received, _)| received).map_err(|broken| broken.error)
        };
        for (address, bytes, error) in REFUSED {
            let refused = matches!(answer_and_accept(address, bytes), Err(met) if met == error);
            board::add(2, u32::from(!refused));
        }
        let (address, bytes) = accepted[round % accepted.len()];
        received = answer_and_accept(address, bytes);
    }
}

fn exchange(endpoint: CapName) {
    words(endpoint);
    ends(endpoint);
}

fn ends(endpoint: CapName) {
    check_eq!(calls::call(endpoint, &Message::new(END)).map(|answer| answer.label()), Ok(END + 1));
}

fn words(endpoint: CapName) {
    let utcb = Utcb::current();
    for length in 0..=62 {
        let label = (length * 0x0421) as u16;
        let mut message = Message::new(label);
        (0..length).for_each(|index| message.push(pattern(index, length)));
        for index in 3..64 {
            utcb.set(MESSAGE + index, 0x5A5A_0000 + index as u32);
        }
        let Ok(answer) = calls::call(endpoint, &message) else {
            check!(false, "no answer to {length} words");
            return;
        };
        check_eq!(answer.label(), label.wrapping_add(1));
        let right = (0..length).all(|index| answer.word(index as usize) == !pattern(index, length));
        check!(answer.words().len() == length as usize && right, "{length} words: {:?}", answer.words());
        let untouched = (length.max(2) as usize + 1..64)
            .all(|index| utcb.get(MESSAGE + index) == 0x5A5A_0000 + index as u32);
        check!(untouched, "words behind the {length} of the answer");
    }
}

/// A server of the client's priority, whom no time limit hurries: with such a partner messages take the kernel's
/// shortest paths.
const EQUAL: Options = Options { priority: MAIN_PRIORITY, ..BELOW };

/// Without time limits.
fn at_leisure(work: impl FnOnce()) {
    Utcb::current().within((FOREVER, FOREVER), work);
}

pub fn own_space() {
    let endpoint = endpoint();
    for options in [BELOW, ABOVE] {
        let server = Worker::spawn(&Home::own(), options, echo, endpoint.name().0);
        exchange(endpoint.name());
        check!(server.ends());
    }
    let server = Worker::spawn(&Home::own(), EQUAL, echo, endpoint.name().0);
    at_leisure(|| exchange(endpoint.name()));
    check!(server.ends());
}

pub fn other_space() {
    let endpoint = endpoint();
    let home = Home::new();
    home.give(THERE, endpoint.name(), Rights::RECEIVE, 0);
    for options in [BELOW, ABOVE] {
        let server = Worker::spawn(&home, options, echo, THERE.0);
        exchange(endpoint.name());
        check!(server.ends());
    }
    let server = Worker::spawn(&home, EQUAL, echo, THERE.0);
    at_leisure(|| exchange(endpoint.name()));
    check!(server.ends());
}

/// A server that accepts strings: its answers arrive as those of any other.
pub fn accepting() {
    board::clear();
    let endpoint = endpoint();
    for options in [BELOW, EQUAL, ABOVE] {
        ARRIVED.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        let server = Worker::spawn(&Home::own(), options, echo_strings, endpoint.name().0);
        at_leisure(|| {
            words(endpoint.name());
            let sent = [0x1234_5678_u32, 0x9ABC_DEF0];
            Utcb::current().set_strings(&[Part { address: sent.as_ptr() as u32, bytes: 8 }]);
            let answer = calls::call_strings(endpoint.name(), &Message::new(5).with_strings(), false);
            check_eq!(answer.map(|(answer, _)| answer.label()), Ok(6));
            Utcb::current().set_strings(&[]);
            check_eq!(core::array::from_fn(|index| ARRIVED[index].load(Ordering::Relaxed)), sent);
            ends(endpoint.name());
        });
        check!(server.ends());
        check_eq!(board::get(2), 0, "buffers that were not refused");
    }
}

/// A client whose priority is above the server's, so that the answer takes the processor away from the
/// server before that waits again.
pub fn client_above() {
    const CALLS: u32 = 50;
    fn client(endpoint: u32) {
        for round in 0..CALLS {
            let answer = calls::call(CapName(endpoint), &Message::of(7, &[round]));
            if answer.is_ok_and(|answer| answer.word(0) == !round) {
                board::add(1, 1);
            }
        }
        let _ = calls::call(CapName(endpoint), &Message::new(END));
    }
    board::clear();
    let endpoint = endpoint();
    let server = Worker::spawn(&Home::own(), BELOW, echo, endpoint.name().0);
    check!(server.reaches(State::Receiving));
    let client = Worker::spawn(&Home::own(), ABOVE, client, endpoint.name().0);
    check!(client.ends(), "{:?}", client.info());
    check!(server.ends(), "{:?}", server.info());
    check_eq!(board::get(1), CALLS);
}

/// A send is over when its message is taken; who sends first is heard first.
pub fn one_way() {
    fn sender(argument: u32) {
        let (endpoint, word) = (CapName(argument & 0xFFF), argument >> 12);
        let sent = calls::send(endpoint, &Message::of(word as u16, &[word, !word]));
        board::set(word as usize, if sent.is_ok() { 1 } else { 2 });
    }
    board::clear();
    let endpoint = endpoint();
    let start = |word: u32| Worker::spawn(&Home::own(), ABOVE, sender, endpoint.name().0 | word << 12);
    let senders = [3, 1, 2].map(start);
    check!(senders.iter().all(|sender| sender.state() == State::Sending));
    for word in [3, 1, 2] {
        check_eq!(board::get(word as usize), 0, "not taken yet");
        let got = calls::receive(endpoint.name()).map(|got| (got.message.label(), got.message.word(1)));
        check_eq!(got, Ok((word as u16, !word)));
        check_eq!(board::get(word as usize), 1);
    }
    check_eq!(calls::reply(None, &Message::new(0)), Err(Error::NoReply), "a send has no answer");
    check!(senders.iter().all(Worker::ends));
    // The other way round: the receiver waits.
    let receiver = Worker::spawn(
        &Home::own(),
        ABOVE,
        |endpoint| {
            let got = calls::receive(CapName(endpoint));
            board::set(9, got.map_or(0, |got| got.message.word(0)));
        },
        endpoint.name().0,
    );
    check_eq!(receiver.state(), State::Receiving);
    check_eq!(calls::send(endpoint.name(), &Message::of(0, &[77])), Ok(()));
    check_eq!(board::get(9), 77);
    check!(receiver.ends());
}

pub fn badges() {
    let endpoint = endpoint();
    let server = Worker::spawn(&Home::own(), ABOVE, echo, endpoint.name().0);
    let call = |name: CapName| {
        board::set(0, 0xBAD);
        calls::call(name, &Message::new(1)).map(|_| board::get(0))
    };
    let first = derived(endpoint.name(), Rights::SEND, 0xFFFF_FFFF, 8);
    let second = derived(endpoint.name(), Rights::SEND, 5, 8);
    let plain = derived(endpoint.name(), Rights::SEND, 0, 8);
    let kept = derived(first.name(), Rights::SEND, 0, 0);
    let later = derived(plain.name(), Rights::SEND, 6, 0);
    check_eq!(call(endpoint.name()), Ok(0));
    check_eq!(call(first.name()), Ok(0xFFFF_FFFF));
    check_eq!(call(second.name()), Ok(5));
    check_eq!(call(plain.name()), Ok(0));
    check_eq!(call(kept.name()), Ok(0xFFFF_FFFF));
    check_eq!(call(later.name()), Ok(6));
    check_eq!(calls::call(endpoint.name(), &Message::new(END)).is_ok(), true);
    check!(server.ends());
    let mute = derived(endpoint.name(), Rights::RECEIVE, 0, 0);
    let deaf = derived(endpoint.name(), Rights::SEND, 0, 0);
    check_eq!(calls::call(mute.name(), &Message::new(1)).map(|answer| answer.label()), Err(Error::NoRight));
    check_eq!(calls::send(mute.name(), &Message::new(1)), Err(Error::NoRight));
    check_eq!(calls::receive(deaf.name()).map(|got| got.badge), Err(Error::NoRight));
}

/// Bits add up until somebody waits; a badge replaces the sender's bits.
pub fn notifications() {
    let bits = notification();
    let badged = derived(bits.name(), Rights::SEND, 0x40, 0);
    check_eq!(calls::notify(bits.name(), 1), Ok(()));
    check_eq!(calls::notify(bits.name(), 4), Ok(()));
    check_eq!(calls::notify(badged.name(), 0x8000), Ok(()));
    check_eq!(calls::wait(bits.name()), Ok(0x45));
    let now = |work: fn(CapName) -> Result<u32, Error>| Utcb::current().within((0, 0), || work(bits.name()));
    check_eq!(now(calls::wait), Err(Error::Timeout), "the bits are gone");
    board::clear();
    let waiter = Worker::spawn(
        &Home::own(),
        ABOVE,
        |name| {
            board::set(0, calls::wait(CapName(name)).unwrap_or(0));
            board::set(1, calls::wait(CapName(name)).unwrap_or(0));
        },
        bits.name().0,
    );
    check_eq!(waiter.state(), State::Waiting);
    check_eq!(calls::notify(bits.name(), 0), Ok(()), "no bit wakes nobody");
    check_eq!(waiter.state(), State::Waiting);
    check_eq!(calls::notify(badged.name(), 0), Ok(()));
    check_eq!(board::get(0), 0x40);
    check_eq!(calls::notify(bits.name(), 0x8000_0000), Ok(()));
    check_eq!(board::get(1), 0x8000_0000);
    check!(waiter.ends());
    check_eq!(calls::wait(badged.name()), Err(Error::NoRight));
    check_eq!(calls::send(bits.name(), &Message::new(0)), Err(Error::WrongKind));
}
