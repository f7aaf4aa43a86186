//! Every way in which a message's way by the redirector can end before its time.

use freehold_abi::info::State;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

use crate::scene::{FROM, Scene, TO, caller, sender, tell, told};

/// Where a message is when something happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Its sender waits for a redirector.
    Door,
    /// A redirector has it.
    Redirector,
    /// It has been let past, and waits for its receiver.
    Destination,
}

const PLACES: [At; 3] = [At::Door, At::Redirector, At::Destination];

/// Brings the message of `sender`, which waits at the door, to a place.
fn bring(scene: &Scene, sender: &Worker, at: At) {
    check_eq!(sender.state(), State::Sending);
    if at == At::Door {
        return;
    }
    check!(scene.shown().is_ok());
    check_eq!(sender.state(), State::AwaitingReply);
    if at == At::Destination {
        check_eq!(calls::propagate(Ok(())), Ok(()));
        check!(matches!(sender.state(), State::Sending | State::Calling));
    }
}

/// What is left of it: nothing that could go on.
fn nothing_left(scene: &Scene, at: At) {
    check_eq!(calls::propagate(Ok(())), Err(Error::NoReply), "{at:?}");
    scene.nothing_shown();
    let got = Utcb::current().within((0, 0), || calls::receive(scene.endpoint.name()));
    check_eq!(got.map(|got| got.badge), Err(Error::Timeout), "{at:?}");
}

/// The sender is stopped; its thread, its UTCB, its space are destroyed.
pub fn senders() {
    for at in PLACES {
        for work in [caller, sender] {
            let scene = Scene::new();
            let worker = scene.thread(work, 1);
            bring(&scene, &worker, at);
            check_eq!(calls::stop_thread(worker.name()), Ok(()));
            nothing_left(&scene, at);
            check_eq!(calls::continue_thread(worker.name(), CapName::NONE, ABOVE.priority), Ok(()));
            check!(worker.ends());
            check_eq!(told(0), Some(Err(Error::Canceled)), "{at:?}");
            drop(worker);

            let worker = scene.thread(work, 1);
            bring(&scene, &worker, at);
            check_eq!(worker.destroy(), Ok(()));
            nothing_left(&scene, at);

            let worker = scene.thread(work, 1);
            bring(&scene, &worker, at);
            let frames = worker.frames();
            check_eq!(calls::reclaim(frames.container, frames.first + 1, 1), Ok(()));
            nothing_left(&scene, at);
            drop(worker);

            let worker = scene.thread(work, 1);
            bring(&scene, &worker, at);
            let Scene { home, .. } = &scene;
            let frames = home.frames();
            check_eq!(calls::reclaim(frames.container, frames.first, 4), Ok(()));
            nothing_left(&scene, at);
            drop(worker);
        }
    }
}

/// Whoever has the message receives again, or ends.
pub fn redirectors() {
    let scene = Scene::new();
    let worker = scene.thread(caller, 1);
    bring(&scene, &worker, At::Redirector);
    scene.nothing_shown();
    check!(worker.ends());
    check_eq!(told(0), Some(Err(Error::PeerGone)), "it receives again");

    let unheard = endpoint();
    for whole in [false, true] {
        board::clear();
        let home = Home::new();
        home.give(FROM, scene.door.name(), Rights::RECEIVE, 0);
        home.give(TO, unheard.name(), Rights::SEND, 0);
        let redirector = Worker::spawn(
            &home,
            ABOVE,
            |_| {
                let _ = calls::receive(FROM);
                let _ = calls::send(TO, &Message::new(0));
            },
            0,
        );
        let options = Options { priority: ABOVE.priority + 1, ..ABOVE };
        let worker = Worker::spawn(&scene.home, options, caller, 1);
        check_eq!(worker.state(), State::AwaitingReply);
        if whole {
            drop(home);
        } else {
            check_eq!(redirector.destroy(), Ok(()));
        }
        check!(worker.ends());
        check_eq!(told(0), Some(Err(Error::PeerGone)), "it ends, whole {whole}");
    }
}

/// The door is deleted: who waits there is told, and so is who comes later; what is made in the same slot then is
/// another endpoint, and not asked.
pub fn doors() {
    let scene = Scene::new();
    let waits = scene.thread(caller, 1);
    bring(&scene, &waits, At::Door);
    check_eq!(calls::delete(scene.door.reference()), Ok(()));
    check!(waits.ends());
    check_eq!(told(0), Some(Err(Error::Canceled)));
    drop(waits);
    for _ in 0..2 {
        board::clear();
        let later = scene.thread(caller, 1);
        check!(later.ends());
        check_eq!(told(0), Some(Err(Error::PeerGone)));
        if calls::cap_info(scene.door.reference()).is_ok_and(|info| info.rights == Rights::NONE) {
            check_eq!(calls::make_endpoint(scene.door.reference()), Ok(()));
        }
    }
    scene.nothing_shown();
    // Distrusted anew, it has a door again.
    check_eq!(calls::distrust(scene.home.space(), Some(scene.door.name())), Ok(()));
    let last = scene.thread(caller, 1);
    check_eq!(calls::receive(scene.door.name()).map(|got| got.badge), Ok(0));
    check_eq!(calls::propagate(Err(Error::Busy)), Ok(()));
    check!(last.ends());
    check_eq!(told(0), Some(Err(Error::Busy)));
    // A message that a redirector has when the door goes, goes on.
    let last = scene.thread(sender, 1);
    check!(calls::receive(scene.door.name()).is_ok());
    check_eq!(calls::delete(scene.door.reference()), Ok(()));
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(calls::receive(scene.endpoint.name()).is_ok() && last.ends());
    check_eq!(told(0), Some(Ok(())));
}

