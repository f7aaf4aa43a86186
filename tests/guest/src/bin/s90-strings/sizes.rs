//! What arrives is what was sent: every size, every cut, every alignment, by every route.

use freehold_abi::info::State;
use freehold_abi::layout::{BLOCK, FOREVER, FRAME, STRING_BYTES_MAX, USER_END};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Error;
use freehold_rt::utcb::Part;

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES, Route, Way};
use crate::memory::{GUARD, arrived, byte, fill, guard};
use crate::order::{Order, part};
use crate::scene::{Place, Scene, whole};

const PLACES: [Place; 2] = [Place::Same, Place::Apart];
const PAGES: u32 = 20;

/// A string and a buffer, of all sizes and alignments, over the edges of pages and of 16 KiB.
pub fn sizes() {
    for place in PLACES {
        let scene = Scene::new(place, PAGES);
        let regions = [whole(&scene.to, PAGES)];
        for (index, bytes) in
            [1, 2, 3, 4, 5, 7, 64, 255, 256, 257, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_536]
                .into_iter()
                .enumerate()
        {
            let (odd, page) = (index as u32 % 4, FRAME - 1);
            for (from, to) in [(0, 0), (odd, 3), (page, odd), (page - odd, page - 1), (8, page - 2)] {
                let strings = [part(scene.from.base() + from, bytes)];
                let buffers = [part(scene.to.base() + to, bytes + (from & 1))];
                let route = ROUTES[(index + from as usize + to as usize) % ROUTES.len()];
                let letter = Letter::new(&strings, &buffers);
                scene.carry(route, &letter);
                let what = format_args!("{place:?} {route:?}: {bytes} bytes from {from} to {to}");
                scene.delivered(route, &letter, &regions, what);
            }
        }
    }
}

/// Cuts `bytes` bytes of the pages at `base` into `count` parts, with gaps of up to seven bytes before each.
fn cut(random: &mut Random, base: u32, bytes: u32, count: usize, parts: &mut [Part; 32]) -> usize {
    let (mut at, mut left) = (base, bytes);
    for (index, place) in parts.iter_mut().enumerate().take(count) {
        let behind = (count - 1 - index) as u32;
        let most = left - behind;
        let take =
            if behind == 0 { most } else { 1 + random.below((2 * most / (behind + 1)).clamp(1, most)) };
        at += random.below(8);
        *place = part(at, take);
        (at, left) = (at + take, left - take);
    }
    count
}

/// Lists of 1 to 32 parts a side, whose cuts do not agree; with all words.
pub fn cuts() {
    let words: [u32; 62] = core::array::from_fn(|index| 0xABCD_0000 + index as u32);
    let mut random = Random::new(0x5EED);
    for place in PLACES {
        let scene = Scene::new(place, PAGES);
        let regions = [whole(&scene.to, PAGES)];
        let counts = [(1, 1), (32, 32), (1, 32), (32, 1), (32, 31), (2, 3), (7, 32), (13, 5)];
        for (out, into) in counts {
            for route in ROUTES {
                let scale = random.one_of(&[3, 9, 13, 16]);
                let bytes = 32 + random.below(1 << scale);
                let (mut strings, mut buffers) = ([part(0, 0); 32], [part(0, 0); 32]);
                let out = cut(&mut random, scene.from.base() + 5, bytes, out, &mut strings);
                let into = cut(&mut random, scene.to.base() + 1, bytes, into, &mut buffers);
                // Only the last buffer may be larger than what comes.
                buffers[into - 1].bytes += random.below(3);
                let letter = Letter { words: &words, ..Letter::new(&strings[..out], &buffers[..into]) };
                scene.carry(route, &letter);
                let what = format_args!("{place:?} {route:?}: {bytes} bytes, {out} to {into} parts");
                scene.delivered(route, &letter, &regions, what);
            }
        }
    }
}

