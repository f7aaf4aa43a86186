//! Faults and answers among threads that want to run: in which order they do, and what becomes of a fault whose pager
//! is busy, missing a page itself, in the middle of a transfer, or gone.

use freehold_abi::Tag;
use freehold_abi::fault::{PAGE_FAULT, RESUME, STOP};
use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

use crate::pagers::{ANSWERS, BADGE, BESIDE, Pager, unmap, word};

/// Words of the board beside the pager's: the order of events, what came of something, a frame's container and index.
const EVENTS: usize = 8;
const RESULT: usize = 9;
const FRAME_AT: usize = 10;

type Heard = Result<(u16, u32), Error>;

/// Receives a fault, without a limit.
fn receive(faults: &Slot) -> Heard {
    let got = Utcb::current().within((FOREVER, FOREVER), || calls::receive(faults.name()));
    got.map(|got| (got.message.label(), got.message.word(0)))
}

/// Answers, and receives again without a limit.
fn answer_and_receive(faults: &Slot, tag: Tag) -> Heard {
    let answer = Message::with_tag(tag);
    let utcb = Utcb::current();
    let got = utcb.within((FOREVER, FOREVER), || calls::reply_receive(None, &answer, faults.name()));
    got.map(|got| (got.message.label(), got.message.word(0)))
}

fn map(frame: &Frames, address: u32) {
    check_eq!(pages::map(frame, address, Rights::WRITE, 0), Ok(()));
}

fn happens(event: u32) {
    board::set(EVENTS, board::get(EVENTS) << 4 | event);
}

fn touch(page: u32) {
    peek(pages::address(page));
    happens(page);
}

/// A fault hands the processor to the pager that waits, and its answer hands it back, before others of that priority.
pub fn order() {
    fn faulty(_: u32) {
        happens(1);
        touch(2);
    }
    fn other(faults: u32) {
        happens(3);
        let _ = calls::send(CapName(faults), &Message::of(9, &[0]));
    }
    for tag in ANSWERS {
        board::clear();
        let (faults, frame) = (endpoint(), Frames::take(1, 1));
        let options = Options { pager: faults.name(), ..BESIDE };
        let thread = Worker::spawn(&Home::own(), options, faulty, 0);
        let other = Worker::spawn(&Home::own(), BESIDE, other, faults.name().0);
        check_eq!(receive(&faults), Ok((PAGE_FAULT, pages::address(2))));
        check_eq!(board::get(EVENTS), 0x1, "the pager runs before the other thread");
        map(&frame, pages::address(2));
        check_eq!(answer_and_receive(&faults, tag), Ok((9, 0)));
        check_eq!(board::get(EVENTS), 0x123, "{tag:?}: so does the thread that goes on");
        check!(thread.ends() && other.ends());
        unmap(pages::address(2), 1);
    }
}

/// Three threads fault at one pager, which hears of them one behind the other.
pub fn crowd() {
    board::clear();
    let (faults, frame) = (endpoint(), Frames::take(1, 1));
    let options = Options { pager: faults.name(), ..BESIDE };
    let threads = [1, 2, 3].map(|page| Worker::spawn(&Home::own(), options, touch, page));
    let mut heard = receive(&faults);
    for page in 1..=3 {
        check_eq!(heard, Ok((PAGE_FAULT, pages::address(page))));
        map(&frame, pages::address(page));
        if page < 3 {
            heard = answer_and_receive(&faults, Tag::new(RESUME, 0));
        }
    }
    check_eq!(calls::reply(None, &Message::new(RESUME)), Ok(()));
    check!(threads.iter().all(Worker::ends));
    check_eq!(board::get(EVENTS), 0x123);
    unmap(pages::address(1), 3);
}

/// A pager that touches what its own pager has to bring first.
pub fn chain() {
    fn serve(faults: u32) {
        let mut received = calls::receive(CapName(faults));
        while let Ok(got) = received {
            peek(pages::address(4));
            let frame = (CapName(board::get(FRAME_AT)), board::get(FRAME_AT + 1));
            let page = got.message.word(0) / FRAME;
            let update = pages::update(frame, 1, CapName::NONE, page, Rights::WRITE, 0);
            check_eq!(calls::update(&[update]), Ok(()));
            received = calls::reply_receive(None, &Message::new(RESUME), CapName(faults));
        }
    }
    let (pager, between, frame) = (Pager::new(BESIDE), endpoint(), Frames::take(1, 1));
    board::set(FRAME_AT, frame.container().0);
    board::set(FRAME_AT + 1, frame.at(0));
    let middle = pager.thread(BESIDE);
    middle.start(serve, between.name().0);
    let thread = Worker::spawn(&Home::own(), Options { pager: between.name(), ..BESIDE }, touch, 3);
    check!(thread.ends(), "{:?} {:?}", thread.info(), middle.info());
    check_eq!(pager.heard(0)[2], pages::address(4));
    check_eq!((board::get(word::COUNT), board::get(EVENTS)), (1, 3));
    unmap(pages::address(3), 2);
    drop((middle, thread));
    pager.end();
}

/// Receives one fault, notes its first word, and holds it.
fn hold(faults: u32) {
    let got = calls::receive(CapName(faults));
    board::set(RESULT, got.map_or(0, |got| got.message.word(0)));
    time::sleep(FOREVER);
}

