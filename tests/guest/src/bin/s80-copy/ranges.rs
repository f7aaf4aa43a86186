//! Ranges: exactly what was declared, by whom, for as long as the call lasts.

use freehold_abi::layout::{FRAME, USER_END};
use freehold_guest_tests::pages::{self, AT, Frames};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Copied};
use freehold_rt::slots::Slot;
use freehold_rt::{Error, Message, Rights, Utcb};

use crate::client::{Client, DATA, all, fetch, range, store};

fn stopped(error: Error) -> impl Fn(Copied) -> bool {
    move |copied| copied.done == 0 && copied.stop.is_some_and(|stop| stop.0 == error)
}

pub fn bounds() {
    let client = Client::new();
    let (theirs, own) = (Frames::take(2, 1), Frames::take(2, 1));
    client.map(&theirs, 0, Rights::WRITE);
    check_eq!(pages::map(&own, AT, Rights::WRITE, 0), Ok(()));
    let bad = stopped(Error::BadRange);
    client.call(&[range(DATA + 100, 1000, false), range(DATA + 2000, 16, true)]);
    check_eq!(fetch(0, AT, 1000), all(1000));
    check_eq!(fetch(1000, AT, 0), all(0));
    for (offset, bytes) in [
        (0, 1001),
        (1, 1000),
        (999, 2),
        (1000, 1),
        (1001, 0),
        (u32::MAX, 1),
        (u32::MAX, 0),
        (5, u32::MAX),
        (1 << 31, 1 << 31),
    ] {
        check!(bad(fetch(offset, AT, bytes)), "{offset:#x} {bytes:#x}");
    }
    check!(bad(store(0, AT, 1)), "not writable");
    let second = |offset, bytes| calls::copy_out(None, 1, offset, AT, bytes);
    check_eq!((second(0, 16), second(15, 1)), (all(16), all(1)));
    check!(bad(second(0, 17)) && bad(second(16, 1)));
    for index in 2..16 {
        // SAFETY: nothing is copied; the page is the test's.
        check!(bad(unsafe { calls::copy_in(None, index, 0, AT, 1) }), "range {index}");
    }
    let own_end = stopped(Error::BadAddress);
    check!(
        own_end(fetch(0, USER_END - 15, 16))
            && own_end(fetch(0, USER_END, 1))
            && own_end(fetch(0, u32::MAX, 2))
    );
    check!(own_end(fetch(0, 0xFFFF_FFF0, 1000)));
    client.finish();
    // Four ranges, the last of them empty.
    client.call(&[
        range(DATA, 1, false),
        range(DATA + 1, 1, false),
        range(DATA + 2, 1, true),
        range(DATA, 0, true),
    ]);
    // SAFETY: the page is the test's.
    let copy = |index, bytes| unsafe { calls::copy_in(None, index, 0, AT, bytes) };
    check!((0..3).all(|index| copy(index, 1) == all(1)));
    check!(copy(3, 0) == all(0) && bad(copy(3, 1)) && bad(copy(4, 0)));
    client.finish();
    // None at all.
    client.call(&[]);
    check!(bad(fetch(0, AT, 0)));
    client.finish();
}

/// Ranges that wrap, or reach above 3 GiB, or are too many: the call itself fails.
pub fn declared() {
    use freehold_guest_tests::board;
    let client = Client::new();
    for (address, bytes, error) in [
        (USER_END - 1, 2, Error::BadAddress),
        (USER_END, 1, Error::BadAddress),
        (0xC010_0000, 16, Error::BadAddress),
        (u32::MAX, 1, Error::BadAddress),
        (0x9000_0000, 0x7FFF_FFFF, Error::BadAddress),
    ] {
        board::set(1, address);
        board::set(2, bytes);
        board::set(3, 0);
        check_eq!(client.refused(1), error as u32, "{address:#x} {bytes:#x}");
    }
    // The whole of user space can be declared; it only has to be there when it is copied.
    client.call(&[range(0, USER_END.min(0x7FFF_FFFF), true)]);
    check_eq!(fetch(DATA, AT, 1).stop.map(|stop| stop.0).is_some(), true);
    client.finish();
}

pub fn authority() {
    let client = Client::new();
    let (theirs, own) = (Frames::take(1, 1), Frames::take(1, 1));
    client.map(&theirs, 0, Rights::WRITE);
    check_eq!(pages::map(&own, AT, Rights::WRITE, 0), Ok(()));
    let none = stopped(Error::NoReply);
    check!(none(fetch(0, AT, 1)), "nobody has called");
    client.call(&[range(DATA, FRAME, true)]);
    check_eq!(fetch(0, AT, FRAME), all(FRAME));
    client.finish();
    check!(none(fetch(0, AT, 1)), "answered");
    // By name, as often as one likes; but only a reply capability.
    client.call(&[range(DATA, FRAME, true)]);
    let slot = Slot::take().expect("a slot");
    check_eq!(calls::save_reply(slot.name()), Ok(()));
    check!(none(fetch(0, AT, 1)), "it is in the slot now");
    // SAFETY: the page is the test's.
    let by_name = |name| unsafe { calls::copy_in(Some(name), 0, 0, AT, 8) };
    check_eq!((by_name(slot.name()), by_name(slot.name())), (all(8), all(8)));
    check!(stopped(Error::WrongKind)(by_name(client.endpoint.name())));
    check_eq!(calls::reply(Some(slot.name()), &Message::new(0)), Ok(()));
    check!(stopped(Error::NoCapability)(by_name(slot.name())));
    check!(client.worker().ends());
    // The caller's end is the end of it.
    client.call(&[range(DATA, FRAME, true)]);
    check_eq!(calls::stop_thread(client.worker().name()), Ok(()));
    check!(none(fetch(0, AT, 1)));
    // And so is receiving again.
    client.call(&[range(DATA, FRAME, true)]);
    let _ = Utcb::current().within((0, 0), || calls::receive(client.endpoint.name()).map(|got| got.badge));
    check!(none(fetch(0, AT, 1)));
    check!(client.worker().ends());
    // Its space's end.
    let second = Client::new();
    second.call(&[range(DATA, FRAME, true)]);
    let frames = second.home.frames();
    check_eq!(calls::reclaim(frames.container, frames.first, 4), Ok(()));
    check!(none(fetch(0, AT, 1)));
}
