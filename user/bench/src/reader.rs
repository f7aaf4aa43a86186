//! A thread in another space that says what stands there.

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_abi::{Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::peek;
use freehold_guest_tests::worker::Worker;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::calls::{call_short, receive_short, reply_receive_short};
use freehold_rt::slots::Slot;

use crate::ipc::{BESIDE, SERVED};

/// The thread.
#[derive(Debug)]
pub struct Reader {
    endpoint: Slot,
    _worker: Worker,
}

impl Reader {
    /// Starts it in `home`, and waits until it waits.
    pub fn start(home: &Home) -> Reader {
        let endpoint = endpoint();
        home.give(SERVED, endpoint.name(), Rights::RECEIVE, 0);
        let worker = Worker::spawn(home, BESIDE, serve, 0);
        check!(worker.reaches(State::Receiving));
        Reader { endpoint, _worker: worker }
    }

    /// Checks what it reads at two addresses.
    pub fn must_read(&self, addresses: [u32; 2], words: [u32; 2]) {
        let ask = || call_short(self.endpoint.name(), Tag::new(0, 2), addresses);
        let seen = Utcb::current().within((FOREVER, FOREVER), ask);
        check_eq!(seen, Ok((Tag::new(0, 0), words)), "what the other space sees");
    }
}

/// Answers with what stands at two addresses.
fn serve(_: u32) {
    let mut received = receive_short(SERVED);
    while let Ok((_, _, [first, second])) = received {
        received = reply_receive_short(SERVED, Tag::new(0, 0), [peek(first), peek(second)]);
    }
}
