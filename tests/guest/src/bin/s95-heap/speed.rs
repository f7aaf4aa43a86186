//! What the operations cost that the original's are known of: no more than a tenth more, or the designs with a pool
//! would be opponents of straw.
//!
//! What must hold: the cycle counter counts instructions, so a figure is the same in every run; the least of several has
//! no tick in it.

use freehold_abi::designs::{Fpage, MapItem, Operation};
use freehold_abi::info::{Kernel, State};
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_abi::{Call, Tag, fault};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq, scenario};
use freehold_rt::call::enter;
use freehold_rt::{CapName, Rights, Utcb, calls, println, time};

use crate::gift::{Gift, own};
use crate::party::{at, page};

/// Name of the endpoint in the other space.
const THERE: CapName = CapName(9);
/// Where the other space sees pages: a multiple of 4 MiB.
const SEEN: u32 = 0x5000_0000;
/// A thread that is beside the first one, so that messages between them take the short path where they can.
const BESIDE: Options = Options { priority: MAIN_PRIORITY, ..ABOVE };
/// Instructions of the original; a tenth more is allowed.
const MAP: u32 = 1114;
const FAULT: u32 = 1416;
const UNMAP: u32 = 743;
const CHILD: u32 = 226;
const PAGE: u32 = 420;

fn within(what: &str, took: u32, original: u32) {
    println!("  {what}: {took} instructions, the original's {original}");
    // The original's were counted on a processor with SYSENTER; and a kernel that is not optimised is not compared.
    let compared = calls::kernel_info(Kernel::Sysenter) == Ok(1) && !scenario::says("unoptimised");
    check!(took <= original + original / 10 || !compared, "{what}: {took}");
}

/// Answers calls with nothing.
fn serve(_: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let mut got = calls::receive_short(THERE);
    while got.is_ok() {
        got = calls::reply_receive_short(THERE, Tag::new(0, 0), [0, 0]);
    }
}

/// Instructions from one reading of the counter to the next, around `work`.
#[inline(always)]
fn timed<R>(work: impl FnOnce() -> R) -> (u32, R) {
    let before = time::cycles();
    let result = work();
    ((time::cycles() - before) as u32, result)
}

/// A round trip with a map item.
#[inline(always)]
fn give(to: CapName, item: MapItem) -> u32 {
    let words = item.encode();
    let tag = Tag::new(0, 0).with_items(1);
    let (took, (status, _)) = timed(|| enter(Call::Call as u32, [to.0, tag.0, words[0], words[1]]));
    check_eq!(status, 0);
    took
}

#[inline(always)]
fn take_back(fpage: Fpage) -> u32 {
    let number = Call::Design as u32 | (Operation::Unmap as u32) << 8;
    let (took, (status, _)) = timed(|| enter(number, [fpage.0, 0, 0, 0]));
    check_eq!(status, 0);
    took
}

fn least(work: impl FnMut(u32) -> u32) -> u32 {
    (0..8).map(work).min().unwrap_or(u32::MAX)
}

/// A page mapped in a round trip, and taken back; a large fpage.
pub fn messages() {
    let gift = Gift::new(512);
    let (home, door) = (Home::new(), endpoint());
    home.give(THERE, door.name(), Rights::RECEIVE, 0);
    let worker = Worker::spawn(&home, BESIDE, serve, 0);
    check!(worker.reaches(State::Receiving));
    Utcb::current().within((FOREVER, FOREVER), || {
        let one = page(own(0), Rights::WRITE);
        let mut unmap = u32::MAX;
        let map = least(|_| {
            let took = give(door.name(), at(one, SEEN));
            unmap = unmap.min(take_back(page(own(0), Rights::NONE)));
            took
        });
        within("a page mapped in a round trip", map, MAP);
        within("a page with one child unmapped", unmap, UNMAP);
        let many = 64;
        let all = least(|_| {
            (0..many).for_each(|place| {
                give(door.name(), at(one, SEEN + place * FRAME));
            });
            take_back(page(own(0), Rights::NONE))
        });
        within("each further child", (all - unmap) / (many - 1), CHILD);
        let large = Fpage::new(own(0), 9, 1);
        let large = least(|_| {
            let took = give(door.name(), at(large, SEEN));
            take_back(Fpage::new(own(0), 9, 0));
            took
        });
        within("a page of a large fpage", large / 512, PAGE);
    });
    drop((worker, gift));
}

/// Answers faults with a page each; word 0 of the board is where the next one is.
pub fn page_in(_: u32) {
    let mut got = calls::receive(CapName(board::get(1)));
    while let Ok(fault) = got {
        let item = at(page(board::get(0), Rights::WRITE), fault.message.word(0)).encode();
        let tag = Tag::new(fault::RESUME, 0).with_items(1);
        let registers = [board::get(1), tag.0, item[0], item[1]];
        let (status, [badge, tag, first, _]) = enter(Call::ReplyReceive as u32, registers);
        if status != 0 {
            break;
        }
        let message = freehold_rt::Message::of(Tag(tag).label(), &[first]);
        got = Ok(calls::Received { badge, message });
    }
}

/// Touches a page that is missing, and says what that took.
fn touch(_: u32) {
    let took = least(|_| {
        let took = timed(|| peek(SEEN)).0;
        let _ = calls::call(THERE, &freehold_rt::Message::new(0));
        took
    });
    board::set(2, took);
}

/// A page fault that its pager answers with a page.
pub fn faults() {
    let gift = Gift::new(1);
    poke(own(0), 7);
    let (home, pager, door) = (Home::new(), endpoint(), endpoint());
    home.give(THERE, door.name(), Rights::SEND, 0);
    home.give(CapName(11), pager.name(), Rights::SEND, 0);
    board::clear();
    board::set(0, own(0));
    board::set(1, pager.name().0);
    let server = Worker::spawn(&Home::own(), BESIDE, page_in, 0);
    check!(server.reaches(State::Receiving));
    let options = Options { pager: CapName(11), ..BESIDE };
    let client = Worker::spawn(&home, options, touch, 0);
    while Utcb::current().within((0, 500), || calls::receive(door.name())).is_ok() {
        check_eq!(calls::fpage_unmap(page(own(0), Rights::NONE), false), Ok(()));
        check_eq!(calls::reply(None, &freehold_rt::Message::new(0)), Ok(()));
        if board::get(2) != 0 {
            break;
        }
    }
    check!(client.ends());
    within("a page fault by a pager", board::get(2), FAULT);
    drop((server, client, gift));
}
