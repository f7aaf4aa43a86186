//! Faults end a copy with their place, and it goes on from there once they are dealt with.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{self, AT, Frames, peek, poke};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Copied};
use freehold_rt::{CapName, Error, Rights};

use crate::client::{Client, DATA, all, fetch, range, store};

/// Stopped at `done` bytes, up to three less, by a fault at `address`, or up to three bytes on.
fn stopped(copied: Copied, error: Error, done: u32, address: u32) -> bool {
    let near = copied.done <= done && copied.done + 3 >= done;
    near && copied.stop.is_some_and(|stop| stop.0 == error && (address..address + 4).contains(&stop.1))
}

/// Copies in pieces, dealing with each fault; returns how many there were.
fn through(bytes: u32, outward: bool, mut repair: impl FnMut(Error, u32)) -> u32 {
    let (mut done, mut faults) = (0, 0);
    while done < bytes {
        let copied =
            if outward { store(done, AT + done, bytes - done) } else { fetch(done, AT + done, bytes - done) };
        done += copied.done;
        match copied.stop {
            Some((error, address)) => {
                faults += 1;
                repair(error, address);
            }
            None => break,
        }
        if faults > 64 {
            break;
        }
    }
    check_eq!(done, bytes);
    faults
}

fn frames(client: &Client) -> (Frames, Frames) {
    let (theirs, own) = (Frames::take(8, 1), Frames::take(8, 1));
    client.map(&theirs, 0, Rights::WRITE);
    check_eq!(pages::map(&own, AT, Rights::WRITE, 0), Ok(()));
    (theirs, own)
}

pub fn mine() {
    let client = Client::new();
    let (_theirs, own) = frames(&client);
    client.call(&[range(DATA, 8 * FRAME, true)]);
    let unmap = |page| check_eq!(calls::unmap(CapName::NONE, AT / FRAME + page, 1), Ok(()));
    unmap(3);
    for offset in [0, 1, 2, 3] {
        let left = 3 * FRAME - offset;
        check!(
            stopped(fetch(0, AT + offset, 8 * FRAME - 3), Error::FaultMine, left, AT + 3 * FRAME),
            "{offset}"
        );
        check!(
            stopped(store(0, AT + offset, 8 * FRAME - 3), Error::FaultMine, left, AT + 3 * FRAME),
            "{offset}"
        );
    }
    check_eq!(fetch(0, AT + 4 * FRAME, 4 * FRAME), all(4 * FRAME), "behind it all is well");
    check!(stopped(fetch(0, 0x5000, 1), Error::FaultMine, 0, 0x5000));
    check!(
        stopped(fetch(0, 0xBFC0_0000, 4), Error::FaultMine, 0, 0xBFC0_0000),
        "the page-table area cannot be written"
    );
    check_eq!(store(0, 0xBFC0_0000, 64), all(64), "but read");
    // All pages missing on this side: each faults once.
    for outward in [false, true] {
        for page in (0..8).filter(|&page| page != 3 || outward) {
            unmap(page);
        }
        let faults = through(8 * FRAME, outward, |error, address| {
            check_eq!(error, Error::FaultMine);
            let page = (address - AT) / FRAME;
            let one = pages::update(
                (own.container(), own.at(page)),
                1,
                CapName::NONE,
                AT / FRAME + page,
                Rights::WRITE,
                0,
            );
            check_eq!(calls::update(&[one]), Ok(()));
        });
        check_eq!(faults, 8);
    }
    client.finish();
}

pub fn theirs() {
    let client = Client::new();
    let (theirs, _own) = frames(&client);
    client.call(&[range(DATA, 8 * FRAME, true)]);
    client.unmap(5, 1);
    for offset in [0, 1, 2, 3] {
        let left = 5 * FRAME - offset;
        check!(
            stopped(fetch(offset, AT, 8 * FRAME - 3), Error::FaultTheirs, left, DATA + 5 * FRAME),
            "{offset}"
        );
        check!(
            stopped(store(offset, AT, 8 * FRAME - 3), Error::FaultTheirs, left, DATA + 5 * FRAME),
            "{offset}"
        );
    }
    for outward in [false, true] {
        for page in (0..8).filter(|&page| page != 5 || outward) {
            client.unmap(page, 1);
        }
        for page in 0..8 {
            poke(AT + page * FRAME, 1000 + page);
        }
        let faults = through(8 * FRAME, outward, |error, address| {
            check_eq!(error, Error::FaultTheirs);
            let page = (address - DATA) / FRAME;
            let home = client.home.space();
            let one = pages::update(
                (theirs.container(), theirs.at(page)),
                1,
                home,
                DATA / FRAME + page,
                Rights::WRITE,
                0,
            );
            check_eq!(calls::update(&[one]), Ok(()));
        });
        check_eq!(faults, 8);
    }
    check_eq!(fetch(0, AT + FRAME, 4), all(4));
    check_eq!(peek(AT + FRAME), 1000, "what was stored is there");
    client.finish();
    // Where the client has no Table at all.
    client.call(&[range(0x9000_0000, FRAME, true)]);
    check!(stopped(fetch(0, AT, 4), Error::FaultTheirs, 0, 0x9000_0000));
    client.finish();
    // Where the address is the client's page-table area: it can be read, never written.
    client.call(&[range(0xBFC0_0000, 64, true)]);
    check_eq!(fetch(0, AT, 64), all(64));
    check!(stopped(store(0, AT, 4), Error::FaultTheirs, 0, 0xBFC0_0000));
    client.finish();
}

/// The hardware's rights hold for the kernel, on both sides.
pub fn rights() {
    let client = Client::new();
    let (theirs, own) = (Frames::take(1, 1), Frames::take(1, 1));
    client.map(&theirs, 0, Rights::NONE);
    check_eq!(pages::map(&own, AT, Rights::NONE, 0), Ok(()));
    check_eq!(pages::map(&own, pages::address(1), Rights::WRITE, 0), Ok(()));
    poke(pages::address(1), 77);
    client.call(&[range(DATA, FRAME, true)]);
    check!(stopped(fetch(0, AT, 4), Error::FaultMine, 0, AT), "read-only here");
    check!(stopped(store(0, AT, 4), Error::FaultTheirs, 0, DATA), "read-only there");
    check_eq!(fetch(0, pages::address(1), 4), all(4));
    check_eq!(peek(AT), 0);
    client.finish();
    // A read-only hook over writable entries is as good.
    let table = Frames::take(4, 4);
    let slot = freehold_rt::slots::Slot::take().expect("a slot");
    check_eq!(calls::make_table(table.container(), table.at(0), slot.reference(), CapName::NONE), Ok(()));
    check_eq!(
        calls::update(&[pages::update((own.container(), own.at(0)), 1, slot.name(), 0, Rights::WRITE, 0)]),
        Ok(())
    );
    check_eq!(calls::hook(slot.name(), client.home.space(), 500, Rights::NONE), Ok(()));
    client.call(&[range(500 << 22, FRAME, true)]);
    check!(stopped(store(0, AT, 4), Error::FaultTheirs, 0, 500 << 22));
    check_eq!(calls::unhook(client.home.space(), 500), Ok(()));
    check_eq!(calls::hook(slot.name(), client.home.space(), 500, Rights::WRITE), Ok(()));
    poke(pages::address(1), 99);
    check_eq!(store(4, AT, 4), all(4));
    check_eq!((peek(AT), peek(AT + 4)), (99, 99));
    client.finish();
}
