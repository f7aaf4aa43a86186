//! Taking back that is stopped in the middle: under kernel-heap it cannot be; under the other designs anyone entitled
//! finishes it.

use freehold_abi::designs::Design;
use freehold_abi::layout::FRAME;
use freehold_guest_tests::{check, check_eq, midway};
use freehold_rt::{Rights, calls};

use crate::gift::{Gift, own};
use crate::party::{THERE, at, page, parties};

/// Mappings of the page: taking them back takes a good part of a tick.
const CHILDREN: u32 = 3000;

fn take_back(_: u32) {
    let _ = calls::fpage_unmap(page(own(0), Rights::NONE), false);
}

/// An unmap of many mappings, stopped by a tick.
pub fn unmap() {
    let _gift = Gift::new(1);
    let ps = parties(1);
    let party = &ps[0];
    let place = |child: u32| [at(page(own(0), Rights::WRITE), THERE + child * FRAME)];
    // How often this is done is the ticks' affair, so nothing in it counts as a check.
    let prepare = || {
        take_back(0);
        let taken = (0..CHILDREN).all(|child| party.take(&place(child)).is_ok());
        assert!(taken, "a pool and a quota for all of them");
    };
    let caught = || (1..CHILDREN).contains(&party.account().mappings);
    let stopped = midway::stop(take_back, 0, prepare, caught);
    check_eq!(stopped, calls::design() != Design::KernelHeap);
    if stopped {
        // In the middle things go on: what is left can be used, and mapped anew.
        check_eq!(party.take(&place(CHILDREN)), Ok(()));
        check!(party.read(THERE + CHILDREN * FRAME).is_ok());
    }
    check_eq!(calls::fpage_unmap(page(own(0), Rights::NONE), false), Ok(()));
    check_eq!(party.account().mappings, 0);
}
