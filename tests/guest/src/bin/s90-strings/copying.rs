//! While bytes are being copied: who is above runs, equals take turns, and whoever leaves leaves in the middle.
//!
//! What must hold: the two are below the first thread, which sleeps while they copy 4 MiB, more than a tick's worth.
//! A thread between them burns time before, so that the tick that wakes the first thread comes in the middle.

use freehold_abi::info::{Kernel, State};
use freehold_abi::layout::{FOREVER, FRAME, SLICE_TICKS, STRING_BYTES_MAX, UNITS, utcb};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::worker::{BELOW, MAIN_PRIORITY, Options, Worker, eventually};
use freehold_guest_tests::{board, check, check_eq, pages};
use freehold_rt::utcb::Part;
use freehold_rt::{Error, Message, calls, time};

use crate::actor::{Actor, Outcome, act};
use crate::letter::{Letter, ROUTES, Route, Way};
use crate::memory::{byte, set_byte};
use crate::order::{Order, part};
use crate::scene::{RECEIVER, SENDER, Scene};
use crate::torn::{SIDES, pair};

/// Priority of those who copy.
const LOW: u8 = MAIN_PRIORITY - 2;
const PAGES: u32 = STRING_BYTES_MAX / FRAME;
/// A tick has so many cycles.
const TICK: u32 = 1_000_000;
/// What the first and the last byte of the strings are.
const MARK: u8 = 0x77;
/// Words of the board: from when burning takes how long; what the watcher sees.
const BURN_FROM: usize = 40;
const BURN_FOR: usize = 41;
const SEEN: usize = 42;
const LASTED: usize = 43;

fn burn(_: u32) {
    while (time::cycles() as u32).wrapping_sub(board::get(BURN_FROM)) < board::get(BURN_FOR) {}
}

/// 4 MiB on both sides.
struct Copying {
    scene: Scene,
    strings: [Part; 1],
    buffers: [Part; 1],
}

impl Copying {
    fn new() -> Copying {
        Copying::of(Scene::at([LOW; 2], [Home::new(), Home::new()], PAGES))
    }

    fn in_own_space() -> Copying {
        Copying::of(Scene::at([LOW; 2], [Home::own(), Home::own()], PAGES))
    }

    fn of(scene: Scene) -> Copying {
        let strings = [part(scene.from.base(), STRING_BYTES_MAX)];
        let buffers = [part(scene.to.base(), STRING_BYTES_MAX)];
        Copying { scene, strings, buffers }
    }

    fn letter(&self) -> Letter<'_> {
        Letter::new(&self.strings, &self.buffers)
    }

    /// Marks both ends of the strings, and unmarks those of the buffers.
    fn mark(&self) {
        for at in [0, STRING_BYTES_MAX - 1] {
            set_byte(self.strings[0].address + at, MARK);
            set_byte(self.buffers[0].address + at, 0);
        }
    }

    fn first_and_last(&self) -> [u8; 2] {
        [0, STRING_BYTES_MAX - 1].map(|at| byte(self.buffers[0].address + at))
    }

    /// Brings a transfer to its middle. If the one who waits is `limited`, its time limit passes with the very tick in
    /// which this returns.
    fn halfway(&self, route: Route, limited: bool, what: core::fmt::Arguments<'_>) {
        self.mark();
        let scene = &self.scene;
        // A wait for L ticks that begins in tick T ends with tick T + L + 1. This one begins in `began`, when the first
        // thread sleeps, which wakes with `began` + 2, + 7 and, in the middle, + 9.
        let limit = if limited { 8 } else { FOREVER };
        let limits = match (route.is_reply(), route.sender_first) {
            (false, true) => [(limit, FOREVER), (FOREVER, FOREVER)],
            _ => [(FOREVER, FOREVER), (FOREVER, limit)],
        };
        let letter = Letter { limits, ..self.letter() };
        if route.is_reply() {
            scene.sender.go(&Order::receive(scene.sender.door));
            check!(eventually(|| scene.sender.state() == State::Receiving), "{what}");
        }
        time::sleep(1);
        let began = time::ticks();
        let waiting = if route.sender_first { &scene.sender } else { &scene.receiver };
        match route.sender_first {
            true => waiting.go(&scene.outward(route, &letter)),
            false => waiting.go(&scene.inward(route, &letter)),
        }
        time::sleep(1);
        if route.is_reply() {
            scene.sender.check(Outcome::Done, what);
        }
        time::sleep(4);
        board::set(BURN_FROM, time::cycles() as u32);
        board::set(BURN_FOR, TICK + TICK / 2);
        let burner = Worker::spawn(&Home::own(), BELOW, burn, 0);
        match route.sender_first {
            true => scene.receiver.go(&scene.inward(route, &letter)),
            false => scene.sender.go(&scene.outward(route, &letter)),
        }
        time::sleep(1);
        check_eq!(time::ticks() - began, 9, "woken in time: {what}");
        check!(burner.has_ended(), "{what}");
        check_eq!(self.first_and_last(), [MARK, 0], "in the middle: {what}");
    }
}

