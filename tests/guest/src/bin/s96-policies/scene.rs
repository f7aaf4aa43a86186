//! An untrusted space, a door where its messages come first, and who stands behind it.

use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, calls};

/// The badge with which the untrusted space's messages come to the door.
pub const BADGE: u32 = 77;
/// The badge with which they come to whom they are for.
pub const SENT_BY: u32 = 5;
/// Where spaces other than the first have the endpoint that they send to.
pub const TO: CapName = CapName(20);
/// And the one that they receive from.
pub const FROM: CapName = CapName(21);

/// The scene.
pub struct Scene {
    /// The untrusted space. It can send to `endpoint`, and receive from it.
    pub home: Home,
    /// Where its messages come first.
    pub door: Slot,
    /// An endpoint of the first program's.
    pub endpoint: Slot,
    /// What the space was distrusted with.
    pub badged: Slot,
}

impl Scene {
    /// An untrusted space, with a door from which nobody receives yet.
    pub fn new() -> Scene {
        let scene = Scene::trusted();
        check_eq!(calls::distrust(scene.home.space(), Some(scene.badged.name())), Ok(()));
        scene
    }

    /// An untrusted space, where that needs no door.
    pub fn without_door() -> Scene {
        let scene = Scene::trusted();
        check_eq!(calls::distrust(scene.home.space(), None), Ok(()));
        scene
    }

    fn trusted() -> Scene {
        board::clear();
        let (home, door, endpoint) = (Home::new(), endpoint(), endpoint());
        let badged = derived(door.name(), Rights::SEND, BADGE, 0);
        home.give(TO, endpoint.name(), Rights::SEND, SENT_BY);
        home.give(FROM, endpoint.name(), Rights::RECEIVE, 0);
        Scene { home, door, endpoint, badged }
    }

    /// The redirector that is delivered, in a space of its own.
    pub fn redirector(&self, options: Options) -> (Home, Worker) {
        let home = Home::new();
        home.give(FROM, self.door.name(), Rights::RECEIVE, 0);
        let serve = |door| {
            freehold_redirector::serve(CapName(door));
        };
        let worker = Worker::spawn(&home, options, serve, FROM.0);
        (home, worker)
    }

    /// A thread of the untrusted space.
    pub fn thread(&self, work: fn(u32), argument: u32) -> Worker {
        Worker::spawn(&self.home, ABOVE, work, argument)
    }

    /// What has come to the door, to the first thread.
    pub fn shown(&self) -> Result<Message, Error> {
        let got = calls::receive(self.door.name())?;
        check_eq!(got.badge, BADGE, "whose message it is");
        Ok(got.message)
    }

    /// Nothing waits at the door.
    pub fn nothing_shown(&self) {
        let got = freehold_rt::Utcb::current().within((0, 0), || calls::receive(self.door.name()));
        check_eq!(got.map(|got| got.badge), Err(Error::Timeout), "nothing at the door");
    }
}

/// Leaves what a call came to in word `at` of the board.
pub fn tell<T>(at: usize, result: Result<T, Error>) {
    board::set(at, 1000 + result.map_or_else(|error| error as u32, |_| 0));
}

/// What such a word says; `None`: nothing yet.
pub fn told(at: usize) -> Option<Result<(), Error>> {
    board::get(at).checked_sub(1000).map(freehold_abi::error::status)
}

/// Calls, and tells in words 0 and 1 what came of it.
pub fn caller(word: u32) {
    let answer = calls::call(TO, &Message::of(9, &[word]));
    board::set(1, answer.as_ref().map_or(0, |answer| answer.word(0)));
    tell(0, answer);
}

/// Sends, and tells in word 0 what came of it.
pub fn sender(word: u32) {
    tell(0, calls::send(TO, &Message::of(9, &[word])));
}
