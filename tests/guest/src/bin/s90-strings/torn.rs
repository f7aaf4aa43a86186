//! A transfer that comes to a missing page, and what both learn if it is stopped there.
//!
//! What must hold: page 1 is the one that is missing, on either side; both have the same [`DONE`] bytes before it.

use freehold_abi::info::State;
use freehold_abi::layout::FRAME;
use freehold_abi::{Error, fault};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::utcb::Part;

use crate::actor::{Actor, Outcome};
use crate::cells::claim;
use crate::letter::{Letter, ROUTES, Route};
use crate::memory::arrived;
use crate::order::{Order, part};
use crate::scene::{Fault, Place, RECEIVER, SENDER, Scene, whole};

/// Pages of each side.
pub const PAGES: u32 = 4;
/// Where the strings begin in page 0, and how many bytes there are.
const OFFSET: u32 = 100;
const BYTES: u32 = 2 * FRAME + 37;
/// Bytes before page 1.
pub const DONE: u32 = FRAME - OFFSET;
/// Both sides.
pub const SIDES: [u32; 2] = [SENDER, RECEIVER];

/// The list of either side.
pub fn list(scene: &Scene, side: u32) -> [Part; 1] {
    let memory = if side == SENDER { &scene.from } else { &scene.to };
    [part(memory.base() + OFFSET, BYTES)]
}

/// Does `work` with the message, which has three words; no fault is waited for.
pub fn with_letter<R>(scene: &Scene, work: impl FnOnce(Letter<'_>) -> R) -> R {
    let (strings, buffers) = (list(scene, SENDER), list(scene, RECEIVER));
    work(Letter { words: &[1, 2, 3], ..Letter::new(&strings, &buffers) })
}

/// Lets page `page` of a side be missing.
pub fn remove(scene: &Scene, side: u32, page: u32) {
    if side == SENDER { scene.from.remove(page, 1) } else { scene.to.remove(page, 1) }
}

/// Puts it back.
pub fn restore(scene: &Scene, side: u32, page: u32) {
    if side == SENDER { scene.from.restore(page, 1) } else { scene.to.restore(page, 1) }
}

/// The fault of a side at its page `page`.
pub fn fault_of(scene: &Scene, side: u32, page: u32) -> Fault {
    match side {
        SENDER => Fault { who: SENDER, address: scene.from.page(page), access: 0 },
        _ => Fault { who: RECEIVER, address: scene.to.page(page), access: fault::ACCESS_WRITE },
    }
}

/// The one whose side it is, and the other.
pub fn pair(scene: &Scene, side: u32) -> (&Actor, &Actor) {
    if side == SENDER { (&scene.sender, &scene.receiver) } else { (&scene.receiver, &scene.sender) }
}

/// Checks that `side` waits for the pager, which has just received its fault at page 1, and the other for both.
pub fn at_pager(scene: &Scene, side: u32, what: core::fmt::Arguments<'_>) {
    check_eq!(scene.fault(), Some(fault_of(scene, side, 1)), "{what}");
    let (faulted, partner) = pair(scene, side);
    faulted.waits(State::AwaitingReply, what);
    partner.waits(State::Transferring, what);
}

/// Page 1 of `side` is removed, the message goes out, and the pager has received the fault.
pub fn begin(scene: &Scene, route: Route, side: u32, letter: &Letter<'_>, what: core::fmt::Arguments<'_>) {
    remove(scene, side, 1);
    scene.carry(route, letter);
    at_pager(scene, side, what);
}

/// Page 1 is put back, and the whole arrives.
pub fn mend(scene: &Scene, route: Route, side: u32, letter: &Letter<'_>, what: core::fmt::Arguments<'_>) {
    restore(scene, side, 1);
    scene.resume();
    scene.delivered(route, letter, &[whole(&scene.to, PAGES)], what);
}

/// Checks what both learn of a transfer that was stopped at page 1 of `side`: the table "a stopped transfer".
pub fn stopped(scene: &Scene, route: Route, side: u32, what: core::fmt::Arguments<'_>) {
    let (faulted, partner) = pair(scene, side);
    faulted.check(mine(scene, side), what);
    partner_of_stopped(scene, route, side, partner, what);
}

/// What a party learns at whose page 1 the transfer stopped.
pub fn mine(scene: &Scene, side: u32) -> Outcome {
    Outcome::Mine { address: fault_of(scene, side, 1).address, done: DONE }
}

/// The same, but for the one at fault. Puts the page back.
pub fn partner_of_stopped(
    scene: &Scene,
    route: Route,
    side: u32,
    partner: &Actor,
    what: core::fmt::Arguments<'_>,
) {
    claim(match (route.is_reply(), side) {
        (false, SENDER) => "S1a",
        (false, _) => "S1b",
        (true, SENDER) => "S2a",
        (true, _) => "S2b",
    });
    if !route.is_reply() && side == SENDER {
        scene.serve_receiver(what);
    } else {
        partner.check(Outcome::Theirs { address: fault_of(scene, side, 1).address, done: DONE }, what);
    }
    if route.is_reply() && partner.outcome() != Outcome::Pending && side != SENDER {
        no_reply(scene, what);
    }
    restore(scene, side, 1);
    begun(scene, what);
}

/// The server holds no reply capability any more.
pub fn no_reply(scene: &Scene, what: core::fmt::Arguments<'_>) {
    scene.sender.go(&Order::reply(0));
    scene.sender.check(Outcome::Failed(Error::NoReply), what);
}

/// The bytes before page 1 have arrived, and nothing else has.
pub fn begun(scene: &Scene, what: core::fmt::Arguments<'_>) {
    let (strings, buffers) = (list(scene, SENDER), list(scene, RECEIVER));
    check!(arrived(&strings, &buffers, DONE, &[whole(&scene.to, PAGES)]), "{what}");
}

/// Does `work` for every route and either side, with a message whose faults are waited for by `limit`.
pub fn each(place: Place, limit: u32, work: impl Fn(&Scene, Route, u32, &Letter<'_>)) {
    let scene = Scene::new(place, PAGES);
    for route in ROUTES {
        for side in SIDES {
            with_letter(&scene, |letter| {
                let faults = (limit, limit);
                work(&scene, route, side, &Letter { send_faults: faults, receive_faults: faults, ..letter });
            });
        }
    }
}
