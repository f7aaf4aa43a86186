//! Messages with as many strings as there can be, as short and as long as they can be; bytes copied, and written to a port.

use freehold_abi::info::start::PORTS;
use freehold_abi::layout::utcb::STRINGS_MAX;
use freehold_abi::layout::{FRAME, UNIT_BYTES, UNITS};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{self, Frames, address, peek, poke};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::utcb::{Part, Range};
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

/// Pages that strings come from, and those that they go to.
const PAGES: u32 = 160;
const FROM: u32 = address(0);
const TO: u32 = address(PAGES);

/// A port that no device listens to: it is written to for the time that this takes.
const DELAY: u16 = 0x80;

/// So many parts of so many bytes, with a gap of a word between them.
fn parts(base: u32, count: usize, bytes: u32) -> [Part; STRINGS_MAX] {
    core::array::from_fn(|index| {
        let address = base + index as u32 * (bytes + 4);
        if index < count { Part { address, bytes } } else { Part { address: base, bytes: 1 } }
    })
}

/// Receives one message with strings: the endpoint, and buffers as [`parts`] makes them, are on the board.
fn receive(_: u32) {
    let (count, bytes) = (board::get(1) as usize, board::get(2));
    let utcb = Utcb::current();
    utcb.set_receive_faults(0, 0);
    // SAFETY: nothing else lies there.
    unsafe { utcb.set_buffers(&parts(TO, count, bytes)[..count]) };
    let got = calls::receive_strings(CapName(board::get(0))).map(|(_, bytes)| bytes);
    board::set(3, got.unwrap_or(0));
}

/// Sends `from`, a number of strings and the bytes of each, into `to`; `late`: the sender waits for the receiver.
fn exchange(from: (usize, u32), to: (usize, u32), late: bool) {
    let door = endpoint();
    for (word, value) in [(0, door.name().0), (1, to.0 as u32), (2, to.1), (3, 0)] {
        board::set(word, value);
    }
    let utcb = Utcb::current();
    let priority = if late { freehold_guest_tests::worker::BELOW } else { ABOVE };
    let worker = Worker::spawn(&Home::own(), priority, receive, 0);
    utcb.set_send_faults(0, 0);
    utcb.set_strings(&parts(FROM, from.0, from.1)[..from.0]);
    check_eq!(calls::send_strings(door.name(), &Message::new(1).with_strings()), Ok(()));
    check!(worker.ends());
    let total = from.0 as u32 * from.1;
    check_eq!(board::get(3), total);
    // The last word of the whole, wherever the cuts are.
    let place = |parts: (usize, u32), base: u32, at: u32| base + at / parts.1 * (parts.1 + 4) + at % parts.1;
    let byte = |address: u32| peek(address & !3) >> (address % 4 * 8) & 0xFF;
    let same = (0..total)
        .step_by(61)
        .chain([total - 1])
        .all(|at| byte(place(from, FROM, at)) == byte(place(to, TO, at)));
    check!(same, "{from:?} into {to:?}");
}

fn with_memory(work: impl FnOnce()) {
    let frames = Frames::take(2 * PAGES, 1);
    check_eq!(pages::map(&frames, FROM, Rights::WRITE, 0), Ok(()));
    (0..PAGES * FRAME / 4).for_each(|word| poke(FROM + 4 * word, word.wrapping_mul(0x9E37_79B9)));
    work();
    check_eq!(calls::unmap(CapName::NONE, FROM / FRAME, 2 * PAGES), Ok(()));
}

pub fn longest() {
    with_memory(|| {
        for late in [false, true] {
            exchange((32, 1), (32, 1), late);
            exchange((32, 2), (1, 64), late);
            exchange((1, 64), (32, 2), late);
        }
    });
}

pub fn pieces() {
    with_memory(|| {
        for bytes in [4, 256, 768, 1024, 1025, 1280, 2048, 4095, 4096, 5461, 8192, 16_380, 16_384, 16_388] {
            exchange((32, bytes), (32, bytes), false);
        }
        // No cut agrees.
        exchange((31, 1024), (32, 992), true);
        exchange((1, 512 << 10), (1, 512 << 10), true);
    });
}

/// Calls with a range for whoever answers.
fn declare(writable: u32) {
    let range = Range { address: FROM, bytes: PAGES * FRAME, writable: writable != 0 };
    Utcb::current().set_ranges(&[range]);
    let _ = calls::call(CapName(board::get(0)), &Message::new(2).with_ranges());
}

pub fn copied() {
    with_memory(|| {
        let door = endpoint();
        board::set(0, door.name().0);
        let client = Worker::spawn(&Home::own(), ABOVE, declare, 1);
        check_eq!(calls::receive(door.name()).map(|got| got.message.label()), Ok(2));
        for bytes in [PAGES * FRAME, UNITS * UNIT_BYTES, 4 * FRAME - 1, 3] {
            // SAFETY: nothing else lies there.
            let copied = unsafe { calls::copy_in(None, 0, 1, TO, bytes - 1) };
            check_eq!((copied.done, copied.stop), (bytes - 1, None));
            let copied = calls::copy_out(None, 0, 0, TO, bytes);
            check_eq!((copied.done, copied.stop), (bytes, None));
        }
        check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
        check!(client.ends());
    });
}

pub fn written() {
    check_eq!(calls::port_write(PORTS, DELAY, &[0; UNITS as usize]), Ok(()));
}
