//! Depth and credits: who delegates chooses what taking back may cost.

use freehold_abi::layout::{FRAME, MAX_DEPTH, UNLIMITED};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, info, notification};
use freehold_guest_tests::pages::{self, Frames, address, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights};

const NONE: CapName = CapName::NONE;

fn stop(error: Error) -> Result<(), Stop> {
    Err(Stop { error, done: 0 })
}

pub fn depth() {
    let frame = Frames::take(1, 1);
    let page = address(0) / FRAME;
    // Each mapping is derived from the one before it; the root has depth 0.
    check_eq!(
        calls::update(&[update((frame.container(), frame.at(0)), 1, NONE, page, Rights::WRITE, 63)]),
        Ok(())
    );
    for depth in 1..MAX_DEPTH {
        let next = update((pages::table(), depth - 1), 1, NONE, page + depth, Rights::WRITE, 63);
        check_eq!(calls::update(&[next]), Ok(()), "depth {}", depth + 1);
    }
    let from_last = |page: u32, code| {
        calls::update(&[update((pages::table(), MAX_DEPTH - 1), 1, NONE, page, Rights::WRITE, code)])
    };
    check_eq!(from_last(page + MAX_DEPTH, 0), stop(Error::TooDeep));
    // The order of errors: NoTable, Occupied, TooDeep.
    check_eq!(from_last(500 << 10, 0), stop(Error::NoTable));
    check_eq!(from_last(page + 1, 0), stop(Error::Occupied));
    let probe = Probe::new(&Home::own(), 0);
    check_eq!(probe.write(address(MAX_DEPTH - 1), 63), Ok(()));
    check_eq!(probe.read(address(0)), Ok(63));
    // Taking the middle takes all below it, and nothing above.
    check_eq!(calls::unmap(NONE, page + 30, 1), Ok(()));
    let present = |page: u32| probe.read(address(page)).is_ok();
    check!((0..30).all(present) && !(30..MAX_DEPTH).any(present));
    check_eq!(calls::revoke_range(frame.container(), frame.at(0), 1), Ok(()));
    check!(!(0..30).any(present));
    // The same for capabilities: an object's own slot has depth 0.
    let bits = notification();
    let mut chain = alloc::vec![derived(bits.name(), Rights::ALL, 0, UNLIMITED)];
    while chain.len() < MAX_DEPTH as usize {
        chain.push(derived(chain[chain.len() - 1].name(), Rights::ALL, 0, UNLIMITED));
    }
    let last = chain[chain.len() - 1].name();
    check_eq!(info(last).depth, MAX_DEPTH);
    let slot = Slot::take().expect("a slot");
    check_eq!(calls::derive(last, slot.reference(), Rights::ALL, 0, 0), Err(Error::TooDeep));
    check_eq!(calls::notify(last, 1), Ok(()));
    check_eq!(calls::revoke(chain[0].reference()), Ok(()));
    check_eq!(calls::notify(last, 1), Err(Error::NoCapability));
}

/// A mapping with total n pays for n children, or fewer with totals of their own.
pub fn mappings() {
    let frame = Frames::take(1, 1);
    let page = address(0) / FRAME;
    let root = |page: u32, code| {
        calls::update(&[update((frame.container(), frame.at(0)), 1, NONE, page, Rights::WRITE, code)])
    };
    let child = |of: u32, at: u32, code| {
        calls::update(&[update((pages::table(), of), 1, NONE, page + at, Rights::WRITE, code)])
    };
    check_eq!(root(page, 5), Ok(()));
    check_eq!(child(0, 1, 5), stop(Error::NoCredits), "1 + 5 > 5");
    check_eq!(child(0, 1, 63), stop(Error::NoCredits), "no bound out of a bound");
    check_eq!(child(0, 1, 2), Ok(()));
    check_eq!(child(0, 2, 2), stop(Error::NoCredits), "two are left");
    check_eq!(child(0, 2, 1), Ok(()));
    check_eq!(child(0, 3, 0), stop(Error::NoCredits));
    check_eq!(child(1, 3, 0), Ok(()));
    check_eq!(child(1, 4, 0), Ok(()));
    check_eq!(child(1, 5, 0), stop(Error::NoCredits));
    check_eq!(child(3, 5, 0), stop(Error::NoCredits), "a total of 0");
    // The youngest child's credits come back at once.
    check_eq!(calls::unmap(NONE, page + 2, 1), Ok(()));
    check_eq!(child(0, 2, 1), Ok(()));
    // After a revoke all are there.
    check_eq!(calls::revoke_range(pages::table(), 0, 1), Ok(()));
    check_eq!(child(0, 1, 4), Ok(()));
    check_eq!(child(0, 2, 0), stop(Error::NoCredits));
    check_eq!(calls::unmap(NONE, page, 1), Ok(()));
    // Codes that grow: 47 stands for 56.
    check_eq!(root(page, 47), Ok(()));
    let made = (1..100).take_while(|&at| child(0, at, 0) == Ok(())).count();
    check_eq!(made, 56);
    check_eq!(calls::unmap(NONE, page, 1), Ok(()));
    let probe = Probe::new(&Home::own(), 0);
    check!((0..100).all(|page| probe.read(address(page)).is_err()));
}

/// Φ = total − credits, by CapInfo.
pub fn capabilities() {
    let bits = notification();
    check_eq!(info(bits.name()).total, UNLIMITED);
    let parent = derived(bits.name(), Rights::ALL, 0, 10);
    let credits = || info(parent.name()).credits;
    let slot = Slot::take().expect("a slot");
    let try_one = |total| calls::derive(parent.name(), slot.reference(), Rights::ALL, 0, total);
    check_eq!(try_one(10), Err(Error::NoCredits));
    check_eq!(try_one(UNLIMITED), Err(Error::NoCredits));
    check_eq!(credits(), 10);
    let first = derived(parent.name(), Rights::ALL, 0, 3);
    check_eq!(credits(), 6);
    let second = derived(parent.name(), Rights::SEND, 0, 5);
    check_eq!(credits(), 0);
    check_eq!(try_one(0), Err(Error::NoCredits));
    let below = derived(second.name(), Rights::ALL, 0, 1);
    check_eq!((info(second.name()).credits, info(below.name()).rights), (3, Rights::SEND));
    drop(below);
    check_eq!(info(second.name()).credits, 5);
    drop(second);
    check_eq!(credits(), 6, "the youngest child refunds at once");
    let third = derived(parent.name(), Rights::ALL, 0, 0);
    drop(first);
    check_eq!(credits(), 5, "not the youngest: nothing comes back yet");
    drop(third);
    check_eq!(try_one(9), Ok(()), "without children all credits count again");
    check_eq!(credits(), 0);
    check_eq!(calls::revoke(parent.reference()), Ok(()));
    check_eq!((credits(), info(slot.name()).total), (10, 0));
    check_eq!(calls::revoke(slot.reference()), Ok(()), "an empty slot");
}
