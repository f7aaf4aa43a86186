//! One page at a time.

use freehold_abi::designs::{Fpage, MapItem};
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{Error, Rights, calls};

use crate::gift::{Gift, own};
use crate::party::{at, page, parties};

/// Where parties see pages.
const THERE: u32 = 0x5000_0000;

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

/// A window of nothing, and one that is full of something else.
pub fn windows() {
    let _gift = Gift::new(1);
    let ps = parties(1);
    let item = at(page(own(0), Rights::WRITE), THERE);
    ps[0].open(Fpage::NONE);
    check_eq!(ps[0].take(&[item]), Err(Error::NoWindow));
    ps[0].open(Fpage::WHOLE);
    let image = MapItem { hot_spot: 256 << 10, ..item };
    check_eq!(ps[0].take(&[image]), Err(Error::NoWindow), "a Table is hooked there");
    check_eq!(ps[0].take(&[item]), Ok(()));
}
