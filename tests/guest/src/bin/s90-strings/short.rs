//! The edges of the short path: what is taken, and what a Call with one string comes to where that path gives up in the
//! middle.
//!
//! What must hold: a copy that gives up goes on behind its last byte, from what the call has read. Anything else shows
//! where the string, or the list that names it, lies in what is written to.

use freehold_abi::error::status;
use freehold_abi::info::{Kernel, State};
use freehold_abi::layout::{FOREVER, FRAME, STRING_BYTES_MAX, utcb};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{ABOVE, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::{CapName, Error, Rights, Utcb, calls};

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES};
use crate::memory::{GUARD, Memory, byte, fill, guard, pattern, set_byte};
use crate::order::{Order, part};
use crate::scene::{Fault, Place, SENDER, Scene, no_fault, whole};

/// A string that moves down within the memory in which it lies, by less than its length: through a tick, since it takes
/// longer than one; and through a fault.
pub fn moved_down() {
    const PAGES: u32 = STRING_BYTES_MAX / FRAME + 2;
    const MISSING: u32 = 300;
    for place in [Place::Same, Place::Apart] {
        let scene = Scene::new(place, PAGES);
        if place == Place::Apart {
            scene.from.hook(&scene.homes[1]);
        }
        let (from, to) = (scene.from.base() + FRAME + 3, scene.from.base() + 1);
        for missing in [false, true] {
            let what = format_args!("{place:?} {missing}");
            fill(whole(&scene.from, PAGES));
            let (strings, buffers) = ([part(from, STRING_BYTES_MAX)], [part(to, STRING_BYTES_MAX)]);
            if missing {
                scene.from.remove(MISSING, 1);
            }
            scene.carry(ROUTES[2], &Letter::new(&strings, &buffers).patient());
            if missing {
                let fault = Fault { who: SENDER, address: scene.from.page(MISSING), access: 0 };
                check_eq!(scene.fault(), Some(fault), "{what}");
                scene.from.restore(MISSING, 1);
                scene.resume();
            }
            no_fault(&scene, what);
            scene.receiver.check(Outcome::Done, what);
            let right = (0..STRING_BYTES_MAX).all(|at| byte(to + at) == pattern(from + at));
            check!(right, "each byte is moved once: {what}");
            scene.part(ROUTES[2], what);
        }
    }
}

/// The first bytes of a string are written over the list that names it, and its last page is missing.
pub fn over_the_list() {
    const BYTES: u32 = 1024;
    const BEHIND: u32 = 200;
    let scene = Scene::new(Place::Same, 2);
    // Whatever is read anew is wrong, but for limits.
    (0..2 * FRAME).for_each(|at| set_byte(scene.from.base() + at, 0xFF));
    let list = scene.sender.worker().utcb();
    for missing in [false, true] {
        let what = format_args!("{missing}");
        let (strings, buffers) = ([part(scene.from.page(1) - (BYTES - BEHIND), BYTES)], [part(list, BYTES)]);
        if missing {
            scene.from.remove(1, 1);
        }
        scene.carry(ROUTES[2], &Letter::new(&strings, &buffers).patient());
        if missing {
            let fault = Fault { who: SENDER, address: scene.from.page(1), access: 0 };
            check_eq!(scene.fault(), Some(fault), "{what}");
            scene.from.restore(1, 1);
            scene.resume();
        }
        no_fault(&scene, what);
        scene.receiver.check(Outcome::Done, what);
        check_eq!(scene.receiver.after(utcb::ARRIVED), BYTES, "{what}");
        check!((0..BYTES).all(|at| byte(list + at) == 0xFF), "{what}");
        scene.part(ROUTES[2], what);
    }
}

/// Behind a copy that gives up, another Table is where the buffer lies: what was seen through the window is not used.
pub fn hooked_anew() {
    const BYTES: u32 = 1024;
    let mut scene = Scene::at([MAIN_PRIORITY; 2], [Home::own(), Home::new()], 2);
    scene.to.back(1024, 1);
    fill(whole(&scene.from, 2));
    scene.from.remove(1, 1);
    let buffer = part(scene.to.base(), 2 * FRAME);
    scene.receiver.go(&Order::receive(scene.receiver.door).accept(&[buffer], (0, 0)));
    check!(scene.receiver.worker().reaches(State::Receiving));
    let (utcb, door) = (Utcb::current(), scene.door.name().0);
    let loads = || calls::kernel_info(Kernel::SpaceSwitches).expect("a number");
    // The first thread calls, which is current afterwards, too: nothing but the kernel's own care flushes.
    utcb.set_strings(&[part(scene.from.base(), 2 * FRAME)]);
    utcb.set_send_faults(0, 0);
    let before = loads();
    let tag = Tag::new(1, 0).with_strings().0;
    let (failed, [_, _, done, address]) =
        utcb.within((FOREVER, FOREVER), || enter(Call::Call as u32, [door, tag, 0, 0]));
    check_eq!((status(failed), done, address), (Err(Error::FaultMine), FRAME, scene.from.page(1)));
    check!(loads() != before, "what the window showed is flushed");
    let before = loads();
    scene.to.hook_crosswise(&scene.homes[1]);
    check_eq!(loads(), before, "what is hooked elsewhere flushes nothing here");
    guard(part(scene.to.page(0), FRAME));
    guard(part(scene.to.page(1024), FRAME));
    utcb.set_strings(&[part(scene.from.base(), BYTES)]);
    let (sent, _) = utcb.within((FOREVER, FOREVER), || enter(Call::Send as u32, [door, tag, 0, 0]));
    check_eq!(status(sent), Ok(()));
    check!(scene.receiver.worker().ends());
    scene.receiver.check(Outcome::Done, format_args!("the second message"));
    let arrived = |at| byte(scene.to.page(1024) + at) == pattern(scene.from.base() + at);
    check!((0..BYTES).all(arrived), "it is where the buffer is now");
    check!((0..FRAME).all(|at| byte(scene.to.page(0) + at) == GUARD), "and not where it was");
    scene.from.restore(1, 1);
}

