//! The pool used up, and a quota: refused, and nothing of what was refused stays.

use freehold_abi::designs::{Design, Fpage, MapItem};
use freehold_abi::info::Kernel;
use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::pages::{Frames, poke};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{CapName, Error, Rights, calls};

use crate::gift::{Gift, own};
use crate::party::{THERE, at, page, parties};

/// Bytes of a table, and of a mapping.
const TABLE: u32 = 8 << 10;
const NODE: u32 = 12;

fn used() -> u32 {
    calls::kernel_info(Kernel::PoolUsed).unwrap_or(0)
}

fn quota() -> bool {
    calls::design() == Design::KernelQuota
}

/// Far apart, then close together, until the pool has nothing left; then everything back, and once more.
pub fn pool() {
    let gift = Gift::new(512);
    poke(own(0), 1);
    let before = used();
    let bytes = calls::kernel_info(Kernel::PoolBytes).unwrap_or(0);
    for round in 0..2 {
        let ps = parties(4);
        if quota() {
            for party in &ps {
                check_eq!(calls::set_quota(party.home.space(), u32::MAX), Ok(()));
            }
        }
        let far = |index: u32| at(page(own(0), Rights::WRITE), THERE + index * BLOCK);
        let mut refused = 0;
        'all: for party in &ps {
            for index in 0..300 {
                let had = (used(), party.account());
                match party.take(&[far(index)]) {
                    Ok(()) => check_eq!(used() - had.0, TABLE + NODE),
                    Err(error) => {
                        check_eq!(error, Error::PoolExhausted);
                        check_eq!((used(), party.account()), had, "nothing stays");
                        refused += 1;
                        break 'all;
                    }
                };
            }
        }
        check_eq!(refused, 1, "a pool of {bytes} bytes had an end");
        check!(bytes - used() < 2 * TABLE, "{} of {bytes}", used());
        // There is no block left, but nodes in a slab; and a message that wants more brings nothing.
        let many = [at(Fpage::new(own(0), 9, 1), THERE), at(Fpage::new(own(0), 9, 1), THERE + 512 * FRAME)];
        let had = (used(), ps[0].account());
        check_eq!(ps[0].take(&many), Err(Error::PoolExhausted));
        check_eq!((used(), ps[0].account()), had);
        check_eq!(ps[0].take(&[at(page(own(1), Rights::WRITE), THERE + FRAME)]), Ok(()), "one node");
        check_eq!(ps[0].read(THERE), Ok(1), "what there is goes on");
        // A gift is refused as well.
        let other = Frames::take(1, 1);
        let range = calls::range(other.at(0), 1);
        let given = calls::give(other.container(), range, CapName::NONE, 0x7000_0000, Rights::NONE);
        check_eq!(given, Err(Error::PoolExhausted));
        check_eq!(calls::fpage_unmap(Fpage::new(own(0), 9, 0), false), Ok(()));
        check!(ps.iter().all(|party| party.account().mappings == 0));
        check_eq!(ps[0].take(&many[..1]), Ok(()), "what was taken back can be used again");
        drop(ps);
        check_eq!(used(), before, "round {round}");
    }
    check!(calls::kernel_info(Kernel::PoolPeak).is_ok_and(|peak| peak > bytes - 2 * TABLE));
    drop(gift);
}

/// What a space may have: to the byte. Under the other designs there are no quotas.
pub fn quotas() {
    let _gift = Gift::new(64);
    let ps = parties(2);
    let (a, b) = (&ps[0], &ps[1]);
    let set = |bytes| calls::set_quota(a.home.space(), bytes);
    if !quota() {
        check_eq!(set(1 << 20), Err(Error::UnknownCall));
        check_eq!(a.account().quota, u32::MAX);
        return;
    }
    check_eq!(a.account().quota, 128 << 10, "what the command line says, or nothing");
    check_eq!(calls::account(CapName::NONE).map(|own| own.quota), Ok(u32::MAX));
    check_eq!(calls::set_quota(CapName::NONE, 5), Err(Error::NoCapability), "nobody sets its own");
    check_eq!(set(TABLE + 10 * NODE), Ok(()));
    let many =
        |count: u32| (0..count).map(|index| at(page(own(index), Rights::WRITE), THERE + index * FRAME));
    let had = used();
    check_eq!(a.take(&[at(Fpage::new(own(0), 4, 1), THERE)]), Err(Error::OverQuota), "sixteen");
    check_eq!((used(), a.account().bytes), (had, 0), "nothing stays");
    for item in many(10) {
        check_eq!(a.take(&[item]), Ok(()));
    }
    check_eq!(a.account().bytes, TABLE + 10 * NODE);
    let next = at(page(own(10), Rights::WRITE), THERE + 10 * FRAME);
    check_eq!(a.take(&[next]), Err(Error::OverQuota));
    check_eq!(a.take(&[at(page(own(11), Rights::WRITE), THERE)]), Ok(()), "in the place of another");
    check_eq!(a.take(&[at(page(own(0), Rights::WRITE), THERE + BLOCK)]), Err(Error::OverQuota));
    // A mapping onward is the receiver's affair; a grant gives room.
    let pass = |grant| MapItem { grant, ..at(page(THERE, Rights::WRITE), THERE) };
    check_eq!(calls::set_quota(b.home.space(), TABLE + NODE), Ok(()));
    check_eq!(a.pass(b, &[pass(false)]), Ok(()));
    check_eq!(a.pass(b, &[at(page(THERE, Rights::WRITE), THERE + FRAME)]), Err(Error::OverQuota));
    check_eq!(b.pass(a, &[at(page(THERE, Rights::WRITE), THERE + 20 * FRAME)]), Err(Error::OverQuota));
    check_eq!(a.pass(b, &[pass(true)]), Ok(()));
    check_eq!((a.account().mappings, b.account().mappings), (9, 1), "granted onto its own child");
    check_eq!(a.take(&[next]), Ok(()), "there is room");
    check_eq!(set(5), Err(Error::OverQuota), "below what it has");
    check_eq!(set(u32::MAX), Ok(()));
    check_eq!(a.take(&[at(Fpage::new(own(0), 6, 1), THERE + BLOCK)]), Ok(()));
}
