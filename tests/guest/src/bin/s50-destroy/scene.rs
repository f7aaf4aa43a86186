//! A space with a thread in a state of the test's choice, and somebody who must not notice.

use freehold_abi::info::State;
pub use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

/// Names in the space.
const ENDPOINT: CapName = CapName(9);
const BITS: CapName = CapName(10);
const PAGER: CapName = CapName(11);
const SAVED: CapName = CapName(12);

/// What the thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Fresh,
    Spinning,
    Sleeping,
    Sending,
    Calling,
    AwaitingReply,
    Receiving,
    Waiting,
    Faulting,
    Faulted,
    Unpaged,
    HoldingCaller,
    SavedCaller,
}

/// All of them.
pub const WAYS: [Way; 13] = [
    Way::Fresh,
    Way::Spinning,
    Way::Sleeping,
    Way::Sending,
    Way::Calling,
    Way::AwaitingReply,
    Way::Receiving,
    Way::Waiting,
    Way::Faulting,
    Way::Faulted,
    Way::Unpaged,
    Way::HoldingCaller,
    Way::SavedCaller,
];

fn live(way: u32) {
    let way = WAYS[way as usize];
    match way {
        Way::Fresh => {}
        Way::Spinning => loop {
            board::add(10, 1);
        },
        Way::Sleeping => {
            let _ = Utcb::current().within((0, 100_000), || calls::wait(BITS));
        }
        Way::Sending => {
            let _ = calls::send(ENDPOINT, &Message::of(1, &[1, 2, 3, 4]));
        }
        Way::Calling | Way::AwaitingReply => {
            let _ = calls::call(ENDPOINT, &Message::of(1, &[1, 2, 3, 4]));
        }
        Way::Receiving => {
            let _ = calls::receive(ENDPOINT);
        }
        Way::Waiting => {
            let _ = calls::wait(BITS);
        }
        // SAFETY: raises an exception, which is the purpose; nothing comes behind it that matters.
        Way::Faulting | Way::Faulted | Way::Unpaged => unsafe { core::arch::asm!("ud2") },
        Way::HoldingCaller | Way::SavedCaller => {
            let _ = calls::receive(ENDPOINT);
            if way == Way::SavedCaller {
                let _ = calls::save_reply(SAVED);
            }
            let _ = calls::wait(BITS);
        }
    }
    board::set(11, board::get(11) + 1);
}

fn caller(endpoint: u32) {
    let answer = calls::call(CapName(endpoint), &Message::new(5));
    board::set(12, answer.err().map_or(0, |error| error as u32));
}

/// The thread, its space, and whom it deals with.
pub struct Scene {
    pub home: Option<Home>,
    pub worker: Option<Worker>,
    endpoint: Slot,
    pager: Slot,
    _bits: Slot,
    caller: Option<Worker>,
    way: Way,
}

impl Scene {
    /// Puts a thread of a new space into that state.
    pub fn new(way: Way) -> Scene {
        Scene::in_home(way, Home::new())
    }

    pub fn in_home(way: Way, home: Home) -> Scene {
        board::set(12, 0);
        let (endpoint, pager, bits) = (endpoint(), endpoint(), notification());
        home.give(ENDPOINT, endpoint.name(), Rights::ALL, 0);
        home.give(BITS, bits.name(), Rights::RECEIVE, 0);
        home.give(PAGER, pager.name(), Rights::SEND, 0);
        let options = if way == Way::Spinning { BELOW } else { ABOVE };
        let pager_name = if way == Way::Unpaged { CapName::NONE } else { PAGER };
        let worker = Worker::new(&home, Options { pager: pager_name, ..options });
        let mut scene =
            Scene { home: Some(home), worker: None, endpoint, pager, _bits: bits, caller: None, way };
        if way != Way::Fresh {
            let index = WAYS.iter().position(|&known| known == way).expect("one of them");
            worker.start(live, index as u32);
        }
        if matches!(way, Way::HoldingCaller | Way::SavedCaller) {
            let options = Options { priority: MAIN_PRIORITY + 2, ..ABOVE };
            let name = scene.endpoint.name().0;
            scene.caller = Some(Worker::spawn(&Home::own(), options, caller, name));
        }
        match way {
            Way::AwaitingReply => {
                check!(calls::receive(scene.endpoint.name()).is_ok());
            }
            Way::Faulted => {
                check!(calls::receive(scene.pager.name()).is_ok());
            }
            _ => {}
        }
        check_eq!(worker.state(), scene.state(), "{way:?}");
        scene.worker = Some(worker);
        scene
    }

    fn state(&self) -> State {
        match self.way {
            Way::Fresh | Way::Unpaged => State::Stopped,
            Way::Spinning => State::Ready,
            Way::Sending => State::Sending,
            Way::Calling | Way::Faulting => State::Calling,
            Way::AwaitingReply | Way::Faulted => State::AwaitingReply,
            Way::Receiving => State::Receiving,
            Way::Sleeping | Way::Waiting | Way::HoldingCaller | Way::SavedCaller => State::Waiting,
        }
    }

    /// Checks that those who dealt with the thread know that it has ended, and nobody else.
    pub fn check_ended(&mut self, what: &str) {
        let way = self.way;
        if matches!(way, Way::AwaitingReply | Way::Faulted) {
            check_eq!(calls::reply(None, &Message::new(0)), Err(Error::NoReply), "{way:?} {what}");
        }
        // Nobody is left in the queues.
        for name in [self.endpoint.name(), self.pager.name()] {
            let none = Utcb::current().within((0, 0), || calls::receive(name).map(|got| got.badge));
            check_eq!(none, Err(Error::Timeout), "{way:?} {what}");
            let none = Utcb::current().within((0, 0), || calls::send(name, &Message::new(0)));
            check_eq!(none, Err(Error::Timeout), "{way:?} {what}");
        }
        if way == Way::SavedCaller
            && let Some(home) = self.home.take()
        {
            // The capability to answer is the space's, and stays as long as its node does.
            drop(home);
        }
        if let Some(caller) = &self.caller {
            check!(caller.ends(), "{way:?} {what}");
            check_eq!(board::get(12), Error::PeerGone as u32, "{way:?} {what}");
        }
    }
}