/// A thread above that was woken by its time limit runs in the middle of a copy, in the tick in which it is due.
pub fn preempted() {
    let copying = Copying::new();
    for route in ROUTES {
        let what = format_args!("{route:?}");
        copying.halfway(route, false, what);
        let (driver, passive) = match route.sender_first {
            true => (&copying.scene.receiver, &copying.scene.sender),
            false => (&copying.scene.sender, &copying.scene.receiver),
        };
        driver.waits(State::Ready, what);
        passive.waits(State::Transferring, what);
        // And then the rest is copied.
        time::sleep(3);
        check_eq!(copying.first_and_last(), [MARK, MARK], "{what}");
        copying.scene.receiver.check(Outcome::Done, what);
        check_eq!(copying.scene.receiver.after(utcb::ARRIVED), STRING_BYTES_MAX, "{what}");
        settle(&copying.scene, route, what);
    }
    check!(calls::kernel_info(Kernel::MaxUnits).is_ok_and(|most| most <= UNITS));
}

/// Lets both come to an end after a delivery.
fn settle(scene: &Scene, route: Route, what: core::fmt::Arguments<'_>) {
    match route.way {
        Way::Send | Way::Reply => {}
        Way::Call => {
            scene.receiver.go(&Order::reply(2));
        }
        Way::ReplyReceive => serve(scene),
    }
    time::sleep(2);
    scene.sender.check(Outcome::Done, what);
    scene.receiver.check(Outcome::Done, what);
}

/// Somebody receives, and gets a message.
fn serve(scene: &Scene) {
    check_eq!(calls::send(scene.door.name(), &Message::of(0x77, &[7])), Ok(()));
}

/// What the partner of a party that has left in the middle comes to; not another byte is copied.
fn alone(copying: &Copying, route: Route, party: u32, what: core::fmt::Arguments<'_>) {
    let partner: &Actor = pair(&copying.scene, party).1;
    time::sleep(3);
    if party == SENDER && !route.is_reply() {
        partner.waits(State::Receiving, what);
        serve(&copying.scene);
        time::sleep(2);
        partner.check(Outcome::Done, what);
    } else {
        partner.check(Outcome::Failed(Error::PeerGone), what);
    }
    check_eq!(copying.first_and_last(), [MARK, 0], "{what}");
}

