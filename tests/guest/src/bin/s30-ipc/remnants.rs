//! What a call says of itself counts for that call alone: a short path that follows must not find what an earlier call
//! left in the kernel.
//!
//! What must hold: both threads are as a short path wants them, so that each call of the caller but the one with ranges
//! takes one, and the pager's answer to a fault, unless they are switched off.

use freehold_abi::fault::{PAGE_FAULT, RESUME};
use freehold_abi::info::{State, place};
use freehold_abi::layout::{BLOCK, FOREVER, FRAME, USER_END, utcb};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{self, Frames, peek};
use freehold_guest_tests::worker::{BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

const AREA: u32 = place::AREA;

/// A call that accepts strings.
const ACCEPTING: u32 = Call::Call as u32 | ACCEPT << 8;
/// The caller's tag, and the server's.
const ASKED: Tag = Tag::new(1, 0);
const TOLD: Tag = Tag::new(7, 1);
/// The string.
const WORD: u32 = 0x600D_F00D;

/// Answers with the status of a Copy of no bytes, and by a string if the caller takes one; if not, with the status that
/// the string's refusal had.
fn probe(endpoint: u32) {
    let word = WORD;
    Utcb::current().set_strings(&[Part { address: &raw const word as u32, bytes: 4 }]);
    let mut received = enter(Call::Receive as u32, [endpoint, 0, 0, 0]);
    while received.0 == 0 {
        let (copied, _) = enter(Call::Copy as u32, [0; 4]);
        let (refused, _) = enter(Call::Reply as u32, [0, TOLD.with_strings().0, copied, 0]);
        received = match refused {
            0 => enter(Call::Receive as u32, [endpoint, 0, 0, 0]),
            _ => enter(Call::ReplyReceive as u32, [endpoint, TOLD.0, copied, refused]),
        };
    }
}

/// Ranges and buffers are those of the last call; a buffer is looked at in each.
pub fn of_calls() {
    let endpoint = endpoint();
    let name = endpoint.name().0;
    let worker = Worker::spawn(&Home::own(), Options { priority: MAIN_PRIORITY, ..BELOW }, probe, name);
    check!(worker.reaches(State::Receiving));
    let (utcb, mut buffer) = (Utcb::current(), 0_u32);
    let taken = Part { address: &raw mut buffer as u32, bytes: 4 };
    let plain = |tag: Tag| enter(Call::Call as u32, [name, tag.0, 0, 0]);
    let accepting = |part| {
        // SAFETY: the buffer is a word of this function's, or one that is refused.
        unsafe { utcb.set_buffers(&[part]) };
        enter(ACCEPTING, [name, ASKED.0, 0, 0])
    };
    let (no_range, no_room) = (Error::BadRange as u32, Error::NoRoom as u32);
    utcb.within((FOREVER, FOREVER), || {
        for _ in 0..3 {
            utcb.set(utcb::RANGES_COUNT, 1);
            utcb.set(utcb::RANGES, taken.address);
            utcb.set(utcb::RANGES + 1, taken.bytes);
            check_eq!(plain(ASKED.with_ranges()), (0, [0, TOLD.0, 0, no_room]), "a range");
            check_eq!(plain(ASKED), (0, [0, TOLD.0, no_range, no_room]), "no range any more");
            check_eq!(accepting(taken), (0, [0, TOLD.with_strings().0, no_range, 0]), "a buffer");
            check_eq!(plain(ASKED), (0, [0, TOLD.0, no_range, no_room]), "no buffer any more");
            for (address, bytes, error) in [
                (AREA, 4, Error::PageTableArea),
                (AREA - 4, 8, Error::PageTableArea),
                (AREA + BLOCK - 4, 4, Error::PageTableArea),
                (AREA - 4, BLOCK + 4, Error::PageTableArea),
                (USER_END - 4, 8, Error::BadAddress),
                (0xFFFF_FFFC, 8, Error::BadAddress),
                (taken.address, 0, Error::EmptyString),
            ] {
                let (status, _) = accepting(Part { address, bytes });
                check_eq!(status, error as u32, "{address:#x}, {bytes} bytes");
            }
            check_eq!(plain(ASKED), (0, [0, TOLD.0, no_range, no_room]), "behind buffers that were refused");
        }
    });
    // SAFETY: the kernel has written it meanwhile.
    check_eq!(unsafe { (&raw const buffer).read_volatile() }, WORD);
    drop(worker);
}

/// Word of the board: what the string's refusal had.
const REFUSED: usize = 0;

/// A pager that receives with a buffer, answers a fault without one, and so has none for what comes next.
pub fn of_receives() {
    /// Misses a page, then sends a string to its pager, and if that is refused, a plain message.
    fn faulty(endpoint: u32) {
        let word = WORD;
        Utcb::current().set_strings(&[Part { address: &raw const word as u32, bytes: 4 }]);
        peek(pages::AT);
        let ask = |tag: Tag| enter(Call::Call as u32, [endpoint, tag.0, 0, 0]).0;
        board::set(REFUSED, ask(ASKED.with_strings()));
        ask(ASKED);
    }
    board::clear();
    let (endpoint, frame, mut buffer) = (endpoint(), Frames::take(1, 1), 0_u32);
    let name = endpoint.name();
    let options = Options { priority: MAIN_PRIORITY, pager: name, ..BELOW };
    let thread = Worker::spawn(&Home::own(), options, faulty, name.0);
    let utcb = Utcb::current();
    // SAFETY: a word of this function's, which is looked at only as the kernel may have written it.
    unsafe { utcb.set_buffers(&[Part { address: &raw mut buffer as u32, bytes: 4 }]) };
    utcb.within((FOREVER, FOREVER), || {
        let (status, [_, tag, address, _]) = enter(Call::Receive as u32 | ACCEPT << 8, [name.0, 0, 0, 0]);
        check_eq!((status, tag, address), (0, Tag::new(PAGE_FAULT, 3).0, pages::AT));
        check_eq!(pages::map(&frame, pages::AT, Rights::WRITE, 0), Ok(()));
        let answer = [name.0, Tag::new(RESUME, 0).0, 0, 0];
        let (status, [_, tag, ..]) = enter(Call::ReplyReceive as u32, answer);
        check_eq!((status, tag), (0, ASKED.0), "no string");
    });
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    check!(thread.ends());
    check_eq!(board::get(REFUSED), Error::NoRoom as u32);
    // SAFETY: as above.
    check_eq!(unsafe { (&raw const buffer).read_volatile() }, 0);
    check_eq!(calls::unmap(CapName::NONE, pages::AT / FRAME, 1), Ok(()));
}