/// Over the edge between two Tables on both sides: what the copy window shows ends there, too.
pub fn edges() {
    for place in PLACES {
        let mut scene = Scene::new(place, 0);
        scene.from.back(1016, 20);
        scene.to.back(1016, 20);
        let (from, to) = (part(scene.from.page(1016), 20 * FRAME), part(scene.to.page(1016), 20 * FRAME));
        fill(from);
        guard(to);
        let (edge_from, edge_to) = (scene.from.base() + BLOCK, scene.to.base() + BLOCK);
        for (before, to_before, bytes) in
            [(1, 1, 2), (2, 1, 3), (4, 2, 8), (0, 5, 9), (5, 0, 9), (8191, 4097, 16_384), (16_000, 3, 32_768)]
        {
            for route in ROUTES {
                let strings = [part(edge_from - before, bytes)];
                let buffers = [part(edge_to - to_before, bytes)];
                let letter = Letter::new(&strings, &buffers);
                scene.carry(route, &letter);
                scene.delivered(
                    route,
                    &letter,
                    &[to],
                    format_args!("{place:?} {route:?}: {bytes} at {before}"),
                );
            }
        }
    }
}

/// From part to part to the same place of another Table: what the copy window showed there before is not used.
pub fn tables() {
    for place in PLACES {
        let mut scene = Scene::new(place, 0);
        let both = |base: u32| [base + 5 * FRAME, base + BLOCK + 5 * FRAME];
        for memory in [&mut scene.from, &mut scene.to] {
            memory.back(5, 2);
            memory.back(1024 + 5, 2);
        }
        let (from, to) = (both(scene.from.base()), both(scene.to.base()));
        let regions = to.map(|address| part(address, 2 * FRAME));
        from.map(|address| part(address, 2 * FRAME)).into_iter().for_each(fill);
        regions.into_iter().for_each(guard);
        let strings = [(0, 1), (1, 1), (0, 3001), (1, 3001), (0, 6001), (1, 6001)]
            .map(|(table, at): (usize, u32)| part(from[table] + at, 2000));
        let buffers = [(1, 2), (0, 2), (0, 3002), (1, 3002), (1, 6002), (0, 6002)]
            .map(|(table, at): (usize, u32)| part(to[table] + at, 2000));
        for route in ROUTES {
            let letter = Letter::new(&strings, &buffers);
            scene.carry(route, &letter);
            scene.delivered(route, &letter, &regions, format_args!("{place:?} {route:?}"));
        }
    }
}

/// As much as a message can have: 4 MiB, from and to odd addresses.
pub fn largest() {
    for (place, count) in [(Place::Apart, 1), (Place::Same, 32)] {
        let mut scene = Scene::new(place, 0);
        let pages = STRING_BYTES_MAX / FRAME + 1;
        scene.from.back(0, pages);
        scene.to.back(0, pages);
        let region = whole(&scene.to, pages);
        fill(whole(&scene.from, pages));
        guard(region);
        let (mut strings, mut random) = ([part(0, 0); 32], Random::new(77));
        let (from, to) = (scene.from.base() + 1, scene.to.base() + 2);
        cut(&mut random, from, STRING_BYTES_MAX - 512, count, &mut strings);
        strings[count - 1].bytes += 512;
        let buffers = [part(to, STRING_BYTES_MAX)];
        let letter = Letter { words: &[1, 2, 3, 4], ..Letter::new(&strings[..count], &buffers) };
        check_eq!(letter.bytes(), STRING_BYTES_MAX);
        let route = Route { way: Way::Call, sender_first: count == 1 };
        scene.carry(route, &letter);
        scene.delivered(route, &letter, &[region], format_args!("{place:?}"));
    }
}

