//! Threads that go on from where an exception or their start left them, because one beside them, in their own space,
//! waits: with flags of their own, whatever the other has left behind. And one that does not go on, since it is in a
//! transfer.
//!
//! What must hold: nothing here depends on whether a call goes by a short path; but where it says so, it does.

use core::arch::asm;

use freehold_abi::fault::{PAGE_FAULT, RESUME};
use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, Tag};
use freehold_attacks::edge::flagged::{AC, DF, FLAT, NT};
use freehold_guest_tests::entry::enter_by_interrupt;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::call::{by_sysenter, enter};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

use crate::crossing;
use crate::short::{ordinary_calls, possible};

const BESIDE: Options = Options { priority: MAIN_PRIORITY, ..BELOW };
const LOOKED_AT: u32 = DF | NT | AC;

/// What the thread that waits has for flags, and what the other has.
const FLAGS: [(u32, u32); 6] =
    [(0, 0), (NT, 0), (DF | NT | AC, 0), (NT, NT), (DF, NT | AC), (0, DF | NT | AC)];

/// Words of the board: the flags that a thread has found, or 1 for each time they were others than its own; what was
/// the count of ordinary calls then; what became of a call.
const SEEN: usize = 0;
const ORDINARY: usize = 1;
const RESULT: usize = 2;
/// An endpoint's name.
const FAULTS: usize = 3;

/// Calls that went the ordinary way since there were `before`, without the question for that.
fn ordinary_since(before: u32) -> u32 {
    ordinary_calls().wrapping_sub(before) - 1
}

fn map(frame: &Frames, page: u32) {
    check_eq!(pages::map(frame, pages::address(page), Rights::WRITE, 0), Ok(()));
}

fn unmap(page: u32, count: u32) {
    check_eq!(calls::unmap(CapName::NONE, pages::address(page) / FRAME, count), Ok(()));
}

/// What receives the fault of a thread of the own space at page `page`.
fn check_fault([_, tag, address, _]: [u32; 4], page: u32) {
    check_eq!((tag, address), (Tag::new(PAGE_FAULT, 3).0, pages::address(page)));
}

/// The flags of a thread that faults are its own, though its pager's are others when it answers.
pub fn behind_answers() {
    /// Touches a page with these flags, and returns those behind that.
    fn touch(page: u32, flags: u32) -> u32 {
        let seen;
        // SAFETY: reads a page that no Rust code relies on; the stack is as before, and EFLAGS is put right.
        unsafe {
            asm!(
                "push {seen}",
                "popfd",
                "mov {seen}, [{address}]",
                "pushfd",
                "pop {seen}",
                "push 2",
                "popfd",
                seen = inout(reg) flags | 2 => seen,
                address = in(reg) pages::address(page),
            );
        }
        seen
    }
    fn faulty(_: u32) {
        for (page, (_, own)) in FLAGS.into_iter().enumerate() {
            board::add(SEEN, u32::from(touch(page as u32, own) & LOOKED_AT != own));
        }
        peek(pages::address(FLAGS.len() as u32));
    }
    if !by_sysenter() {
        return;
    }
    board::clear();
    let (faults, frame) = (endpoint(), Frames::take(1, 1));
    let thread = Worker::spawn(&Home::own(), Options { pager: faults.name(), ..BESIDE }, faulty, 0);
    let answer = [faults.name().0, Tag::new(RESUME, 0).0, 0, 0];
    Utcb::current().within((FOREVER, FOREVER), || {
        let mut got = enter(Call::Receive as u32, answer).1;
        for (page, (flags, _)) in FLAGS.into_iter().enumerate() {
            check_fault(got, page as u32);
            map(&frame, page as u32);
            let before = ordinary_calls();
            got = crossing::call(Call::ReplyReceive, answer, (flags, FLAT)).0;
            let ordinary = ordinary_since(before);
            check_eq!(ordinary == 0, possible(), "{flags:#x}: {ordinary} went the ordinary way");
        }
        check_fault(got, FLAGS.len() as u32);
    });
    map(&frame, FLAGS.len() as u32);
    check_eq!(calls::reply(None, &Message::new(RESUME)), Ok(()));
    check!(thread.ends());
    check_eq!(board::get(SEEN), 0, "flags that were not its own");
    unmap(0, FLAGS.len() as u32 + 1);
}

/// A thread that starts, because another one begins to wait for a notification, finds none of that one's flags.
pub fn behind_waits() {
    fn starts(told: u32) {
        let seen: u32;
        // SAFETY: the stack is as before.
        unsafe { asm!("pushfd", "pop {}", out(reg) seen) };
        board::set(ORDINARY, ordinary_calls());
        board::set(SEEN, seen & LOOKED_AT);
        let _ = calls::notify(CapName(told), 1);
    }
    if !by_sysenter() {
        return;
    }
    board::clear();
    let bits = notification();
    let thread = Worker::new(&Home::own(), BESIDE);
    for (flags, _) in FLAGS {
        thread.start(starts, bits.name().0);
        let before = ordinary_calls();
        let ([_, _, heard, _], _) = Utcb::current().within((FOREVER, FOREVER), || {
            crossing::call(Call::Receive, [bits.name().0, 0, 0, 0], (flags, FLAT))
        });
        check_eq!((heard, board::get(SEEN)), (1, 0), "{flags:#x}");
        let ordinary = board::get(ORDINARY).wrapping_sub(before) - 1;
        check_eq!(ordinary == 0, possible(), "{flags:#x}: {ordinary} went the ordinary way");
        check!(thread.ends());
    }
}

