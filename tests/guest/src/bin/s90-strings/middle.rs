//! Limits, stops and ends in the middle of a transfer: the table "else, in the middle", at every step.

use freehold_abi::fault::RESUME;
use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::check_eq;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_rt::calls::{self, Stop};
use freehold_rt::{CapName, Error, Rights, time};

use crate::actor::{Actor, Outcome};
use crate::cells::claim;
use crate::letter::{Letter, ROUTES, Route};
use crate::scene::{Place, RECEIVER, SENDER, Scene, no_fault, whole};
use crate::torn::{self, PAGES, SIDES};

const TIME: u32 = 20;

/// What has become of the pager's call when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It waits for the pager to receive it.
    Queued,
    /// The pager has received it, and owes the answer.
    Received,
}

const STEPS: [Step; 2] = [Step::Queued, Step::Received];

/// The label of a cell: the row, and the party to whom it happens.
fn label(row: u32, route: Route, party: u32) -> &'static str {
    match (row, party == SENDER, route.is_reply()) {
        (1, true, _) => "M1sq",
        (1, false, false) => "M1rq",
        (1, false, true) => "M1ra",
        (2, true, false) => "M2sq",
        (2, false, false) => "M2rq",
        (2, true, true) => "M2sa",
        (2, false, true) => "M2ra",
        (_, true, false) => "M3sq",
        (_, false, false) => "M3rq",
        (_, true, true) => "M3sa",
        (_, false, true) => "M3ra",
    }
}

/// Brings a transfer to a missing page of `side`, which is waited for without end.
fn halfway(scene: &Scene, route: Route, side: u32, step: Step, limits: [(u32, u32); 2]) {
    torn::remove(scene, side, 1);
    torn::with_letter(scene, |letter| scene.carry(route, &Letter { limits, ..letter.patient() }));
    match step {
        Step::Queued => torn::pair(scene, side).0.waits(State::Calling, format_args!("{route:?} {side:#x}")),
        Step::Received => torn::at_pager(scene, side, format_args!("{route:?} {side:#x}")),
    }
}

/// What the partner of a party that has left comes to, and the pager that was called for either.
fn alone(scene: &Scene, route: Route, side: u32, party: u32, step: Step, what: core::fmt::Arguments<'_>) {
    if step == Step::Received {
        check_eq!(scene.answer(RESUME, &[]), Err(Error::NoReply), "{what}");
    }
    no_fault(scene, what);
    if party == SENDER && !route.is_reply() {
        scene.serve_receiver(what);
    } else {
        torn::pair(scene, party).1.check(Outcome::Failed(Error::PeerGone), what);
    }
    torn::restore(scene, side, 1);
    torn::begun(scene, what);
}

/// M1: the limit of the party that has waited runs on. Whoever answers, or found the other waiting, has none.
pub fn limits() {
    let scene = Scene::new(Place::Apart, PAGES);
    for route in ROUTES {
        let party = if route.sender_first { SENDER } else { RECEIVER };
        for side in SIDES {
            for step in STEPS {
                claim(label(1, route, party));
                let what = format_args!("{route:?} {side:#x} {step:?}");
                let own = match (party, route.is_reply()) {
                    (SENDER, _) => [(TIME, FOREVER), (FOREVER, FOREVER)],
                    _ => [(FOREVER, FOREVER), (FOREVER, TIME)],
                };
                halfway(&scene, route, side, step, own);
                time::sleep(TIME - 5);
                torn::pair(&scene, party).0.waits(
                    if party == side && step == Step::Queued {
                        State::Calling
                    } else if party == side {
                        State::AwaitingReply
                    } else {
                        State::Transferring
                    },
                    what,
                );
                time::sleep(8);
                torn::pair(&scene, party).0.check(Outcome::Failed(Error::Timeout), what);
                alone(&scene, route, side, party, step, what);
                // The limits of the other do not run: it has waited for nobody.
                let others = match (party, route.is_reply()) {
                    (SENDER, _) => [(FOREVER, FOREVER), (0, TIME)],
                    (_, true) => [(0, FOREVER), (FOREVER, FOREVER)],
                    _ => [(TIME, FOREVER), (FOREVER, FOREVER)],
                };
                halfway(&scene, route, side, Step::Received, others);
                time::sleep(TIME + 5);
                torn::with_letter(&scene, |letter| {
                    torn::mend(&scene, route, side, &Letter { limits: others, ..letter }, what);
                });
            }
        }
    }
}