/// M1 to M3, between two pieces: a limit passes, a party is stopped, a party is destroyed.
pub fn left() {
    let copying = Copying::new();
    for route in ROUTES {
        let waited = if route.sender_first { SENDER } else { RECEIVER };
        let what = format_args!("{route:?} limit");
        copying.halfway(route, true, what);
        alone(&copying, route, waited, what);
        pair(&copying.scene, waited).0.check(Outcome::Failed(Error::Timeout), what);
        for party in SIDES {
            let what = format_args!("{route:?} stop {party:#x}");
            copying.halfway(route, false, what);
            let stopped = pair(&copying.scene, party).0;
            check_eq!(calls::stop_thread(stopped.worker().name()), Ok(()));
            stopped.waits(State::Stopped, what);
            alone(&copying, route, party, what);
            stopped.continue_();
            time::sleep(2);
            stopped.check(Outcome::Failed(Error::Canceled), what);
        }
    }
    drop(copying);
    for route in [ROUTES[0], ROUTES[3], ROUTES[5]] {
        for (party, space) in SIDES.into_iter().flat_map(|party| [false, true].map(|space| (party, space))) {
            let what = format_args!("{route:?} destroyed {party:#x} {space}");
            let copying = Copying::new();
            copying.halfway(route, false, what);
            let scene = &copying.scene;
            let (frames, count) = match space {
                true => (scene.homes[usize::from(party == RECEIVER)].frames(), 4),
                false => (pair(scene, party).0.worker().frames(), 1),
            };
            check_eq!(calls::reclaim(frames.container, frames.first, count), Ok(()), "{what}");
            alone(&copying, route, party, what);
        }
    }
}

/// The clock passes in the middle of a copy, behind a fault that was answered in time: nobody is waited for then, so
/// nothing happens; but the next fault is one too many.
pub fn clock_passes() {
    // The fault comes in the tick in which the first thread goes to sleep; it wakes two ticks later, and answers. The
    // clock passes with the next tick, which comes in the middle of the copy: that takes longer than a tick.
    const TIME: u32 = 2;
    let copying = Copying::new();
    let scene = &copying.scene;
    for route in ROUTES {
        for (side, again) in SIDES.into_iter().flat_map(|side| [false, true].map(|again| (side, again))) {
            let what = format_args!("{route:?} {side:#x} {again}");
            let letter =
                Letter { send_faults: (TIME, TIME), receive_faults: (TIME, TIME), ..copying.letter() };
            let (memory, part) = match side {
                SENDER => (&scene.from, copying.strings[0]),
                _ => (&scene.to, copying.buffers[0]),
            };
            copying.mark();
            memory.remove(0, 1);
            if again {
                memory.remove(PAGES - 1, 1);
            }
            if route.is_reply() {
                scene.sender.go(&Order::receive(scene.sender.door));
                check!(eventually(|| scene.sender.state() == State::Receiving), "{what}");
            }
            let (out, into) = (scene.outward(route, &letter), scene.inward(route, &letter));
            let [first, second] = match route.sender_first {
                true => [(&scene.sender, &out), (&scene.receiver, &into)],
                false => [(&scene.receiver, &into), (&scene.sender, &out)],
            };
            first.0.go(first.1);
            time::sleep(1);
            second.0.go(second.1);
            time::sleep(1);
            check!(scene.fault().is_some_and(|fault| fault.address == part.address), "{what}");
            memory.restore(0, 1);
            scene.resume();
            time::sleep(3);
            check!(scene.fault().is_none(), "{what}");
            if again {
                memory.restore(PAGES - 1, 1);
                let address = part.address + STRING_BYTES_MAX - FRAME;
                let mine = Outcome::Mine { address, done: STRING_BYTES_MAX - FRAME };
                pair(scene, side).0.check(mine, what);
                rest(scene, what);
            } else {
                check_eq!(copying.first_and_last(), [MARK, MARK], "{what}");
                settle(scene, route, what);
            }
        }
    }
}

/// A receiver that has gone on receiving is served.
fn rest(scene: &Scene, what: core::fmt::Arguments<'_>) {
    if scene.receiver.outcome() == Outcome::Pending {
        serve(scene);
        time::sleep(2);
        scene.receiver.check(Outcome::Done, what);
    }
}

