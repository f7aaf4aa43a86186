//! Pages mapped, mapped onward, granted, replaced and taken back.

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::info::State;
use freehold_abi::layout::{FRAME, utcb};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

use crate::gift::{Gift, own};
use crate::party::{THERE, at, granted, page, parties};

/// A page is mapped, mapped onward, and taken back.
pub fn mapped() {
    let gift = Gift::new(2);
    let ps = parties(2);
    let (a, b) = (&ps[0], &ps[1]);
    poke(own(0), 0x11);
    check_eq!(a.take(&[at(page(own(0), Rights::WRITE), THERE)]), Ok(()));
    check_eq!(a.read(THERE), Ok(0x11));
    check_eq!(a.write(THERE, 0x22), Ok(()));
    check_eq!(peek(own(0)), 0x22);
    check_eq!(a.pass(b, &[at(page(THERE, Rights::NONE), THERE + 0x1000)]), Ok(()));
    check_eq!(b.read(THERE + 0x1000), Ok(0x22));
    check!(b.write(THERE + 0x1000, 1).is_err(), "read-only");
    check_eq!((a.account().mappings, b.account().mappings), (1, 1));
    check_eq!(calls::fpage_unmap(page(own(0), Rights::NONE), false), Ok(()));
    check!(a.read(THERE).is_err() && b.read(THERE + 0x1000).is_err());
    check_eq!((a.account().mappings, b.account().mappings), (0, 0));
    check_eq!(peek(own(0)), 0x22, "the own mapping stays");
    drop(gift);
}