/// Pagers that do not answer: one receives again, one ends, one learns that it waits in vain when a fault comes.
pub fn lost() {
    board::clear();
    let faults = endpoint();
    let thread = Worker::new(&Home::own(), Options { pager: faults.name(), ..BESIDE });
    thread.start(touch, 0);
    check_eq!(receive(&faults), Ok((PAGE_FAULT, pages::AT)));
    check_eq!(thread.state(), State::AwaitingReply);
    let again = Utcb::current().within((0, 0), || calls::receive(faults.name()).map(|got| got.badge));
    check_eq!((again, thread.state()), (Err(Error::Timeout), State::Stopped));

    let pager = Worker::spawn(&Home::own(), BESIDE, hold, faults.name().0);
    check!(pager.reaches(State::Receiving));
    thread.start(touch, 0);
    check!(thread.reaches(State::AwaitingReply));
    check_eq!(board::get(RESULT), pages::AT);
    check_eq!(pager.destroy(), Ok(()));
    check_eq!(thread.state(), State::Stopped);

    let right = derived(faults.name(), Rights::RECEIVE, 0, 0);
    let pager = Worker::spawn(&Home::own(), BESIDE, hold, right.name().0);
    check!(pager.reaches(State::Receiving));
    check_eq!(calls::delete(right.reference()), Ok(()));
    thread.start(touch, 0);
    check!(thread.reaches(State::Calling));
    check!(pager.reaches(State::Waiting), "{:?}", pager.info());
    check_eq!(board::get(RESULT), 0, "Canceled");
    check_eq!(receive(&faults), Ok((PAGE_FAULT, pages::AT)), "whoever may hears of it");
    check_eq!(calls::reply(None, &Message::new(STOP)), Ok(()));
    check_eq!((thread.state(), board::get(EVENTS)), (State::Stopped, 0));
}

/// A pager whose waits have a limit: the first ends by a fault, the second by time. One that began to wait before a
/// slot was emptied which is none of its own.
pub fn limited() {
    board::clear();
    let (faults, frame, utcb) = (endpoint(), Frames::take(1, 1), Utcb::current());
    let thread = Worker::new(&Home::own(), Options { pager: faults.name(), ..BESIDE });
    thread.start(touch, 0);
    let got = utcb.within((0, 20), || calls::receive(faults.name()).map(|got| got.message.word(0)));
    check_eq!(got, Ok(pages::AT));
    map(&frame, pages::AT);
    let answer = Message::new(RESUME);
    let got = utcb.within((0, 5), || calls::reply_receive(None, &answer, faults.name()));
    check_eq!(got.map(|got| got.badge), Err(Error::Timeout));
    check!(thread.ends());
    unmap(pages::AT, 1);

    let pager = Pager::new(BESIDE);
    drop(derived(faults.name(), Rights::RECEIVE, 0, 0));
    let thread = pager.thread(BESIDE);
    thread.start(touch, 0);
    check!(thread.ends());
    check_eq!(pager.heard(0)[..3], [PAGE_FAULT.into(), BADGE, pages::AT]);
    unmap(pages::AT, 1);
    drop(thread);
    pager.end();
}

/// A page that a transfer misses is its thread's pager's as well, but the answer lets the transfer go on, not the
/// thread: whichever of the two drives.
pub fn transfers() {
    const WORD: u32 = 0x600D_F00D;
    fn take(endpoint: u32) {
        let utcb = Utcb::current();
        // SAFETY: pages that no Rust code relies on.
        unsafe { utcb.set_buffers(&[Part { address: pages::address(1), bytes: 8 }]) };
        utcb.set_receive_faults(FOREVER, FOREVER);
        let got = calls::receive_strings(CapName(endpoint));
        board::set(RESULT, got.map_or(0, |(got, arrived)| u32::from(got.message.label()) + arrived));
    }
    fn give(endpoint: u32) {
        let utcb = Utcb::current();
        utcb.set_strings(&[Part { address: pages::address(2), bytes: 8 }]);
        utcb.set_send_faults(FOREVER, FOREVER);
        let sent = calls::send_strings(CapName(endpoint), &Message::new(40).with_strings());
        board::add(EVENTS, u32::from(sent.is_ok()));
    }
    for tag in ANSWERS {
        for taker_first in [true, false] {
            let (pager, meeting) = (Pager::new(BESIDE), endpoint());
            board::set(word::ANSWER, tag.0);
            let (taker, giver) = (pager.thread(BESIDE), pager.thread(BESIDE));
            if taker_first {
                taker.start(take, meeting.name().0);
                check!(taker.reaches(State::Receiving));
                giver.start(give, meeting.name().0);
            } else {
                giver.start(give, meeting.name().0);
                check!(giver.reaches(State::Sending));
                taker.start(take, meeting.name().0);
            }
            check!(taker.ends() && giver.ends(), "{tag:?}: {:?} {:?}", taker.info(), giver.info());
            check_eq!((board::get(RESULT), board::get(EVENTS)), (48, 1), "{tag:?}");
            check_eq!(board::get(word::COUNT), 2, "{tag:?}: both pages were missing");
            // They are one frame.
            poke(pages::address(1), WORD);
            check_eq!(peek(pages::address(2)), WORD);
            unmap(pages::address(1), 2);
            drop((taker, giver));
            pager.end();
        }
    }
}