/// The last bytes that programs have, in spaces whose page-table area lies elsewhere.
pub fn end_of_space() {
    const AREA: u32 = 0x9000_0000;
    let mut scene = Scene::in_homes([Home::with_area(AREA), Home::with_area(AREA)], 0);
    scene.from.hook_at(&scene.homes[0], USER_END / BLOCK - 1);
    scene.to.hook_at(&scene.homes[1], USER_END / BLOCK - 1);
    scene.from.back(1022, 2);
    scene.to.back(1022, 2);
    let (from, to) = (part(scene.from.page(1022), 2 * FRAME), part(scene.to.page(1022), 2 * FRAME));
    fill(from);
    guard(to);
    for (before, to_before, bytes) in
        [(1, 1, 1), (4, 4, 4), (5, 7, 5), (4097, 4099, 4097), (8192, 8192, 8192)]
    {
        for route in ROUTES {
            let strings = [part(USER_END - before, bytes)];
            let buffers = [part(USER_END - to_before, to_before)];
            scene.carry(route, &Letter::new(&strings, &buffers));
            let seen = |end: u32, before: u32| [part(end - before, bytes)];
            let (here, there) =
                (seen(from.address + from.bytes, before), seen(to.address + to.bytes, to_before));
            scene.receiver.check(Outcome::Done, format_args!("{route:?} {bytes}"));
            check!(arrived(&here, &there, bytes, &[to]), "{route:?} {bytes}");
            scene.part(route, format_args!("{route:?} {bytes}"));
        }
    }
}

/// Who accepts strings accepts messages without; and who accepts none, or too few bytes, gets none.
pub fn room() {
    for place in PLACES {
        let scene = Scene::new(place, 2);
        let (strings, buffers) = ([part(scene.from.base(), 100)], [part(scene.to.base(), 100)]);
        let letter = Letter::new(&strings, &buffers);
        for route in ROUTES {
            // Without strings.
            scene.meet(Route { sender_first: false, ..route }, &letter);
            let plain = match route.way {
                Way::Send => Order::send(scene.sender.door, 9),
                Way::Call => Order::call(scene.sender.door, 9),
                Way::Reply => Order::reply(9),
                Way::ReplyReceive => Order::reply_receive(scene.sender.door, 9),
            };
            scene.sender.go(&plain.words(&[5, 6, 7]));
            scene.receiver.check(Outcome::Done, format_args!("{route:?}"));
            check_eq!(scene.receiver.message(0), 9 << 16 | 3, "no strings in the tag");
            check_eq!(scene.receiver.message(3), 7);
            scene.part(route, format_args!("{route:?}"));
            // One byte too many; then to one that accepts none; then with room.
            let small =
                Letter { buffers: &[part(scene.to.base(), 60), part(scene.to.base() + 60, 39)], ..letter };
            for accepts in [true, false] {
                let inward = match accepts {
                    true => scene.inward(route, &small),
                    false if route.is_reply() => Order::call(scene.receiver.door, 1),
                    false => Order::receive(scene.receiver.door),
                };
                let no_room = Outcome::Failed(Error::NoRoom);
                let what = format_args!("{route:?} {accepts}");
                if route.is_reply() {
                    scene.have_called(&inward);
                    scene.sender.go(&scene.outward(route, &letter));
                    scene.sender.check(no_room, what);
                    scene.receiver.waits(State::AwaitingReply, what);
                    scene.sender.go(&Order::reply(3));
                    scene.sender.check(Outcome::Done, what);
                    scene.receiver.check(Outcome::Done, what);
                    continue;
                }
                if route.sender_first {
                    scene.meet(route, &letter);
                    scene.receiver.go(&inward);
                } else {
                    scene.receiver.go(&inward);
                    scene.sender.go(&scene.outward(route, &letter));
                }
                scene.sender.check(no_room, what);
                scene.serve_receiver(what);
            }
        }
        check!((0..2 * FRAME).all(|at| byte(scene.to.base() + at) == GUARD), "no byte has moved");
        // Of senders that have come before, the first that can is served.
        let crowded = Letter { strings: &[part(scene.from.base(), 101)], ..letter };
        scene.meet(ROUTES[1], &crowded);
        scene.receiver.go(&scene.inward(ROUTES[1], &letter).limits(FOREVER, 0));
        scene.sender.check(Outcome::Failed(Error::NoRoom), format_args!("queued"));
        scene.receiver.check(Outcome::Failed(Error::Timeout), format_args!("nobody else"));
    }
}