/// The destination is deleted, or the sender's capability to it revoked.
pub fn destinations() {
    for at in PLACES {
        for revoked in [false, true] {
            let scene = Scene::new();
            let proxy = derived(scene.endpoint.name(), Rights::SEND, 6, 4);
            calls::delete(scene.home.slot(TO)).expect("a capability");
            scene.home.give(TO, proxy.name(), Rights::SEND, 0);
            let worker = scene.thread(caller, 1);
            bring(&scene, &worker, at);
            if revoked {
                check_eq!(calls::revoke(proxy.reference()), Ok(()));
            } else {
                check_eq!(calls::delete(scene.endpoint.reference()), Ok(()));
            }
            if at == At::Door {
                check!(scene.shown().is_ok());
            }
            if at != At::Destination {
                check_eq!(calls::propagate(Ok(())), Ok(()));
            } else if revoked {
                let got = Utcb::current().within((0, 0), || calls::receive(scene.endpoint.name()));
                check_eq!(got.map(|got| got.badge), Err(Error::Timeout));
            }
            check!(worker.ends());
            let error = if at == At::Destination { Error::Canceled } else { Error::NoCapability };
            check_eq!(told(0), Some(Err(error)), "{at:?}, revoked {revoked}");
        }
    }
}

/// Time limits of the sender: nothing, and a few milliseconds, at each place.
pub fn limits() {
    fn limited(limit: u32) {
        Utcb::current().set_limits((limit, u32::MAX));
        tell(0, calls::call(TO, &Message::new(1)));
    }
    for at in PLACES {
        let scene = Scene::new();
        let worker = scene.thread(limited, 4);
        bring(&scene, &worker, at);
        check!(worker.ends());
        check_eq!(told(0), Some(Err(Error::Timeout)), "{at:?}");
        nothing_left(&scene, at);
    }
    // What has passed counts: the limit is one, not one for each place.
    let scene = Scene::new();
    let worker = scene.thread(limited, 40);
    time::sleep(30);
    bring(&scene, &worker, At::Destination);
    time::sleep(20);
    check_eq!(told(0), Some(Err(Error::Timeout)));
    check!(worker.ends());
    // Nothing: the redirector gets its tick, and then the receiver has to wait.
    let scene = Scene::new();
    for waits in [true, false] {
        board::clear();
        let home = Home::new();
        home.give(FROM, scene.endpoint.name(), Rights::RECEIVE, 0);
        let receiver = Worker::new(&home, ABOVE);
        if waits {
            receiver.start(
                |_| {
                    let _ = calls::receive(FROM);
                    let _ = calls::reply(None, &Message::new(0));
                },
                0,
            );
            check_eq!(receiver.state(), State::Receiving);
        }
        let (_space, _redirector) = scene.redirector(Options { priority: ABOVE.priority + 1, ..ABOVE });
        let worker = scene.thread(limited, 0);
        check!(worker.ends());
        check_eq!(told(0), Some(if waits { Ok(()) } else { Err(Error::Timeout) }), "{waits}");
    }
}

/// An answer by way of the redirector, whose caller times out, stops or ends meanwhile; or that is refused.
pub fn answers() {
    fn serves(_: u32) {
        let _ = calls::receive(FROM);
        tell(0, calls::reply(None, &Message::of(0, &[1])));
        tell(2, calls::reply(None, &Message::of(0, &[2])));
    }
    fn waits(endpoint: u32) {
        Utcb::current().set_limits((u32::MAX, 5));
        let answer = calls::call(CapName(endpoint), &Message::new(1));
        board::set(1, answer.as_ref().map_or(0, |answer| answer.word(0)));
        tell(3, answer);
    }
    for what in ["time", "stop", "end", "refuse"] {
        let scene = Scene::new();
        let server = scene.thread(serves, 0);
        let client = Worker::spawn(&Home::own(), ABOVE, waits, scene.endpoint.name().0);
        check!(scene.shown().is_ok());
        check_eq!((client.state(), server.state()), (State::AwaitingReply, State::AwaitingReply));
        let mut client = Some(client);
        match what {
            "time" => check!(client.as_ref().is_some_and(Worker::ends)),
            "stop" => {
                check_eq!(client.as_ref().map(|client| calls::stop_thread(client.name())), Some(Ok(())))
            }
            "end" => check_eq!(client.take().map(Worker::destroy), Some(Ok(()))),
            _ => true,
        };
        let verdict = if what == "refuse" { Err(Error::MapRefused) } else { Ok(()) };
        check_eq!(calls::propagate(verdict), Ok(()));
        if what == "refuse" {
            check_eq!(told(0), Some(Err(Error::MapRefused)));
            // It still has the caller, and can answer otherwise.
            check!(scene.shown().is_ok());
            check_eq!(calls::propagate(Ok(())), Ok(()));
            check_eq!((told(3), board::get(1)), (Some(Ok(())), 2));
        } else {
            check_eq!(told(0), Some(Err(Error::NoReply)), "{what}");
        }
        check!(server.ends());
        check_eq!(told(2), Some(if what == "refuse" { Ok(()) } else { Err(Error::NoReply) }));
    }
}