/// What a receiver has waited counts, through any number of senders at fault; if it had no limit, it gets none.
pub fn limits_go_on() {
    let scene = Scene::new(Place::Same, PAGES);
    let route = ROUTES[0];
    torn::remove(&scene, SENDER, 1);
    torn::with_letter(&scene, |letter| {
        let letter = Letter { limits: [(FOREVER, FOREVER), (FOREVER, 2 * TIME)], ..letter };
        scene.receiver.go(&scene.inward(route, &letter));
        for _ in 0..3 {
            time::sleep(TIME / 2);
            scene.sender.go(&scene.outward(route, &letter));
            scene.sender.check(torn::mine(&scene, SENDER), format_args!("at fault"));
            scene.receiver.waits(State::Receiving, format_args!("it goes on"));
        }
        time::sleep(TIME / 2 - 5);
        scene.receiver.waits(State::Receiving, format_args!("not yet"));
        time::sleep(8);
        scene.receiver.check(Outcome::Failed(Error::Timeout), format_args!("all in all"));
        // It found the sender waiting, and so has not waited: it begins to.
        for limit in [0, TIME] {
            scene.sender.go(&scene.outward(ROUTES[1], &letter));
            scene.receiver.go(&scene.inward(route, &letter).limits(FOREVER, limit));
            scene.sender.check(torn::mine(&scene, SENDER), format_args!("at fault"));
            if limit != 0 {
                time::sleep(limit - 5);
                scene.receiver.waits(State::Receiving, format_args!("not yet"));
                time::sleep(8);
            }
            scene.receiver.check(Outcome::Failed(Error::Timeout), format_args!("{limit}"));
        }
    });
    torn::restore(&scene, SENDER, 1);
    torn::begun(&scene, format_args!("the same bytes each time"));
}

/// The limit of a receiver that goes on receiving does not run while it takes the message of a sender that has
/// waited; it counts again when that one is at fault, too.
pub fn limits_of_the_next() {
    for arrives in [true, false] {
        let what = format_args!("{arrives}");
        let scene = Scene::new(Place::Apart, PAGES);
        let names = [scene.door.name(), scene.faults.name()];
        let next = Actor::at(scene.sender.priority(), &scene.homes[0], 2, names, SENDER);
        torn::with_letter(&scene, |letter| {
            let letter = Letter { limits: [(FOREVER, FOREVER), (FOREVER, 2 * TIME)], ..letter.patient() };
            scene.receiver.go(&scene.inward(ROUTES[0], &letter));
            time::sleep(TIME);
            torn::remove(&scene, SENDER, 1);
            scene.sender.go(&scene.outward(ROUTES[0], &letter));
            next.go(&scene.outward(ROUTES[0], &letter));
            next.waits(State::Sending, what);
            // The first one's fault is received, and dropped by receiving the next one's.
            let fault = Some(torn::fault_of(&scene, SENDER, 1));
            check_eq!(scene.fault(), fault, "{what}");
            no_fault(&scene, what);
            scene.sender.check(torn::mine(&scene, SENDER), what);
            check_eq!(scene.fault(), fault, "{what}");
            next.waits(State::AwaitingReply, what);
            time::sleep(2 * TIME);
            scene.receiver.waits(State::Transferring, what);
            if arrives {
                torn::restore(&scene, SENDER, 1);
                scene.resume();
                scene.receiver.check(Outcome::Done, what);
                next.check(Outcome::Done, what);
                return;
            }
            no_fault(&scene, what);
            next.check(torn::mine(&scene, SENDER), what);
            time::sleep(2);
            scene.receiver.check(Outcome::Failed(Error::Timeout), what);
        });
    }
}

/// M2: a party is stopped; started again, it learns Canceled.
pub fn stops() {
    for place in [Place::Apart, Place::SenderAbove, Place::ReceiverAbove] {
        stops_at(place);
    }
}

fn stops_at(place: Place) {
    let scene = Scene::new(place, PAGES);
    for route in ROUTES {
        for (side, party) in SIDES.into_iter().flat_map(|side| SIDES.map(|party| (side, party))) {
            for step in STEPS {
                claim(label(2, route, party));
                let what = format_args!("{place:?} {route:?} {side:#x} {party:#x} {step:?}");
                halfway(&scene, route, side, step, [(FOREVER, FOREVER); 2]);
                let stopped = torn::pair(&scene, party).0;
                check_eq!(calls::stop_thread(stopped.worker().name()), Ok(()));
                stopped.waits(State::Stopped, what);
                alone(&scene, route, side, party, step, what);
                stopped.continue_();
                stopped.check(Outcome::Failed(Error::Canceled), what);
            }
        }
    }
}

/// How a party can be destroyed.
#[derive(Clone, Copy, Debug)]
enum End {
    Thread,
    Utcb,
    Space,
}

impl End {
    /// Lets it come to a party.
    fn come(self, scene: &Scene, party: u32) -> Result<(), Stop> {
        let frames = torn::pair(scene, party).0.worker().frames();
        let home = scene.homes[usize::from(party == RECEIVER)].frames();
        match self {
            End::Thread => calls::reclaim(frames.container, frames.first, 1),
            End::Utcb => calls::reclaim(frames.container, frames.first + 1, 1),
            End::Space => calls::reclaim(home.container, home.first, 4),
        }
    }
}

/// M3: a party is destroyed, or its UTCB is, or its space.
pub fn ends() {
    for end in [End::Thread, End::Utcb, End::Space] {
        for route in ROUTES {
            for (side, party) in SIDES.into_iter().flat_map(|side| SIDES.map(|party| (side, party))) {
                for step in STEPS {
                    claim(label(3, route, party));
                    let what = format_args!("{end:?} {route:?} {side:#x} {party:#x} {step:?}");
                    // Which of them is above decides what runs first, and nothing else.
                    let place = if route.sender_first { Place::SenderAbove } else { Place::ReceiverAbove };
                    let scene = Scene::new(place, PAGES);
                    halfway(&scene, route, side, step, [(FOREVER, FOREVER); 2]);
                    check_eq!(end.come(&scene, party), Ok(()), "{what}");
                    alone(&scene, route, side, party, step, what);
                }
            }
        }
    }
}

