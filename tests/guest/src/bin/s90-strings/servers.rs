//! No client can hold a server: neither one that receives nor one that answers.

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{Tag, time};

use crate::actor::{Actor, Outcome};
use crate::letter::{Letter, ROUTES, Route, Way};
use crate::memory::guard;
use crate::order::Order;
use crate::scene::{Place, RECEIVER, SENDER, Scene, no_fault, whole};
use crate::torn::{self, PAGES};

const TIME: u32 = 20;
/// Badge of a client whose memory is there.
const HONEST: u32 = 0x53;

/// A server receives from anybody, a client's memory faults for ever, another's is served meanwhile.
pub fn open_receive() {
    let scene = Scene::new(Place::Apart, PAGES);
    let names = (scene.door.name(), scene.faults.name());
    let honest = Actor::new(&Home::own(), 2, names.0, names.1, HONEST);
    torn::remove(&scene, SENDER, 1);
    torn::with_letter(&scene, |letter| {
        for way in [Way::Send, Way::Call] {
            let route = Route { way, sender_first: true };
            // The client would wait for ever; how long the server waits for it, the server says.
            for patience in [0, TIME] {
                let what = format_args!("{way:?} {patience}");
                let letter =
                    Letter { send_faults: (FOREVER, FOREVER), receive_faults: (0, patience), ..letter };
                for round in 0..10 {
                    // It comes first, its message is the first that is looked at; the other is behind it.
                    scene.sender.go(&scene.outward(route, &letter));
                    honest.go(&Order::send(honest.door, 5).words(&[round]));
                    honest.waits(State::Sending, what);
                    let began = time::ticks();
                    scene.receiver.go(&scene.inward(route, &letter));
                    if patience != 0 {
                        scene.receiver.waits(State::Transferring, what);
                        // Its pager answers and answers, and nothing is there.
                        for _ in 0..3 {
                            check_eq!(scene.fault(), Some(torn::fault_of(&scene, SENDER, 1)), "{what}");
                            scene.resume();
                        }
                        time::sleep(TIME + 2);
                    }
                    scene.receiver.check(Outcome::Done, what);
                    let took = time::ticks() - began;
                    check!(took <= patience + 4, "{took} ticks: {what}");
                    check_eq!(
                        (scene.receiver.register(0), scene.receiver.message(1)),
                        (HONEST, round),
                        "{what}"
                    );
                    honest.check(Outcome::Done, what);
                    scene.sender.check(torn::mine(&scene, SENDER), what);
                }
                // It waits for the server instead of the other way round: no better.
                let route = Route { way, sender_first: false };
                scene.receiver.go(&scene.inward(route, &letter));
                for _ in 0..10 {
                    scene.sender.go(&scene.outward(route, &letter));
                    if patience != 0 {
                        scene.sender.waits(State::Calling, what);
                        time::sleep(TIME + 2);
                    }
                    scene.sender.check(torn::mine(&scene, SENDER), what);
                    scene.receiver.waits(State::Receiving, what);
                }
                honest.go(&Order::send(honest.door, 6));
                scene.receiver.check(Outcome::Done, what);
                check_eq!(Tag(scene.receiver.message(0)).label(), 6, "{what}");
            }
        }
    });
    torn::restore(&scene, SENDER, 1);
    guard(whole(&scene.to, PAGES));
}

/// An answer to a client whose memory is missing waits for nothing, if the server does not want to.
pub fn replies() {
    let scene = Scene::new(Place::Apart, PAGES);
    torn::with_letter(&scene, |letter| {
        let letter = Letter { send_faults: (FOREVER, 0), receive_faults: (FOREVER, FOREVER), ..letter };
        for route in ROUTES.into_iter().filter(|route| route.is_reply()) {
            for _ in 0..10 {
                let what = format_args!("{route:?}");
                torn::remove(&scene, RECEIVER, 1);
                scene.meet(route, &letter);
                scene.sender.go(&scene.outward(route, &letter));
                // It is over when this thread, which is below, runs again; and no pager has been asked.
                check!(scene.sender.outcome() != Outcome::Pending, "{what}");
                no_fault(&scene, what);
                torn::stopped(&scene, route, RECEIVER, what);
            }
        }
    });
}