/// Rights never grow; they can be asked for again; they can be taken alone.
pub fn rights() {
    let _gift = Gift::new(1);
    let ps = parties(3);
    let (a, b, c) = (&ps[0], &ps[1], &ps[2]);
    let root = |rights| at(page(own(0), rights), THERE);
    check_eq!(a.take(&[root(Rights::NONE)]), Ok(()));
    check_eq!(a.pass(b, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check!(a.write(THERE, 1).is_err() && b.write(THERE, 1).is_err(), "neither has it, nor gives it");
    check_eq!(a.take(&[root(Rights::NONE)]), Ok(()), "again the same");
    check!(b.read(THERE).is_ok(), "what is there already stays as it is");
    check_eq!(a.take(&[root(Rights::WRITE)]), Ok(()), "the right is asked for again");
    check_eq!(a.write(THERE, 1), Ok(()));
    check!(b.read(THERE).is_err(), "what hung on the mapping without it is gone");
    check_eq!(a.take(&[root(Rights::NONE)]), Ok(()));
    check_eq!(a.write(THERE, 1), Ok(()), "asking for less takes nothing away");
    check_eq!(a.pass(b, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check_eq!(b.pass(c, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check_eq!((b.write(THERE, 2), c.write(THERE, 2)), (Ok(()), Ok(())));
    check_eq!(a.unmap(page(THERE, Rights::WRITE), false), Ok(()));
    check!(a.write(THERE, 3).is_ok() && b.write(THERE, 3).is_err() && c.write(THERE, 3).is_err());
    check!(b.read(THERE).is_ok() && c.read(THERE).is_ok(), "only the right is gone");
    check_eq!(a.unmap(page(THERE, Rights::WRITE), true), Ok(()));
    check!(a.write(THERE, 4).is_err() && a.read(THERE).is_ok());
    poke(own(0), 5);
    check_eq!(c.read(THERE), Ok(5));
    check_eq!(a.unmap(page(THERE, Rights::NONE), true), Ok(()));
    check!([a, b, c].iter().all(|party| party.read(THERE).is_err() && party.account().mappings == 0));
}

/// What is granted takes the giver's place.
pub fn grants() {
    let _gift = Gift::new(2);
    let ps = parties(3);
    let (a, b, c) = (&ps[0], &ps[1], &ps[2]);
    poke(own(0), 7);
    check_eq!(a.take(&[at(page(own(0), Rights::WRITE), THERE)]), Ok(()));
    check_eq!(a.pass(c, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check_eq!(a.pass(b, &[granted(page(THERE, Rights::WRITE), THERE + FRAME)]), Ok(()));
    check!(a.read(THERE).is_err(), "the giver has it no more");
    check_eq!((a.account().mappings, b.account().mappings, c.account().mappings), (0, 1, 1));
    check_eq!((b.write(THERE + FRAME, 8), c.read(THERE)), (Ok(()), Ok(8)));
    check_eq!(b.unmap(page(THERE + FRAME, Rights::NONE), false), Ok(()));
    check!(c.read(THERE).is_err(), "what hung on it hangs on it still");
    check_eq!(b.pass(c, &[at(page(THERE + FRAME, Rights::WRITE), THERE)]), Ok(()));
    check_eq!(b.pass(a, &[granted(page(THERE + FRAME, Rights::NONE), THERE)]), Ok(()), "with fewer rights");
    check!(a.write(THERE, 9).is_err() && c.write(THERE, 9).is_err(), "nothing that hangs on it has more");
    check_eq!((a.read(THERE), c.read(THERE)), (Ok(8), Ok(8)));
    // Onto something else, which goes with what hangs on it; and the root itself can be granted.
    check_eq!(b.take(&[at(page(own(1), Rights::WRITE), THERE)]), Ok(()));
    check_eq!(b.pass(a, &[granted(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check!(c.read(THERE).is_err() && b.read(THERE).is_err());
    check_eq!(a.write(THERE, 10), Ok(()));
    check_eq!(peek(own(1)), 10);
    check_eq!(b.take(&[granted(page(own(0), Rights::WRITE), THERE)]), Ok(()));
    check_eq!(b.write(THERE, 11), Ok(()));
    check_eq!(calls::fpage_unmap(Fpage::new(own(0), 1, 0), false), Ok(()));
    check_eq!(b.read(THERE), Ok(11), "a root that is granted is not the giver's to take back");
    check!(a.read(THERE).is_err());
}

/// Onto pages that are there already: another frame's go, with what hangs on them; the same frame's stay. Round in a
/// circle.
pub fn replaced() {
    let _gift = Gift::new(2);
    let ps = parties(2);
    let (a, b) = (&ps[0], &ps[1]);
    (0..2).for_each(|number| poke(own(number), 100 + number));
    check_eq!(a.take(&[at(page(own(0), Rights::WRITE), THERE)]), Ok(()));
    check_eq!(a.pass(b, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check_eq!(a.take(&[at(page(own(1), Rights::WRITE), THERE)]), Ok(()));
    check_eq!(a.read(THERE), Ok(101));
    check!(b.read(THERE).is_err());
    // Round: a → b → a, at the same place. The mapping of `a` is what `b`'s was made from, and stays.
    check_eq!(a.pass(b, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check_eq!(b.pass(a, &[at(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check_eq!((a.account().mappings, b.account().mappings), (1, 1));
    // Granted round: the mapping that it was made from goes, and with it what would have been granted.
    check_eq!(b.pass(a, &[granted(page(THERE, Rights::WRITE), THERE)]), Ok(()));
    check!(a.read(THERE).is_err() && b.read(THERE).is_err());
    check_eq!((a.account().mappings, b.account().mappings), (0, 0));
    // The same page twice in a message, and one granted and mapped.
    check_eq!(a.take(&[at(page(own(0), Rights::WRITE), THERE); 2]), Ok(()));
    check_eq!(a.account().mappings, 1);
    let both = [granted(page(THERE, Rights::WRITE), THERE), at(page(THERE, Rights::WRITE), THERE + FRAME)];
    check_eq!(a.pass(b, &both), Ok(()));
    check_eq!((a.account().mappings, b.account().mappings), (0, 1), "what was granted is no more there");
    check_eq!(b.read(THERE), Ok(100));
}

/// A chain between two spaces is as long as depths are, and one more is refused: so nothing of it outlives what it hangs
/// on.
pub fn chains() {
    let _gift = Gift::new(1);
    let ps = parties(2);
    let place = |step: u32| THERE + step * FRAME;
    check_eq!(ps[0].take(&[at(page(own(0), Rights::WRITE), place(1))]), Ok(()));
    let step = |number: u32| {
        let (from, to) = (&ps[(number as usize + 1) % 2], &ps[number as usize % 2]);
        from.pass(to, &[at(page(place(number), Rights::WRITE), place(number + 1))])
    };
    let mut last = 1;
    for number in 1..300 {
        let result = step(number);
        if number < 255 {
            check_eq!(result, Ok(()), "{number}");
            last = number + 1;
        } else if number == 255 {
            check_eq!(result, Err(Error::TooDeep));
        } else {
            check_eq!(result, Ok(()), "there is nothing to be mapped any more");
        }
    }
    check_eq!(ps[0].account().mappings + ps[1].account().mappings, 255);
    poke(own(0), 77);
    check_eq!((last, ps[0].read(place(last))), (255, Ok(77)));
    check_eq!(ps[0].pass(&ps[1], &[granted(page(place(last), Rights::WRITE), THERE)]), Ok(()), "no deeper");
    check_eq!(calls::fpage_unmap(page(own(0), Rights::NONE), false), Ok(()));
    check_eq!((ps[0].account().mappings, ps[1].account().mappings), (0, 0));
    for number in 0..=301 {
        check!(ps.iter().all(|party| party.read(place(number)).is_err()), "an alias at {number}");
    }
}

/// Receives one message, with a window of everything.
fn takes(from: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    check_eq!(calls::receive(CapName(from)).map(|got| got.message.items()), Ok(2));
}

/// Within a space an item could map on what the one before it brings, which was not there when it was found out how deep
/// that is and what it costs.
pub fn chained() {
    let _gift = Gift::new(2);
    let door = endpoint();
    let receiver = Worker::spawn(&Home::own(), ABOVE, takes, door.name().0);
    check_eq!(receiver.state(), State::Receiving);
    let had = calls::account(CapName::NONE);
    let send = |items: [MapItem; 2]| {
        let mut message = Message::new(0);
        items.iter().for_each(|&item| message.push_map(item));
        calls::send(door.name(), &message)
    };
    let [first, second] = [(0, 8), (8, 16)].map(|(from, to)| at(page(own(from), Rights::WRITE), own(to)));
    let wide = at(Fpage::new(own(8), 3, 1), own(16));
    for items in [[first, second], [granted(first.fpage, own(8)), second], [first, wide]] {
        check_eq!(send(items), Err(Error::BadItem));
        check_eq!(calls::account(CapName::NONE), had, "nothing stays");
    }
    check_eq!(send([second, first]), Ok(()), "there was nothing yet to be mapped on");
    check_eq!(calls::account(CapName::NONE).map(|own| own.mappings), had.map(|own| own.mappings + 1));
    check!(receiver.ends());
    check_eq!(calls::fpage_unmap(page(own(0), Rights::NONE), false), Ok(()));
}

/// An unmap of everything, of nothing, and of more than there is.
pub fn unmaps() {
    let _gift = Gift::new(8);
    let ps = parties(2);
    let (a, b) = (&ps[0], &ps[1]);
    let spread = |index: u32| MapItem {
        hot_spot: (THERE + index * 0x40_1000) / FRAME,
        ..at(page(own(index), Rights::WRITE), 0)
    };
    for index in 0..8 {
        check_eq!(a.take(&[spread(index)]), Ok(()));
        let there = THERE + index * 0x40_1000;
        check_eq!(a.pass(b, &[at(page(there, Rights::WRITE), there)]), Ok(()));
    }
    check_eq!((a.account().tables, a.account().mappings, b.account().mappings), (8, 8, 8));
    check_eq!(a.unmap(Fpage::NONE, true), Err(Error::BadAddress));
    check_eq!(a.unmap(Fpage::new(0x7000_0000, 10, 0), true), Ok(()), "there is nothing");
    check_eq!(
        a.unmap(Fpage::new(0x4000_0000, 10, 0), true),
        Ok(()),
        "what stands on Tables is not the pool's"
    );
    check_eq!(a.unmap(Fpage::new(0xC000_0000, 18, 0), true), Ok(()), "nor what lies beyond");
    check_eq!((a.account().mappings, b.account().mappings), (8, 8));
    check_eq!(a.unmap(Fpage::new(THERE, 11, 0), true), Ok(()), "the first two");
    check_eq!((a.account().mappings, b.account().mappings), (6, 6));
    check_eq!(a.unmap(Fpage(Fpage::WHOLE.0 & !7), true), Ok(()));
    check_eq!((a.account().mappings, b.account().mappings), (0, 0));
    check_eq!(a.account().tables, 8, "tables stay until the space ends");
}
