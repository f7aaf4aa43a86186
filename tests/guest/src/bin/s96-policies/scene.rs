//! An untrusted space, a door where its messages come first, and who stands behind it.

use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, calls};

/// The badge with which the untrusted space's messages come.
pub const BADGE: u32 = 77;
/// Where spaces other than the first have the endpoint that they send to.
pub const TO: CapName = CapName(20);
/// And the one that they receive from.
pub const FROM: CapName = CapName(21);

/// The scene.
pub struct Scene {
    pub home: Home,
    pub door: Slot,
    badged: Slot,
}

impl Scene {
    /// An untrusted space, with a door from which nobody receives yet.
    pub fn new() -> Scene {
        let (home, door) = (Home::new(), endpoint());
        let badged = derived(door.name(), Rights::SEND, BADGE, 0);
        check_eq!(calls::distrust(home.space(), Some(badged.name())), Ok(()));
        Scene { home, door, badged }
    }

    /// The redirector that is delivered, in a space of its own.
    pub fn redirector(&self) -> (Home, Worker) {
        let home = Home::new();
        home.give(FROM, self.door.name(), Rights::RECEIVE, 0);
        let worker = Worker::spawn(
            &home,
            ABOVE,
            |door| {
                freehold_redirector::serve(CapName(door));
            },
            FROM.0,
        );
        (home, worker)
    }

    /// The capability by which the space is distrusted.
    pub fn badged(&self) -> &Slot {
        &self.badged
    }
}
