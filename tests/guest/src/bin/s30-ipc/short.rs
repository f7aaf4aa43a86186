//! Which calls take a short path through the kernel, and which, for each of its conditions, do not. Whichever they
//! take, they do the same; that is what all the other parts look at.

use freehold_abi::info::{Kernel, State};
use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::entry::enter_by_interrupt;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::scenario::says;
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::call::{Registers, by_sysenter, enter};
use freehold_rt::{Utcb, calls};

/// Calls in a row.
const CALLS: u32 = 10;
/// A server that a short path can hand over to.
const BESIDE: Options = Options { priority: MAIN_PRIORITY, ..BELOW };
/// What it receives from, in a space of its own.
const SERVED: CapName = CapName(8);

/// How many calls have gone the ordinary way.
pub fn ordinary_calls() -> u32 {
    calls::kernel_info(Kernel::OrdinaryCalls).unwrap_or(0)
}

/// Whether calls take short paths at all.
pub fn possible() -> bool {
    by_sysenter() && !says("fastpath=off")
}

/// Checks that all of some calls, and of their answers, take short paths, or that not all do.
fn takes(what: &str, short: bool, mut call: impl FnMut() -> bool) {
    let before = ordinary_calls();
    for _ in 0..CALLS {
        check!(call(), "{what}");
    }
    // The question is a call, too.
    let ordinary = ordinary_calls().wrapping_sub(before) - 1;
    check_eq!(ordinary == 0, short && possible(), "{what}: {ordinary} went the ordinary way");
}

/// A call of `name` with so many words, which must be answered.
fn asks(name: CapName, tag: Tag) -> impl FnMut() -> bool {
    move || calls::call_short(name, tag, [3, 4]) == Ok((Tag::new(7, 2), [4, 3]))
}

fn words(count: u32) -> Tag {
    Tag::new(1, count)
}

/// A server in a space of its own, and then one beside the caller.
pub fn messages() {
    for home in [Home::new(), Home::own()] {
        let endpoint = endpoint();
        let name = match home.space() {
            CapName::NONE => endpoint.name(),
            _ => {
                home.give(SERVED, endpoint.name(), Rights::RECEIVE, 0);
                SERVED
            }
        };
        let start = |options, serve: fn(u32)| {
            let worker = Worker::spawn(&home, options, serve, name.0);
            check!(worker.reaches(State::Receiving));
            worker
        };
        let name = endpoint.name();
        Utcb::current().within((FOREVER, FOREVER), || {
            let worker = start(BESIDE, serve);
            for count in [0, 1, 2, 3, 4, 5, 62] {
                takes("words", true, asks(name, words(count)));
            }
            let badged = derived(name, Rights::SEND, 5, 0);
            takes("a derived capability", true, asks(badged.name(), words(0)));
            // Whoever waits at an endpoint is looked at once when a capability to it has ended.
            drop(badged);
            let answered = asks(name, words(0))();
            check!(answered, "behind a capability's end");
            takes("behind a capability's end, again", true, asks(name, words(0)));
            drop(self::endpoint());
            takes("behind another endpoint's end", true, asks(name, words(0)));
            Utcb::current().set(utcb::RANGES_COUNT, 0);
            takes("ranges", false, asks(name, words(0).with_ranges()));
            Utcb::current().within((0, 1000), || takes("a time limit", false, asks(name, words(0))));
            takes("as before", true, asks(name, words(0)));

            let second = start(BESIDE, serve);
            takes("two that wait", false, asks(name, words(0)));
            drop(second);
            let answered = asks(name, words(0))();
            check!(answered, "the one that is left");
            takes("one again", true, asks(name, words(0)));
            drop(worker);

            let worker = start(Options { fpu: true, ..BESIDE }, serve);
            takes("FPU use", false, asks(name, words(0)));
            drop(worker);
            let worker = start(ABOVE, serve);
            takes("another priority", false, asks(name, words(0)));
            drop(worker);
            let worker = start(BESIDE, serve_by_interrupt);
            takes("a partner that came in by INT", false, asks(name, words(0)));
            takes("a partner that came in by INT, words", false, asks(name, words(62)));
            drop(worker);
        });
    }
}

/// Notify and Receive of a notification.
pub fn signals() {
    let notification = notification();
    let name = notification.name().0;
    let notify = |name: u32, bits: u32| enter(Call::Notify as u32, [name, bits, 0, 0]).0 == 0;
    let wait = || enter(Call::Receive as u32, [name, 0, 0, 0]);
    takes("notify", true, || notify(name, 4));
    check_eq!(wait(), (0, [0, 0, 4, 0]));
    takes("notify and wait", true, || notify(name, 4) && wait() == (0, [0, 0, 4, 0]));
    let badged = derived(notification.name(), Rights::SEND, 2, 0);
    takes("a badge", true, || notify(badged.name().0, 4) && wait() == (0, [0, 0, 2, 0]));
    takes("nothing to wait for", false, || wait().0 != 0);
    takes("no right", false, || enter(Call::Receive as u32, [badged.name().0, 0, 0, 0]).0 != 0);
}

/// Notifications there and back, between the spaces of two threads and within one.
pub fn answers() {
    /// What the partner waits for, and what it sets then, in its space.
    const HEARS: CapName = CapName(8);
    const TELLS: CapName = CapName(9);
    fn echo(names: u32) {
        while let Ok(bits) = calls::wait(CapName(names & 0xFFF)) {
            let _ = calls::notify(CapName(names >> 12), bits);
        }
    }
    for home in [Home::new(), Home::own()] {
        let (there, back) = (notification(), notification());
        let names = match home.space() {
            CapName::NONE => [there.name(), back.name()],
            _ => {
                home.give(HEARS, there.name(), Rights::RECEIVE, 0);
                home.give(TELLS, back.name(), Rights::SEND, 0);
                [HEARS, TELLS]
            }
        };
        let start = |options| {
            let worker = Worker::spawn(&home, options, echo, names[0].0 | names[1].0 << 12);
            check!(worker.reaches(State::Waiting));
            worker
        };
        let round = || calls::notify(there.name(), 6) == Ok(()) && calls::wait(back.name()) == Ok(6);
        Utcb::current().within((FOREVER, FOREVER), || {
            let worker = start(BESIDE);
            takes("there and back", true, round);
            drop(endpoint());
            takes("behind another object's end", true, round);
            Utcb::current().within((0, 1000), || takes("a time limit", false, round));
            takes("as before", true, round);
            let second = start(BESIDE);
            takes("two that wait", false, round);
            drop((worker, second));
            let worker = start(BELOW);
            takes("one below, which is woken by what it has to wait for", false, round);
            drop(worker);
            let worker = start(ABOVE);
            takes("one above", false, round);
            drop(worker);
            let worker = start(Options { fpu: true, ..BESIDE });
            takes("FPU use", false, round);
            drop(worker);
        });
    }
}

fn serve(endpoint: u32) {
    serve_with(endpoint, enter);
}

fn serve_by_interrupt(endpoint: u32) {
    serve_with(endpoint, enter_by_interrupt);
}

/// Answers with the words the other way round.
fn serve_with(endpoint: u32, enter: impl Fn(u32, Registers) -> (u32, Registers)) {
    let mut received = enter(Call::Receive as u32, [endpoint, 0, 0, 0]);
    while let (0, [_, _, first, second]) = received {
        received = enter(Call::ReplyReceive as u32, [endpoint, Tag::new(7, 2).0, second, first]);
    }
}
