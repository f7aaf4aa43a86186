//! Errors that end a wait.

use freehold_abi::info::State;
use freehold_abi::{Call, Error};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::{Utcb, calls};

use crate::claims::note;

/// Makes the call that the board describes, under its limit.
fn waiter(_: u32) {
    let limit = board::get(111);
    Utcb::current().set_limits((limit, limit));
    let registers = core::array::from_fn(|index| board::get(112 + index));
    if board::get(117) != 0 {
        // A ReplyReceive needs somebody to answer first.
        let _ = calls::receive(freehold_rt::CapName(board::get(112)));
    }
    let (status, _) = enter(board::get(110), registers);
    board::set(116, status);
}

fn waiting(call: Call, name: u32, limit: u32, answers: bool) -> Worker {
    let words = [call as u32, limit, name, 0, 0, 0, u32::MAX, answers.into()];
    words.into_iter().enumerate().for_each(|(index, word)| board::set(110 + index, word));
    Worker::spawn(&Home::own(), ABOVE, waiter, 0)
}

fn ended(worker: &Worker, call: Call, error: Error) {
    check!(worker.ends(), "{} {error:?}", call.name());
    if check_eq!(board::get(116), error as u32, "{}", call.name()) {
        note(call, error);
    }
}

pub fn all() {
    for call in [Call::Call, Call::Send, Call::Receive, Call::ReplyReceive] {
        let answers = call == Call::ReplyReceive;
        for way in 0..4 {
            let endpoint = endpoint();
            let limit = if way == 0 {
                0
            } else if way == 1 {
                4
            } else {
                5000
            };
            let worker = waiting(call, endpoint.name().0, limit.max(u32::from(answers)), answers);
            if answers {
                let caller = Utcb::current()
                    .within((100, 100), || calls::call(endpoint.name(), &freehold_rt::Message::new(1)));
                check!(caller.is_ok(), "{caller:?}");
            }
            match way {
                0 | 1 => ended(&worker, call, Error::Timeout),
                2 => {
                    check!(!matches!(worker.state(), State::Stopped | State::Ready));
                    check_eq!(calls::delete(endpoint.reference()), Ok(()));
                    ended(&worker, call, Error::Canceled);
                }
                _ => {
                    check_eq!(calls::stop_thread(worker.name()), Ok(()));
                    check_eq!(calls::continue_thread(worker.name(), freehold_rt::CapName::NONE, 14), Ok(()));
                    ended(&worker, call, Error::Canceled);
                }
            }
        }
    }
    let bits = notification();
    let worker = waiting(Call::Receive, bits.name().0, 3, false);
    ended(&worker, Call::Receive, Error::Timeout);
    // A caller whose callee gives up.
    let endpoint = endpoint();
    let worker = waiting(Call::Call, endpoint.name().0, 5000, false);
    check!(calls::receive(endpoint.name()).is_ok());
    let _ = Utcb::current().within((0, 0), || calls::receive(endpoint.name()).map(|got| got.badge));
    ended(&worker, Call::Call, Error::PeerGone);
}
