//! Memory that is in a message more than once: as string and buffer, or in several strings.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::check;
use freehold_rt::utcb::Part;

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES};
use crate::memory::{byte, fill, pattern};
use crate::order::part;
use crate::scene::{Place, Scene, whole};

const PLACES: [Place; 2] = [Place::Same, Place::Apart];

/// A string and a buffer that are the same memory.
pub fn both_sides() {
    const BYTES: u32 = 20_000;
    const PAGES: u32 = 16;
    for place in PLACES {
        let scene = Scene::new(place, PAGES);
        if place == Place::Apart {
            scene.from.hook(&scene.homes[1]);
        }
        let base = scene.from.base() + 20_480;
        for distance in [0i32, -1, -4, -5, -4096, -19_999, 4, 5, 8, 4096, 16_384, 19_999] {
            for route in [ROUTES[0], ROUTES[1], ROUTES[2], ROUTES[4]] {
                let to = base.wrapping_add_signed(distance);
                fill(whole(&scene.from, PAGES));
                let (strings, buffers) = ([part(base, BYTES)], [part(to, BYTES)]);
                scene.carry(route, &Letter::new(&strings, &buffers));
                scene.receiver.check(Outcome::Done, format_args!("{route:?} {distance}"));
                scene.part(route, format_args!("{route:?} {distance}"));
                // What a copy byte by byte upwards makes of it: going up, it repeats what lies below the
                // overlap.
                let expected = |at: u32| {
                    let offset = at.wrapping_sub(to);
                    match distance {
                        _ if offset >= BYTES => pattern(at),
                        1.. => pattern(base + offset % distance as u32),
                        _ => pattern(base + offset),
                    }
                };
                let end = scene.from.page(PAGES);
                let right = (scene.from.base()..end).all(|at| byte(at) == expected(at));
                check!(right, "{place:?} {route:?} {distance}");
            }
        }
        // Nearer than a word: nobody says what arrives, but it arrives there and nowhere else.
        for distance in [1, 2, 3] {
            fill(whole(&scene.from, PAGES));
            let (strings, buffers) = ([part(base, BYTES)], [part(base + distance, BYTES)]);
            scene.carry(ROUTES[0], &Letter::new(&strings, &buffers));
            scene.receiver.check(Outcome::Done, format_args!("{distance}"));
            let outside = |at: u32| at.wrapping_sub(base + distance) >= BYTES;
            let end = scene.from.page(PAGES);
            check!((scene.from.base()..end).all(|at| !outside(at) || byte(at) == pattern(at)), "{distance}");
        }
    }
}

/// Strings of one message that share memory: each brings all of its bytes, whatever the others brought, by every
/// route, into one buffer and into buffers that are cut otherwise.
pub fn strings() {
    const PAGES: u32 = 20;
    for place in PLACES {
        let scene = Scene::new(place, PAGES);
        let (from, to) = (scene.from.base(), scene.to.base());
        let once = [part(from + 3, 5000)];
        let twice = [part(from + 3, 5000); 2];
        let often = [part(from + 4095, 2500); 32];
        let within = [part(from, 9000), part(from + 4090, 12), part(from + 8999, 1), part(from, 9000)];
        let by_one = [part(from, 4097), part(from + 4096, 4097), part(from + 8192, 4097)];
        // Each begins below where the one before it begins, and ends in its middle.
        let downwards: [Part; 32] =
            core::array::from_fn(|index| part(from + 20_000 - 300 * index as u32, 601));
        // The same in twos, with one left over at either end, so that no cut meets a cut of a buffer.
        let pieces: [Part; 32] = core::array::from_fn(|index| {
            part(from + 4100 - index as u32, if index == 0 || index == 31 { 1 } else { 2 })
        });
        let lists: [&[Part]; 7] = [&once, &twice, &often, &within, &by_one, &downwards, &pieces];
        for (index, strings) in lists.into_iter().enumerate() {
            let bytes: u32 = strings.iter().map(|part| part.bytes).sum();
            let one = [part(to + 1, bytes)];
            // The second half comes to lower addresses than the first.
            let halves = [part(to + 10 * FRAME + 1, bytes / 2), part(to + 2, bytes - bytes / 2)];
            // As many as there can be, of two bytes each, but for the last, which takes the rest.
            let many: [Part; 32] = core::array::from_fn(|index| {
                part(to + 8 * index as u32 + 1, if index == 31 { bytes - 62 } else { 2 })
            });
            let small: [Part; 31] = core::array::from_fn(|index| many[index]);
            let buffers: [&[Part]; 3] = [&one, &halves, if bytes == 62 { &small } else { &many }];
            for (cut, buffers) in buffers.into_iter().enumerate() {
                for route in ROUTES {
                    let letter = Letter::new(strings, buffers);
                    scene.carry(route, &letter);
                    let what = format_args!("{place:?} {route:?}: list {index}, cut {cut}");
                    scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
                }
            }
        }
    }
}