/// Before it begins: a sender that waits with strings, or a receiver for them, leaves nothing behind.
pub fn queued() {
    let scene = Scene::new(Place::Apart, PAGES);
    for route in ROUTES.into_iter().filter(|route| !route.is_reply()) {
        let what = format_args!("{route:?}");
        torn::with_letter(&scene, |letter| {
            let party = if route.sender_first { SENDER } else { RECEIVER };
            let waiting = torn::pair(&scene, party).0;
            let limited = Letter { limits: [(TIME, FOREVER), (FOREVER, TIME)], ..letter };
            scene.meet(route, &limited);
            time::sleep(TIME + 2);
            waiting.check(Outcome::Failed(Error::Timeout), what);
            scene.meet(route, &letter);
            check_eq!(calls::stop_thread(waiting.worker().name()), Ok(()));
            waiting.continue_();
            waiting.check(Outcome::Failed(Error::Canceled), what);
            // Nobody is there any more; nothing has been left of what it had named.
            let other = Letter { limits: [(0, 0), (0, 0)], ..letter };
            if route.sender_first {
                scene.receiver.go(&scene.inward(route, &other));
                scene.receiver.check(Outcome::Failed(Error::Timeout), what);
            } else {
                scene.sender.go(&scene.outward(route, &other));
                scene.sender.check(Outcome::Failed(Error::Timeout), what);
            }
            scene.carry(route, &letter);
            scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
        });
    }
    drop(scene);
    for end in [End::Thread, End::Utcb, End::Space] {
        for route in ROUTES {
            let scene = Scene::new(Place::Apart, PAGES);
            let what = format_args!("{end:?} {route:?}");
            let party = if route.sender_first { SENDER } else { RECEIVER };
            torn::with_letter(&scene, |letter| {
                scene.meet(route, &letter);
                check_eq!(end.come(&scene, party), Ok(()), "{what}");
                // The other finds nobody.
                let other = Letter { limits: [(0, 0), (0, 0)], ..letter };
                let (out, into) = (scene.outward(route, &other), scene.inward(route, &other));
                let (actor, order) =
                    if route.sender_first { (&scene.receiver, &into) } else { (&scene.sender, &out) };
                actor.go(order);
                let error = if route.is_reply() { Error::NoReply } else { Error::Timeout };
                actor.check(Outcome::Failed(error), what);
            });
        }
    }
}

/// The endpoint ends, or the receiver's right to it, or another takes its place: a transfer that has begun does
/// not notice; a receiver that would go on receiving learns Canceled, unless what it finds by its name lives in the
/// same slot as before.
pub fn doors() {
    #[derive(Clone, Copy, Debug)]
    enum Loss {
        Endpoint,
        Right,
        Replaced,
        ReplacedByBits,
        Same,
        MadeAnew,
    }
    for loss in
        [Loss::Endpoint, Loss::Right, Loss::Replaced, Loss::ReplacedByBits, Loss::Same, Loss::MadeAnew]
    {
        for route in ROUTES.into_iter().filter(|route| !route.is_reply()) {
            for fails in [false, true] {
                let what = format_args!("{loss:?} {route:?} {fails}");
                let scene = Scene::new(Place::Apart, PAGES);
                let other = endpoint();
                let bits = notification();
                let place = scene.homes[1].slot(scene.receiver.door);
                torn::with_letter(&scene, |letter| {
                    let letter = letter.patient();
                    torn::begin(&scene, route, SENDER, &letter, what);
                    let derive = |source: CapName| {
                        check_eq!(calls::delete(place), Ok(()));
                        check_eq!(calls::derive(source, place, Rights::ALL, 0, 0), Ok(()));
                    };
                    match loss {
                        Loss::Endpoint => drop(calls::delete(scene.door.reference())),
                        Loss::Right => drop(calls::delete(place)),
                        Loss::Replaced => derive(other.name()),
                        Loss::ReplacedByBits => derive(bits.name()),
                        Loss::Same => derive(scene.door.name()),
                        Loss::MadeAnew => {
                            check_eq!(calls::delete(scene.door.reference()), Ok(()));
                            check_eq!(calls::make_endpoint(scene.door.reference()), Ok(()));
                            derive(scene.door.name());
                        }
                    }
                    if fails {
                        no_fault(&scene, what);
                        scene.sender.check(torn::mine(&scene, SENDER), what);
                        match loss {
                            Loss::Same | Loss::MadeAnew => scene.serve_receiver(what),
                            _ => scene.receiver.check(Outcome::Failed(Error::Canceled), what),
                        }
                        torn::restore(&scene, SENDER, 1);
                        torn::begun(&scene, what);
                    } else {
                        torn::mend(&scene, route, SENDER, &letter, what);
                    }
                });
            }
        }
    }
}
