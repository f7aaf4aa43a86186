//! Stopped transfers that go on where they stopped, and transfers through a fault at every page.

use freehold_abi::fault::ACCESS_WRITE;
use freehold_abi::layout::FRAME;
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::utcb::Part;

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES};
use crate::memory::arrived;
use crate::order::part;
use crate::scene::{Fault, Place, RECEIVER, SENDER, Scene, whole};

const PAGES: u32 = 12;

/// Cuts all of `region` into `count` parts, one behind the other with a gap of a byte.
fn cut(random: &mut Random, region: Part, count: u32) -> [Part; 16] {
    let mut parts = [part(0, 0); 16];
    let (mut at, end) = (region.address, region.address + region.bytes);
    for (index, place) in parts.iter_mut().enumerate().take(count as usize) {
        let share = (end - at) / (count - index as u32);
        let bytes = if index as u32 + 1 == count { end - at } else { share / 2 + random.below(share / 2) };
        *place = part(at, bytes);
        at += bytes + 1;
    }
    parts
}

/// What is left of a list behind its first `done` bytes.
fn rest(parts: &[Part], mut done: u32) -> impl Iterator<Item = Part> {
    parts.iter().filter_map(move |&whole| {
        let skip = done.min(whole.bytes);
        done -= skip;
        (skip < whole.bytes).then(|| part(whole.address + skip, whole.bytes - skip))
    })
}

fn collect(parts: impl Iterator<Item = Part>) -> ([Part; 16], usize) {
    let (mut list, mut count) = ([part(0, 0); 16], 0);
    for one in parts {
        list[count] = one;
        count += 1;
    }
    (list, count)
}

fn bytes(parts: &[Part]) -> u32 {
    parts.iter().map(|part| part.bytes).sum()
}

/// Nobody waits for any fault. Where both learn how far it came (a reply; a request whose receiver lacks the page),
/// both name the rest, as often as a page is missing on either side, and the whole arrives.
pub fn at_done() {
    for place in [Place::Apart, Place::Same] {
        let (scene, mut random) = (Scene::new(place, PAGES), Random::new(0xD0E));
        for route in ROUTES {
            for cuts in [(1, 1), (3, 5), (16, 7)] {
                let what = format_args!("{place:?} {route:?} {cuts:?}");
                let out = cut(&mut random, part(scene.from.base() + 3, (PAGES - 1) * FRAME), cuts.0);
                let into = cut(&mut random, part(scene.to.base() + 5, (PAGES - 1) * FRAME + 64), cuts.1);
                let (out, into) = (&out[..cuts.0 as usize], &into[..cuts.1 as usize]);
                (0..PAGES).for_each(|page| scene.to.remove(page, 1));
                // A request whose sender lacks a page begins again at its first byte.
                if route.is_reply() {
                    (0..PAGES).for_each(|page| scene.from.remove(page, 1));
                }
                let (mut done, mut stops, mut sent) = (0, 0, false);
                while !sent && stops < 3 * PAGES {
                    let (strings, strings_count) = collect(rest(out, done));
                    let (buffers, buffers_count) = collect(rest(into, done));
                    let letter = Letter::new(&strings[..strings_count], &buffers[..buffers_count]);
                    scene.carry(route, &letter);
                    let (address, more) = match scene.receiver.outcome() {
                        Outcome::Done => {
                            sent = true;
                            continue;
                        }
                        Outcome::Mine { address, done } => {
                            scene.sender.check(Outcome::Theirs { address, done }, what);
                            scene.to.restore(scene.to.page_of(address), 1);
                            (address, done)
                        }
                        Outcome::Theirs { address, done } => {
                            scene.sender.check(Outcome::Mine { address, done }, what);
                            scene.from.restore(scene.from.page_of(address), 1);
                            (address, done)
                        }
                        other => {
                            check!(false, "{other:?}: {what}");
                            break;
                        }
                    };
                    check!(address.is_multiple_of(FRAME) || done == 0, "{address:#x} {what}");
                    done += more;
                    stops += 1;
                }
                check!(sent, "{what}");
                scene.part(route, what);
                // Where not even the first part of a list begins there, a page was never missed.
                let missing = |side: u32| {
                    let (list, memory) = if side == SENDER { (out, &scene.from) } else { (into, &scene.to) };
                    touched(list, bytes(out), |page| memory.page_of(page))
                };
                let pages = missing(RECEIVER) + if route.is_reply() { missing(SENDER) } else { 0 };
                check_eq!(stops, pages, "a stop for each page: {what}");
                restore_untouched(&scene, route.is_reply(), out, into);
                check!(arrived(out, into, bytes(out), &[whole(&scene.to, PAGES)]), "{what}");
            }
        }
    }
}

/// How many pages the first `bytes` of a list touch.
fn touched(list: &[Part], bytes: u32, page_of: impl Fn(u32) -> u32) -> u32 {
    (0..PAGES).filter(|&page| touches(list, bytes, page, &page_of)).count() as u32
}

fn touches(list: &[Part], mut bytes: u32, page: u32, page_of: impl Fn(u32) -> u32) -> bool {
    list.iter().any(|part| {
        let take = part.bytes.min(bytes);
        bytes -= take;
        take != 0 && (page_of(part.address)..=page_of(part.address + take - 1)).contains(&page)
    })
}

/// Puts the pages back that no byte has touched.
fn restore_untouched(scene: &Scene, both: bool, out: &[Part], into: &[Part]) {
    for page in 0..PAGES {
        if !touches(into, bytes(out), page, |address| scene.to.page_of(address)) {
            scene.to.restore(page, 1);
        }
        if both && !touches(out, bytes(out), page, |address| scene.from.page_of(address)) {
            scene.from.restore(page, 1);
        }
    }
}

/// Every page is missing on both sides, and waited for: the pager is called once for each, and all arrives.
pub fn every_page() {
    for place in [Place::Apart, Place::Same] {
        let (scene, mut random) = (Scene::new(place, PAGES), Random::new(0xE7E));
        for route in ROUTES {
            for cuts in [(1, 1), (2, 9), (16, 16)] {
                let what = format_args!("{place:?} {route:?} {cuts:?}");
                let out = cut(&mut random, part(scene.from.base() + 1, (PAGES - 1) * FRAME), cuts.0);
                let into = cut(&mut random, part(scene.to.base() + 2, (PAGES - 1) * FRAME + 64), cuts.1);
                let (out, into) = (&out[..cuts.0 as usize], &into[..cuts.1 as usize]);
                (0..PAGES).for_each(|page| scene.from.remove(page, 1));
                (0..PAGES).for_each(|page| scene.to.remove(page, 1));
                let letter = Letter { words: &[4, 3, 2, 1], ..Letter::new(out, into).patient() };
                scene.carry(route, &letter);
                let mut faults = [0; 2];
                while let Some(Fault { who, address, access }) = scene.fault() {
                    let side = usize::from(who == RECEIVER);
                    let memory = [&scene.from, &scene.to][side];
                    check_eq!(access, [0, ACCESS_WRITE][side], "{what}");
                    memory.restore(memory.page_of(address), 1);
                    faults[side] += 1;
                    scene.resume();
                }
                let expected = [
                    touched(out, bytes(out), |address| scene.from.page_of(address)),
                    touched(into, bytes(out), |address| scene.to.page_of(address)),
                ];
                check_eq!(faults, expected, "{what}");
                restore_untouched(&scene, true, out, into);
                scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
            }
        }
    }
}
