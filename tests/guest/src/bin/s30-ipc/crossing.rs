//! Nothing goes from space to space beside the message: neither EFLAGS nor a segment register, on a short path or on
//! the ordinary one.

use freehold_abi::layout::FOREVER;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_attacks::edge::flagged::{AC, DF, FLAT, Flagged, NT};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_rt::Utcb;
use freehold_rt::call::by_sysenter;

/// Flags, and a selector for DS, ES, FS and GS, that a thread enters the kernel with.
const LEFT: [(u32, u32); 5] = [(0, FLAT), (DF, 0x20), (NT, 0x1B), (AC, 3), (DF | NT | AC, 0x1A)];
/// Rounds of each.
const ROUNDS: usize = 3;

/// Makes a call with these flags and selectors; the four registers, and what was seen behind it in two words.
pub fn call(number: Call, registers: [u32; 4], left: (u32, u32)) -> ([u32; 4], [u32; 2]) {
    let mut call = Flagged::new(number, registers, left, false);
    call.enter();
    (call.registers, call.seen())
}

/// What a thread must see that another space's thread ran before.
const CLEAN: [u32; 2] = [0, u32::from_le_bytes([0, 0, FLAT as u8, FLAT as u8])];

/// Both sides leave behind what they can, and look at what they find.
pub fn flags_and_segments() {
    if !by_sysenter() {
        return;
    }
    // On the short path, and, since the priorities differ, on the ordinary one.
    for priority in [MAIN_PRIORITY, MAIN_PRIORITY + 1] {
        let home = Home::new();
        let endpoint = endpoint();
        home.give(CapName(8), endpoint.name(), Rights::SEND, 0);
        let options = Options { priority, ..BELOW };
        let client = Worker::spawn(&home, options, client, 8);
        Utcb::current().within((FOREVER, FOREVER), || {
            let mut number = Call::Receive;
            for left in LEFT.into_iter().flat_map(|left| [left; ROUNDS]) {
                let answer = [endpoint.name().0, Tag::new(0, 0).0, 0, 0];
                let ([_, _, flags, selectors], seen) = call(number, answer, left);
                // A first call that is there already is received without another space's thread.
                if number == Call::ReplyReceive {
                    check_eq!(seen, CLEAN, "the server, {left:x?}");
                }
                number = Call::ReplyReceive;
                check_eq!([flags, selectors], CLEAN, "the client, {left:x?}");
            }
        });
        drop(client);
    }
}

/// Calls, and says what it saw behind the call before.
fn client(endpoint: u32) {
    let mut seen = CLEAN;
    for left in LEFT.into_iter().rev().cycle() {
        seen = call(Call::Call, [endpoint, Tag::new(0, 2).0, seen[0], seen[1]], left).1;
    }
}
