//! A random walk: lists, missing pages, policies and pagers as they come, against a model of twenty lines.
//!
//! What must hold: all cuts and addresses are multiples of four, so that the model can tell to the byte where a copy
//! stops: no word straddles a page.

use freehold_abi::fault::RESUME;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::utcb::Part;

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES, Route};
use crate::memory::{Memory, arrived};
use crate::order::part;
use crate::scene::{Place, RECEIVER, SENDER, Scene, no_fault, whole};
use crate::torn::pair;

const PAGES: u32 = 24;
const MESSAGES: u32 = 400;

/// A list of up to 32 parts behind one another, of together `bytes` bytes.
fn list(random: &mut Random, base: u32, bytes: u32) -> ([Part; 32], usize) {
    let (mut parts, mut count) = ([part(0, 0); 32], 0);
    let (mut at, mut left) = (base + 4 * random.below(64), bytes);
    while left != 0 {
        let take = if count == 31 { left } else { left.min(4 * (1 + random.below(bytes / 8))) };
        parts[count] = part(at, take);
        (at, left, count) = (at + take + 4 * random.below(3), left - take, count + 1);
    }
    (parts, count)
}

/// Byte `at` of a list, and what follows it on the same page.
fn piece(list: &[Part], mut at: u32) -> Part {
    for whole in list {
        if at < whole.bytes {
            let address = whole.address + at;
            return part(address, (whole.bytes - at).min(FRAME - address % FRAME));
        }
        at -= whole.bytes;
    }
    unreachable!("inside the list")
}

/// The next fault from byte `at` on: the byte, whose it is, and the address. The sender's comes first.
fn next_fault(
    lists: [&[Part]; 2],
    missing: [u32; 2],
    bytes: u32,
    mut at: u32,
    memory: [&Memory; 2],
) -> Option<(u32, usize, u32)> {
    while at < bytes {
        let pieces = lists.map(|list| piece(list, at));
        let lacks = |&side: &usize| missing[side] >> memory[side].page_of(pieces[side].address) & 1 != 0;
        if let Some(side) = (0..2).find(lacks) {
            return Some((at, side, pieces[side].address));
        }
        at += pieces[0].bytes.min(pieces[1].bytes);
    }
    None
}

/// Every message comes to what the model says, after the faults that it says.
pub fn walk() {
    let mut random = Random::new(0x0A1_5EED);
    let (mut delivered, mut stopped) = (0, 0);
    for place in [Place::Apart, Place::Same, Place::SenderAbove, Place::ReceiverAbove] {
        let scene = Scene::new(place, PAGES);
        for _ in 0..MESSAGES / 4 {
            let route = random.one_of(&ROUTES);
            let arrives = message(&scene, route, &mut random);
            *(if arrives { &mut delivered } else { &mut stopped }) += 1;
        }
    }
    check_eq!(delivered + stopped, MESSAGES);
    check!(delivered > MESSAGES / 5 && stopped > MESSAGES / 5, "{delivered} delivered, {stopped} stopped");
}

fn message(scene: &Scene, route: Route, random: &mut Random) -> bool {
    let bytes = 4 * (8 + random.below(16_000));
    let (out, out_count) = list(random, scene.from.base(), bytes);
    let (mut into, into_count) = list(random, scene.to.base(), bytes);
    into[into_count - 1].bytes += random.below(9);
    let lists = [&out[..out_count], &into[..into_count]];
    let memory = [&scene.from, &scene.to];
    let often = random.below(5);
    let mut missing =
        [0, 1].map(|_| (0..PAGES).filter(|_| random.below(16) < often).map(|page| 1 << page).sum());
    for (memory, missing) in memory.into_iter().zip(missing) {
        pages(missing).for_each(|page| memory.remove(page, 1));
    }
    let removed = missing;
    let policy = |random: &mut Random| random.one_of(&[0, FOREVER, FOREVER, FOREVER, FOREVER]);
    let letter = Letter {
        words: &[1, 2, 3, 4],
        send_faults: (policy(random), policy(random)),
        receive_faults: (policy(random), policy(random)),
        ..Letter::new(lists[0], lists[1])
    };
    let rules = [
        letter.send_faults.0.min(letter.receive_faults.1),
        letter.receive_faults.0.min(letter.send_faults.1),
    ];
    let what = format_args!("{route:?} {bytes} bytes, missing {removed:x?}, rules {rules:x?}");
    scene.carry(route, &letter);
    let mut done = 0;
    let stop = loop {
        let Some((at, side, address)) = next_fault(lists, missing, bytes, done, memory) else { break None };
        if rules[side] == 0 {
            break Some((at, side, address));
        }
        let fault = scene.fault();
        let expected = ([SENDER, RECEIVER][side], address, 2 * side as u32);
        check_eq!(fault.map(|fault| (fault.who, fault.address, fault.access)), Some(expected), "{what}");
        if random.below(12) == 0 {
            // The pager drops it.
            no_fault(scene, what);
            break Some((at, side, address));
        }
        let page = memory[side].page_of(address);
        // Once in a while it answers too early, and is asked again.
        if random.below(8) != 0 {
            memory[side].restore(page, 1);
            missing[side] &= !(1 << page);
        }
        check_eq!(scene.answer(RESUME, &[]), Ok(()), "{what}");
        done = at;
    };
    for (memory, missing) in memory.into_iter().zip(missing) {
        pages(missing).for_each(|page| memory.restore(page, 1));
    }
    no_fault(scene, what);
    let Some((done, side, address)) = stop else {
        scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
        return true;
    };
    let (faulted, partner) = pair(scene, [SENDER, RECEIVER][side]);
    faulted.check(Outcome::Mine { address, done }, what);
    if side == 0 && !route.is_reply() {
        scene.serve_receiver(what);
    } else {
        partner.check(Outcome::Theirs { address, done }, what);
    }
    check!(arrived(lists[0], lists[1], done, &[whole(&scene.to, PAGES)]), "{what}");
    false
}

fn pages(bits: u32) -> impl Iterator<Item = u32> {
    (0..PAGES).filter(move |page| bits >> page & 1 != 0)
}

const _: () = assert!(PAGES * FRAME > 4 * (8 + 16_000) + 4 * 64 + 32 * 8 + 8 && PAGES < 32);
