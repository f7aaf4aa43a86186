//! What copying costs: as many instructions as words, a constant for each piece of 16 KiB, and one more for what is
//! not short, which the kernel goes on with when it looks who is to run.
//!
//! What must hold: the cycle counter counts instructions (each turn of a REP is one), so a figure is the same in
//! every run; the least of several has no tick in it.

use freehold_abi::layout::{UNIT_BYTES, UNITS};
use freehold_guest_tests::worker::{ABOVE, BELOW, eventually};
use freehold_guest_tests::{check, scenario};
use freehold_rt::println;

use crate::actor::Outcome;
use crate::letter::{Letter, ROUTES};
use crate::order::part;
use crate::scene::{Place, Scene};

/// Bytes between two checks for interrupts.
const PIECE: u32 = UNITS * UNIT_BYTES;
/// Most instructions that a piece may cost beside the copy itself, and that going on with it may; and how many times as
/// much if the kernel's command line says that it is not optimised.
const PER_PIECE: u32 = 150;
const GOING_ON: u32 = 250;
const UNOPTIMISED: u32 = 20;

/// Instructions that sending `bytes` takes, from `from` on in the first page, to `to`.
fn cost(scene: &Scene, bytes: u32, from: u32, to: u32) -> u32 {
    let (strings, buffers) = ([part(scene.from.base() + from, bytes)], [part(scene.to.base() + to, bytes)]);
    let letter = Letter::new(&strings, &buffers);
    (0..5)
        .map(|_| {
            // It waits below; so what the sender measures is its own call and nothing else.
            scene.receiver.go(&scene.inward(ROUTES[0], &letter));
            check!(scene.receiver.worker().reaches(freehold_abi::info::State::Receiving));
            scene.sender.go(&scene.outward(ROUTES[0], &letter));
            scene.sender.check(Outcome::Done, format_args!("{bytes}"));
            check!(eventually(|| scene.receiver.outcome() == Outcome::Done));
            scene.sender.took()
        })
        .min()
        .unwrap_or(u32::MAX)
}

/// Each further piece costs its words and the constant, whatever the alignments, in one space and between two.
pub fn copies() {
    let times = if scenario::says("unoptimised") { UNOPTIMISED } else { 1 };
    for place in [Place::Apart, Place::Same] {
        let scene = Scene::at([ABOVE.priority, BELOW.priority], place.homes(), 20);
        let least = cost(&scene, 4, 0, 0);
        for (from, to) in [(0, 0), (1, 0), (3, 2), (4095, 4093)] {
            for pieces in [1, 2, 4] {
                let bytes = pieces * PIECE;
                let took = cost(&scene, bytes, from, to);
                let beside = took.saturating_sub(least).saturating_sub(bytes / 4);
                check!(took > bytes / 4, "{took} for {bytes} bytes: the counter does not count");
                check!(
                    beside <= times * (GOING_ON + pieces * PER_PIECE),
                    "{took} for {bytes} bytes, {least} for 4: {beside} beside"
                );
                if (from, to) == (0, 0) {
                    println!("  {place:?}: {bytes} bytes: {took} instructions; 4 bytes: {least}");
                }
            }
        }
    }
}