/// One string, and a first buffer that holds it, or does not quite; beside all numbers of words.
pub fn first_buffers() {
    let words: [u32; 62] = core::array::from_fn(|index| 0x5EED_0000 + index as u32);
    for place in [Place::Same, Place::Apart] {
        let scene = Scene::new(place, 2);
        let regions = [whole(&scene.to, 2)];
        let to = scene.to.base();
        let lists = [
            [part(to + 1, 100), part(to + 200, 50)],
            [part(to + 1, 101), part(to + 200, 50)],
            [part(to + 1, 99), part(to + 200, 1)],
            [part(to + 200, 50), part(to, 100)],
        ];
        for (index, count) in [0, 1, 2, 3, 4, 30, 62].into_iter().enumerate() {
            let strings = [part(scene.from.base() + index as u32, 100)];
            for buffers in &lists {
                let letter = Letter { words: &words[..count], ..Letter::new(&strings, buffers) };
                scene.carry(ROUTES[2], &letter);
                let what = format_args!("{place:?}: {count} words, {buffers:?}");
                scene.delivered(ROUTES[2], &letter, &regions, what);
            }
        }
    }
}

/// The endpoint of [`serve`], in its space.
const SERVED: CapName = CapName(9);
/// Pages of the server's buffer.
const BUFFER: u32 = 17;

/// Answers with a string of so many bytes of its buffer, which lies at `base`, as the first word says; 0: with none.
fn serve(base: u32) {
    let utcb = Utcb::current();
    // SAFETY: pages mapped for this and used for nothing else.
    unsafe { utcb.set_buffers(&[part(base, BUFFER * FRAME)]) };
    utcb.set_limits((FOREVER, FOREVER));
    let mut received = enter(Call::Receive as u32 | ACCEPT << 8, [SERVED.0, 0, 0, 0]);
    while let (0, [_, _, bytes, _]) = received {
        utcb.set_strings(&[part(base, bytes)]);
        let tag = if bytes == 0 { Tag::new(2, 0) } else { Tag::new(2, 0).with_strings() };
        received = enter(Call::ReplyReceive as u32 | ACCEPT << 8, [SERVED.0, tag.0, bytes, 0]);
    }
}

/// Of a string there, one back, or both, no call goes the ordinary way, if there is a short one at all.
pub fn taken() {
    let home = Home::new();
    let door = endpoint();
    home.give(SERVED, door.name(), Rights::RECEIVE, 0);
    let (mut from, mut to) = (Memory::new(300, &Home::own()), Memory::new(320, &home));
    // Over the edge between two Tables.
    from.back(1020, 2 * BUFFER + 4);
    to.back(1020, BUFFER);
    let (source, back) = (from.page(1020), from.page(1020 + BUFFER + 2));
    let options = Options { priority: MAIN_PRIORITY, ..ABOVE };
    let server = Worker::spawn(&home, options, serve, to.page(1020));
    check!(server.reaches(State::Receiving));
    let ordinary = || calls::kernel_info(Kernel::OrdinaryCalls).unwrap_or(0);
    let count = |work: &mut dyn FnMut()| {
        let before = ordinary();
        work();
        // The first question is a call, too.
        ordinary().wrapping_sub(before) - 1
    };
    let each = count(&mut || assert_eq!(calls::null(), Ok(())));
    let utcb = Utcb::current();
    for bytes in [1, 2, 3, 4, 5, 64, 4095, 4096, 16_383, 16_384, 16_385, 16 * FRAME, 16 * FRAME + 1] {
        for (sends, accepts) in [(true, false), (true, true), (false, true), (false, false)] {
            let what = format_args!("{bytes} bytes, {sends} {accepts}");
            let (string, buffer) = (part(source + bytes % 4, bytes), part(back + bytes % 3, bytes));
            utcb.set_strings(&[string]);
            // SAFETY: pages mapped for this and used for nothing else.
            unsafe { utcb.set_buffers(&[buffer]) };
            let tag = if sends { Tag::new(1, 1).with_strings() } else { Tag::new(1, 1) };
            let accept = if accepts { ACCEPT << 8 } else { 0 };
            // An interrupt can hit one of them.
            let least = (0..3).map(|_| {
                fill(string);
                guard(part(back, bytes + 4));
                count(&mut || {
                    let registers = [door.name().0, tag.0, if accepts { bytes } else { 0 }, 0];
                    let (status, _) =
                        utcb.within((FOREVER, FOREVER), || enter(Call::Call as u32 | accept, registers));
                    check_eq!(status, 0, "{what}");
                })
            });
            check_eq!(least.min(), Some(2 * each), "{what}");
            if sends {
                check!(
                    (0..bytes).all(|at| byte(to.page(1020) + at) == pattern(string.address + at)),
                    "{what}"
                );
            }
            let came = |at| byte(buffer.address + at) == byte(to.page(1020) + at);
            check!(!accepts || (0..bytes).all(came), "{what}");
        }
    }
    check_eq!(server.state(), State::Receiving);
}