/// Pages: of the thread that waits, touched before and missing in the transfer; of the one that drives, there.
const TOUCHED: u32 = 0;
const MISSING: u32 = 2;
const THERE: u32 = 3;
/// A message's bytes, its label, and what they are.
const BYTES: u32 = 8;
const LABEL: u16 = 40;
const WORD: u32 = 0x600D_F00D;

fn accept(page: u32) {
    let utcb = Utcb::current();
    // SAFETY: a page that no Rust code relies on.
    unsafe { utcb.set_buffers(&[Part { address: pages::address(page), bytes: BYTES }]) };
    utcb.set_receive_faults(FOREVER, FOREVER);
}

fn offer(page: u32) -> Message {
    let utcb = Utcb::current();
    utcb.set_strings(&[Part { address: pages::address(page), bytes: BYTES }]);
    utcb.set_send_faults(FOREVER, FOREVER);
    Message::new(LABEL).with_strings()
}

/// A thread that called by INT waits in a transfer for a page. Its pager's answer has all that a short path asks for
/// but that: the transfer goes on, and only its end is the thread's.
pub fn in_transfers() {
    /// Meets two missing pages, then makes the call, and tells its pager what came of it.
    fn waits(work: impl FnOnce() -> u32) {
        (0..2).for_each(|page| {
            peek(pages::address(TOUCHED + page));
        });
        let status = work();
        let _ = calls::send(CapName(board::get(FAULTS)), &Message::of(LABEL, &[status]));
    }
    fn taker(meeting: u32) {
        waits(|| {
            accept(MISSING);
            enter_by_interrupt(Call::Receive as u32 | ACCEPT << 8, [meeting, 0, 0, 0]).0
        });
    }
    fn giver(meeting: u32) {
        waits(|| enter_by_interrupt(Call::Send as u32, [meeting, offer(MISSING).tag().0, 0, 0]).0);
    }
    fn takes(meeting: u32) {
        accept(THERE);
        let got = calls::receive_strings(CapName(meeting));
        board::set(RESULT, got.map_or(0, |(got, arrived)| u32::from(got.message.label()) + arrived));
    }
    fn gives(meeting: u32) {
        let sent = calls::send_strings(CapName(meeting), &offer(THERE));
        board::set(RESULT, sent.map_or(0, |()| u32::from(LABEL) + BYTES));
    }
    for (waiting, driving, full) in [(taker as fn(u32), gives as fn(u32), THERE), (giver, takes, MISSING)] {
        board::clear();
        let (faults, meeting) = (endpoint(), endpoint());
        board::set(FAULTS, faults.name().0);
        let frames = [(); 3].map(|()| Frames::take(1, 1));
        let [touched, missing, there] = &frames;
        map(missing, MISSING);
        map(there, THERE);
        poke(pages::address(full), WORD);
        unmap(MISSING, 1);

        let options = Options { pager: faults.name(), ..BESIDE };
        let waiter = Worker::spawn(&Home::own(), options, waiting, meeting.name().0);
        let driver = Worker::new(&Home::own(), BESIDE);
        let answer = [faults.name().0, Tag::new(RESUME, 0).0, 0, 0];
        Utcb::current().within((FOREVER, FOREVER), || {
            check_fault(enter(Call::Receive as u32, answer).1, TOUCHED);
            map(touched, TOUCHED);
            let before = ordinary_calls();
            let got = enter(Call::ReplyReceive as u32, answer).1;
            let ordinary = ordinary_since(before);
            check_eq!(ordinary == 0, possible(), "the same outside: {ordinary} went the ordinary way");
            check_fault(got, TOUCHED + 1);
            map(touched, TOUCHED + 1);
            // Its turn is when the other waits.
            driver.start(driving, meeting.name().0);
            check_fault(enter(Call::ReplyReceive as u32, answer).1, MISSING);
            check_eq!((waiter.state(), driver.state()), (State::AwaitingReply, State::Transferring));
            map(missing, MISSING);
            let (_, [_, tag, status, _]) = enter(Call::ReplyReceive as u32, answer);
            check_eq!((tag, status), (Tag::new(LABEL, 1).0, 0), "its call is done");
        });
        check!(waiter.ends() && driver.ends(), "{:?} {:?}", waiter.info(), driver.info());
        check_eq!(board::get(RESULT), u32::from(LABEL) + BYTES);
        check_eq!([MISSING, THERE].map(|page| peek(pages::address(page))), [WORD; 2]);
        unmap(TOUCHED, 4);
    }
}
