//! Calls and items whose words are anything: what they are refused with is theirs to guess, but nothing else of the
//! program is harmed, and everything comes back.

use freehold_abi::designs::{FLUSH, Fpage, Operation};
use freehold_abi::layout::FRAME;
use freehold_abi::{Call, Tag};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{check_eq, scenario};
use freehold_rt::call::enter;
use freehold_rt::calls::range;
use freehold_rt::{CapName, Message, calls};

use crate::gift::{Gift, own};
use crate::party::{Party, THERE, parties};

/// Words near what means something, and words that are anything.
fn any(random: &mut Random, frames: &Frames) -> u32 {
    match random.below(8) {
        0 => random.word(),
        1 => own(random.below(16)) | random.below(2),
        2 => Fpage::new(own(random.below(16)), random.below(32), random.below(8)).0,
        3 => Fpage::new(THERE + random.below(64) * FRAME, random.below(6), random.below(8)).0,
        4 => frames.container().0,
        5 => range(frames.at(random.below(4)), 1 + random.below(4)),
        6 => random.below(FLUSH + 2),
        _ => 0,
    }
}

/// Sends up to eight items of any words.
fn send(random: &mut Random, frames: &Frames, party: &Party) {
    let items = 1 + random.below(8);
    let mut message = Message::with_tag(Tag::new(0, 0).with_items(items));
    for register in 1..=2 * items as usize {
        let word = any(random, frames);
        // Most of them are pages.
        let pages = u32::from(register % 2 == 1 && random.below(8) != 0) << 13;
        message.set_register(register, word | pages);
    }
    let _ = calls::call(party.endpoint(), &message);
}

/// A walk through all that can be said.
pub fn at_random() {
    let gift = Gift::new(16);
    let frames = Frames::take(8, 1);
    let ps = parties(2);
    let mut random = Random::new(0xF0);
    for _ in 0..if scenario::is_long() { 20_000 } else { 2000 } {
        if random.below(2) == 0 {
            let party = random.below(2) as usize;
            send(&mut random, &frames, &ps[party]);
            continue;
        }
        let operation =
            random.one_of(&[Operation::Give, Operation::Unmap, Operation::SetQuota, Operation::Account]);
        let mut words = [0; 4].map(|_: u32| any(&mut random, &frames));
        match operation {
            // Other roots are not the test's to give, and a table stays with its space.
            Operation::Give => {
                let page = random.below(32);
                let place = random.one_of(&[own(page), 0xC000_0000, pages::AT]);
                let container = random.one_of(&[frames.container().0, 0]);
                let range = range(frames.at(random.below(4)), 1 + random.below(4));
                words = [container, range, 0, place | random.below(2)];
            }
            Operation::SetQuota => words[0] = ps[random.below(2) as usize].home.space().0,
            _ => {}
        }
        let _ = enter(Call::Design as u32 | (operation as u32) << 8, words);
    }
    // What was given in between is where the roots say; and the pool still works.
    drop(frames);
    check_eq!(calls::fpage_unmap(Fpage(Fpage::WHOLE.0 & !7), true), Ok(()));
    check_eq!(calls::account(CapName::NONE).map(|account| account.mappings), Ok(0));
    drop((ps, gift));
    let gift = Gift::new(1);
    poke(own(0), 3);
    check_eq!(peek(own(0)), 3);
    drop(gift);
}
