//! A random walk over a region, against a naive model of what it holds.

use alloc::vec;
use alloc::vec::Vec;

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::pager::{self, Mode, PinError, Pinned, Region};

use crate::scene::{Paged, Scene, page};

const PAGES: u32 = 60;
const RESIDENT: u32 = 14;
const PINNED: u32 = 6;
const STEPS: u32 = 30_000;

/// Offsets of the words that are looked at in every page.
const OFFSETS: [u32; 5] = [0, 4, 1372, 2048, FRAME - 4];

/// Bytes of a range of whole pages.
const fn bytes(pages: u32) -> u32 {
    pages * FRAME
}

pub fn walk(mode: Mode) {
    let scene = Scene::new(mode, RESIDENT, PAGES, PINNED);
    let region = Region::new(page(0), PAGES).expect("a region");
    let walker = Paged::spawn(wander, 0x5EED);
    check!(walker.ends());
    let statistics = scene.statistics();
    check!(statistics.faults > STEPS / 10, "{statistics:?}");
    check!(statistics.evictions > STEPS / 10 && statistics.written > 1000 && statistics.read > 1000);
    check!(statistics.written < statistics.evictions, "clean pages are not written: {statistics:?}");
    check_eq!((statistics.pinned, statistics.pinned_most), (0, PINNED));
    drop(walker);
    drop(region);
}

fn wander(seed: u32) {
    let mut random = Random::new(seed);
    let mut model = vec![[0u32; OFFSETS.len()]; PAGES as usize];
    let mut guards: Vec<(u32, u32, Pinned)> = Vec::with_capacity(PINNED as usize);
    let (mut wrong, mut lost, mut refused) = (0, 0, 0);
    for step in 0..STEPS {
        let at = random.below(PAGES);
        let count = 1 + random.below((PAGES - at).min(5));
        match random.below(100) {
            0..50 => {
                let word = random.below(OFFSETS.len() as u32) as usize;
                wrong += u32::from(peek(page(at) + OFFSETS[word]) != model[at as usize][word]);
            }
            50..85 => {
                let word = random.below(OFFSETS.len() as u32) as usize;
                let value = step << 8 | at;
                poke(page(at) + OFFSETS[word], value);
                model[at as usize][word] = value;
            }
            85..90 => {
                let before = pager::statistics().map_or(0, |now| now.evictions);
                let evicted = pager::evict(page(at), bytes(count));
                let after = pager::statistics().map_or(0, |now| now.evictions);
                wrong += u32::from(evicted > count || after - before != evicted);
            }
            90..94 => {
                wrong += u32::from(pager::touch(page(at), bytes(count)) != Ok(()));
            }
            94..98 => match pager::pin(page(at) + 5, bytes(count) - 5) {
                Ok(guard) => guards.push((at, count, guard)),
                Err(PinError::Bound) => refused += 1,
                Err(_) => wrong += 1,
            },
            _ if guards.is_empty() => {}
            _ => drop(guards.swap_remove(random.below(guards.len() as u32) as usize)),
        }
        lost += guards.iter().filter(|(at, count, _)| !pager::resident(page(*at), bytes(*count))).count();
        let mut pinned = [false; PAGES as usize];
        guards.iter().for_each(|&(at, count, _)| pinned[at as usize..(at + count) as usize].fill(true));
        let distinct = pinned.iter().filter(|&&is| is).count() as u32;
        wrong += u32::from(pager::statistics().map(|now| now.pinned) != Ok(distinct) || distinct > PINNED);
        let present = (0..PAGES).filter(|&at| pager::resident(page(at), FRAME)).count() as u32;
        wrong += u32::from(present > RESIDENT);
    }
    check_eq!((wrong, lost), (0, 0));
    check!(refused > 10, "the bound was met {refused} times");
    guards.clear();
    for (at, words) in model.iter().enumerate() {
        for (word, offset) in OFFSETS.iter().enumerate() {
            check_eq!(peek(page(at as u32) + offset), words[word], "page {at}, {offset}");
        }
        check_eq!(peek(page(at as u32) + 8), 0, "page {at}, never written");
    }
}