/// A page of either side that is taken away in the middle of the copy is missing, and not a byte of it is used.
pub fn unmapped() {
    let copying = Copying::new();
    let scene = &copying.scene;
    for route in ROUTES {
        for side in SIDES {
            let what = format_args!("{route:?} {side:#x}");
            let (memory, base) = match side {
                SENDER => (&scene.from, copying.strings[0].address),
                _ => (&scene.to, copying.buffers[0].address),
            };
            copying.halfway(route, false, what);
            memory.remove(PAGES - 1, 1);
            time::sleep(3);
            let (address, done) = (base + STRING_BYTES_MAX - FRAME, STRING_BYTES_MAX - FRAME);
            pair(scene, side).0.check(Outcome::Mine { address, done }, what);
            let partner = pair(scene, side).1;
            if side == SENDER && !route.is_reply() {
                partner.waits(State::Receiving, what);
                serve(scene);
                time::sleep(2);
                partner.check(Outcome::Done, what);
            } else {
                partner.check(Outcome::Theirs { address, done }, what);
            }
            memory.restore(PAGES - 1, 1);
            check_eq!(copying.first_and_last(), [MARK, 0], "{what}");
        }
    }
}

/// What a call reads counts from then on, also against a thread above that writes in the middle of the copy.
pub fn scribbled() {
    let copying = Copying::in_own_space();
    for route in ROUTES {
        let what = format_args!("{route:?}");
        copying.halfway(route, false, what);
        let words = [
            utcb::STRINGS_COUNT,
            utcb::STRINGS,
            utcb::STRINGS + 1,
            utcb::BUFFERS_COUNT,
            utcb::BUFFERS,
            utcb::BUFFERS + 1,
        ];
        for actor in [&copying.scene.sender, &copying.scene.receiver] {
            words.into_iter().for_each(|word| {
                pages::poke(actor.worker().utcb() + 4 * word as u32, 0x0040_0010);
            });
        }
        time::sleep(3);
        check_eq!(copying.first_and_last(), [MARK, MARK], "{what}");
        settle(&copying.scene, route, what);
    }
}

/// Uses up most of its slice, then sends.
fn send_late(number: u32) {
    burn(0);
    act(number);
}

/// Notes how far the copy is when it first comes to its turn, and how long that lasts.
fn watch(buffer: u32) {
    let began = time::ticks();
    board::set(SEEN, 1 << 16 | u32::from(byte(buffer)) << 8 | u32::from(byte(buffer + STRING_BYTES_MAX - 1)));
    loop {
        // Before the look: between the two, the turn can end, and the copy with it.
        let lasted = time::ticks() - began;
        if byte(buffer + STRING_BYTES_MAX - 1) != 0 {
            return;
        }
        board::set(LASTED, lasted);
    }
}

/// A slice ends in the middle of a copy as anywhere else, and who has the same priority takes its turn.
pub fn equals() {
    for route in [ROUTES[0], ROUTES[2]] {
        let what = format_args!("{route:?}");
        let copying = Copying::in_own_space();
        let scene = &copying.scene;
        copying.mark();
        scene.receiver.go(&scene.inward(route, &copying.letter()));
        check!(eventually(|| scene.receiver.state() == State::Receiving), "{what}");
        time::sleep(1);
        board::set(BURN_FROM, time::cycles() as u32);
        board::set(BURN_FOR, SLICE_TICKS * TICK - TICK / 2);
        scene.sender.prepare(&scene.outward(route, &copying.letter()));
        scene.sender.worker().start(send_late, 0);
        let options = Options { priority: LOW, ..BELOW };
        let watcher = Worker::spawn(&Home::own(), options, watch, copying.buffers[0].address);
        check!(watcher.ends(), "{what}");
        check_eq!(board::get(SEEN), 1 << 16 | u32::from(MARK) << 8, "{what}");
        let lasted = board::get(LASTED);
        check!((SLICE_TICKS - 1..=SLICE_TICKS).contains(&lasted), "{lasted} ticks: {what}");
        settle(scene, route, what);
    }
}
