//! user-tables with credits switched off: whoever would be refused for want of credits is not.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, info, notification};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Lend, ThreadPlace};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb};

use crate::scene::{FROM, tell, told};

/// Capabilities: more children than there are credits for, larger ones, and all of them revoked.
pub fn capabilities() {
    let bits = notification();
    let source = derived(bits.name(), Rights::ALL, 0, 1);
    let children: [Slot; 6] =
        core::array::from_fn(|index| derived(source.name(), Rights::ALL, 0, index as u32));
    let below = derived(children[0].name(), Rights::ALL, 0, 9);
    check!(info(below.name()).depth > info(source.name()).depth);
    check_eq!(calls::revoke(source.reference()), Ok(()));
    let gone =
        children.iter().chain([&below]).all(|slot| info(slot.name()).kind == freehold_abi::info::Kind::Empty);
    check!(gone);
    check_eq!(calls::notify(source.name(), 1), Ok(()));
}

/// Mappings: onward from one that was made with a total of 0.
pub fn mappings() {
    let frames = Frames::take(1, 1);
    check_eq!(pages::map(&frames, pages::address(0), Rights::WRITE, 0), Ok(()));
    for page in 1..300 {
        let update = pages::update(
            (pages::table(), page - 1),
            1,
            CapName::NONE,
            pages::address(page) / 4096,
            Rights::WRITE,
            1,
        );
        let expected = if page < 63 { Ok(()) } else { Err(Error::TooDeep) };
        check_eq!(calls::update(&[update]).map_err(|stop| stop.error), expected, "{page}");
        if expected.is_err() {
            break;
        }
    }
    poke(pages::address(62), 62);
    check_eq!(peek(pages::address(0)), 62);
    check_eq!(calls::revoke_range(pages::table(), 0, 1).map_err(|stop| stop.error), Ok(()));
    poke(pages::address(0), 1);
    check_eq!(calls::unmap(CapName::NONE, pages::address(0) / 4096, 300).map_err(|stop| stop.error), Ok(()));
}

/// A UTCB has one mapping all the same: its total of 0 is a bound (docs/invariants.md: 1). Once that is taken back, none.
pub fn utcbs() {
    let (frames, thread) = (Frames::take(2, 1), Slot::take().expect("a slot"));
    let place = ThreadPlace {
        container: frames.container(),
        thread: frames.at(0),
        utcb: frames.at(1),
        space: CapName::NONE,
        address: pages::address(7),
        fpu: false,
    };
    check_eq!(calls::make_thread(place, thread.reference()), Ok(()));
    let again = |source, code| {
        let update = pages::update(source, 1, CapName::NONE, pages::address(8) / FRAME, Rights::WRITE, code);
        calls::update(&[update]).map_err(|stop| stop.error)
    };
    for code in [0, 1, 63] {
        check_eq!(again((pages::table(), 7), code), Err(Error::NoCredits), "{code}");
        check_eq!(again((frames.container(), frames.at(1)), code), Err(Error::EmptySource), "{code}");
    }
    let words = Frames::take(1, 1);
    check_eq!(pages::map(&words, pages::address(9), Rights::WRITE, 0), Ok(()));
    poke(pages::address(9), pages::address(7) | Rights::WRITE.bits());
    let named = calls::validate(pages::table(), 8, 1, pages::address(9)).map_err(|stop| stop.error);
    check_eq!(named, Err(Error::NoCredits));
    poke(pages::address(7), 7);
    check_eq!(calls::unmap(CapName::NONE, pages::address(7) / FRAME, 1).map_err(|stop| stop.error), Ok(()));
    check_eq!(again((pages::table(), 7), 0), Err(Error::EmptySource));
    check_eq!(calls::unmap(CapName::NONE, pages::address(9) / FRAME, 1).map_err(|stop| stop.error), Ok(()));
}

/// Memory lent with a total of 1, lent on with more, and objects made of it whose nodes have more.
pub fn lent() {
    let frames = Frames::take(16, 4);
    let (lent, onward) = (Slot::take().expect("a slot"), Slot::take().expect("a slot"));
    let part = calls::range(frames.at(0), 16);
    check_eq!(
        calls::lend(frames.container(), lent.reference(), Rights::ALL, part, Lend::exactly(1), 1),
        Ok(())
    );
    check_eq!(
        calls::lend(lent.name(), onward.reference(), Rights::ALL, calls::range(0, 16), Lend::LARGEST, 40),
        Ok(())
    );
    let space = Slot::take().expect("a slot");
    let area = freehold_abi::info::place::AREA;
    check_eq!(calls::make_space(onward.name(), 0, space.reference(), area, 8), Ok(()));
    check_eq!(calls::make_table(onward.name(), 4, SlotRef::default(), space.name()), Ok(()));
    let copies: [Slot; 5] = core::array::from_fn(|_| derived(space.name(), Rights::ALL, 0, 3));
    check_eq!(copies.iter().filter(|copy| info(copy.name()).total >= 3).count(), 5);
    drop(copies);
}

/// A capability item whose source cannot pay.
pub fn items() {
    fn gives(_: u32) {
        let mut message = Message::new(1);
        for _ in 0..4 {
            message.push_item(freehold_abi::message::Item {
                source: CapName(30),
                moved: false,
                rights: Rights::ALL,
                total: 5,
            });
        }
        tell(0, calls::send(FROM, &message));
    }
    board::clear();
    let (home, bits, endpoint) = (Home::new(), notification(), endpoint());
    home.give(CapName(30), bits.name(), Rights::SEND, 0);
    home.give(FROM, endpoint.name(), Rights::SEND, 0);
    let giver = Worker::spawn(&home, ABOVE, gives, 0);
    let place = Home::new();
    place.give(FROM, endpoint.name(), Rights::RECEIVE, 0);
    let receives = |_| {
        Utcb::current().set_slots(CapName(70), 4);
        board::set(1, calls::receive(FROM).map_or(99, |got| got.message.items()));
    };
    let receiver = Worker::spawn(&place, ABOVE, receives, 0);
    check!(giver.ends() && receiver.ends());
    check_eq!((told(0), board::get(1)), (Some(Ok(())), 4));
}

/// There is nothing else of the designs with a pool.
pub fn calls_are_unknown() {
    check_eq!(calls::distrust(CapName::NONE, None), Err(Error::UnknownCall));
    check_eq!(calls::propagate(Ok(())), Err(Error::UnknownCall));
    check_eq!(calls::set_quota(CapName::NONE, 0), Err(Error::UnknownCall));
}
