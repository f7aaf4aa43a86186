//! 4 MiB shared with another space by one hook, and taken back.

use freehold_abi::info::State;
use freehold_abi::layout::{ENTRIES, FOREVER, FRAME};
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::Worker;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::calls::{call_short, receive_short, reply_receive_short, unmap};

use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Series, any_wanted, section};
use crate::stub;

const ROUNDS: u32 = 100;

/// `share.1024`, `unshare.1024`.
pub fn run() {
    if !any_wanted(&["share.1024", "unshare.1024"]) {
        return;
    }
    let (mut share, mut unshare) = (Series::new("share.1024"), Series::new("unshare.1024"));
    let frames = Frames::take(ENTRIES, 1);
    check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, 0), Ok(()));
    let home = Home::new();
    let endpoint = endpoint();
    home.give(SERVED, endpoint.name(), Rights::RECEIVE, 0);
    let worker = Worker::spawn(&home, BESIDE, read, 0);
    check!(worker.reaches(State::Receiving));
    for round in 0..=ROUNDS {
        let (first, last) = (pages::address(0), pages::address(ENTRIES - 1));
        poke(first, round);
        poke(last, round + 7);
        let hook = [pages::table().0, home.space().0, pages::INDEX, 0];
        let (sample, status) = section(|| stub::immediate(Call::Hook, Rights::NONE.bits(), hook));
        check_eq!(status, stub::OK);
        share.add(sample);
        let seen = Utcb::current()
            .within((FOREVER, FOREVER), || call_short(endpoint.name(), Tag::new(0, 2), [first, last]));
        check_eq!(seen, Ok((Tag::new(0, 0), [round, round + 7])), "what the other space sees");
        let (sample, status) = section(|| stub::status(Call::Unhook, [home.space().0, pages::INDEX, 0, 0]));
        check_eq!(status, stub::OK);
        unshare.add(sample);
    }
    share.finish();
    unshare.finish();
    check_eq!(unmap(CapName::NONE, pages::AT / FRAME, ENTRIES), Ok(()));
}

/// Answers with what stands at two addresses.
fn read(_: u32) {
    let mut received = receive_short(SERVED);
    while let Ok((_, _, [first, second])) = received {
        received = reply_receive_short(SERVED, Tag::new(0, 0), [peek(first), peek(second)]);
    }
}
