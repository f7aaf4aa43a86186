//! Fpages of all sizes: which pages go where.

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::poke;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{Error, Rights, calls};

use crate::gift::{Gift, own};
use crate::party::{Party, THERE, at, parties};

/// What stands in page `number` of a gift.
const fn mark(number: u32) -> u32 {
    0x1000 + number
}

/// A gift whose pages tell which they are.
fn marked(count: u32) -> Gift {
    let gift = Gift::new(count);
    (0..count).for_each(|number| poke(own(number), mark(number)));
    gift
}

/// Pages `from` and on of the gift are seen at `address` and on, `count` of them, and what is beside them is not.
fn sees(party: &Party, address: u32, from: u32, count: u32) {
    let step = (count / 7).max(1);
    for page in (0..count).step_by(step as usize).chain([count - 1]) {
        check_eq!(party.read(address + page * FRAME), Ok(mark(from + page)), "page {page} of {count}");
    }
    check!(party.read(address - FRAME).is_err() && party.read(address + count * FRAME).is_err());
    check_eq!(party.account().mappings, count);
}

fn take_all_back(count: u32) {
    let log2 = count.trailing_zeros();
    check_eq!(calls::fpage_unmap(Fpage::new(own(0), log2, 0), false), Ok(()));
}

/// The window is as large as the fpage: one to one, whatever the hot spot; and so it is with a whole window, where the
/// hot spot says where.
pub fn sizes() {
    let gift = marked(1024);
    let ps = parties(1);
    for log2 in 0..=10 {
        let (fpage, count) = (Fpage::new(own(0), log2, 1), 1 << log2);
        let place = THERE + 0x80_0000 + count * FRAME;
        for (window, hot_spot) in [(Fpage::WHOLE, place / FRAME), (Fpage::new(place, log2, 1), 0x1_2345)] {
            ps[0].open(window);
            check_eq!(ps[0].take(&[MapItem { fpage, hot_spot, grant: false }]), Ok(()));
            sees(&ps[0], place & !(count * FRAME - 1), 0, count);
            take_all_back(count);
            check_eq!(ps[0].account().mappings, 0);
        }
    }
    drop(gift);
}

/// The hot spot chooses: a part of a larger window, a part of a larger fpage.
pub fn hot_spots() {
    let _gift = marked(64);
    let ps = parties(1);
    // 4 pages into a window of 64: only the bits of the hot spot within the window count, rounded to the fpage.
    ps[0].open(Fpage::new(THERE, 6, 1));
    for (spot, page) in [(0, 0), (4, 4), (7, 4), (63, 60), (64 + 8, 8), (0xF_FFFF, 60)] {
        let item = MapItem { fpage: Fpage::new(own(8), 2, 1), hot_spot: spot, grant: false };
        check_eq!(ps[0].take(&[item]), Ok(()));
        sees(&ps[0], THERE + page * FRAME, 8, 4);
        take_all_back(64);
    }
    // 64 pages for a window of 4: the hot spot says which.
    ps[0].open(Fpage::new(THERE + 8 * FRAME, 2, 1));
    for (spot, page) in [(0, 0), (4, 4), (7, 4), (63, 60), (64 + 8, 8), (0xF_FFFF, 60)] {
        let item = MapItem { fpage: Fpage::new(own(0), 6, 1), hot_spot: spot, grant: false };
        check_eq!(ps[0].take(&[item]), Ok(()));
        sees(&ps[0], THERE + 8 * FRAME, page, 4);
        take_all_back(64);
    }
    // An fpage of everything for a window of one page.
    ps[0].open(Fpage::new(THERE, 0, 1));
    let item = MapItem { fpage: Fpage::WHOLE, hot_spot: own(5) / FRAME, grant: false };
    check_eq!(ps[0].take(&[item]), Ok(()));
    sees(&ps[0], THERE, 5, 1);
}

/// Addresses in an fpage are rounded down to its size; pages that are not there are passed over.
pub fn holes() {
    let _gift = marked(16);
    let ps = parties(2);
    for page in [1, 2, 7] {
        check_eq!(ps[0].take(&[at(Fpage::new(own(page), 0, 1), THERE + page * FRAME)]), Ok(()));
    }
    check_eq!(ps[0].pass(&ps[1], &[at(Fpage::new(THERE + 5 * FRAME, 3, 1), THERE + 3 * FRAME)]), Ok(()));
    for page in 0..8 {
        let seen = [1, 2, 7].contains(&page).then_some(mark(page));
        check_eq!(ps[1].read(THERE + page * FRAME).ok(), seen, "page {page}");
    }
    check_eq!(ps[1].account().mappings, 3);
    // Nothing at all is there: nothing comes, and no table for it.
    let tables = ps[1].account().tables;
    check_eq!(ps[0].pass(&ps[1], &[at(Fpage::new(0x7000_0000, 8, 1), 0x7000_0000)]), Ok(()));
    check_eq!((ps[1].account().tables, ps[1].account().mappings), (tables, 3));
    // Nor is what stands on Tables the pool's to map.
    check_eq!(ps[0].pass(&ps[1], &[at(Fpage::new(0x4000_0000, 10, 1), 0x7000_0000)]), Ok(()));
    check_eq!((ps[1].account().tables, ps[1].account().mappings), (tables, 3));
}

/// Where nothing of the pool's can be: at Tables, in the page-table area, beyond 3 GiB, and without a window.
pub fn windows() {
    let _gift = marked(1);
    let ps = parties(1);
    let page = Fpage::new(own(0), 0, 1);
    for window in [Fpage::NONE, Fpage(THERE | 0xFF7)] {
        ps[0].open(window);
        check_eq!(ps[0].take(&[at(page, THERE)]), Err(Error::NoWindow));
    }
    ps[0].open(Fpage::WHOLE);
    for place in [0x4000_0000, 0x4000_5000, 0xBFC0_0000, 0xBFFF_F000, 0xC000_0000, 0xFFFF_F000] {
        check_eq!(ps[0].take(&[at(page, place)]), Err(Error::NoWindow), "{place:#x}");
    }
    check_eq!(ps[0].take(&[at(Fpage::NONE, THERE)]), Err(Error::BadItem));
    check_eq!((ps[0].account().tables, ps[0].account().mappings), (0, 0));
    check_eq!(ps[0].take(&[at(page, 0xBFBF_F000)]), Ok(()), "the last page that can be");
    check_eq!(ps[0].read(0xBFBF_F000), Ok(mark(0)));
    // One item that cannot go there, and none of them does.
    let items = [at(page, THERE), at(page, 0x4000_0000)];
    check_eq!(ps[0].take(&items), Err(Error::NoWindow));
    check_eq!((ps[0].account().tables, ps[0].account().mappings), (1, 1));
    let rights = [at(Fpage::new(own(0), 0, Rights::NONE.0 as u32), THERE); 8];
    let spread: [MapItem; 8] = core::array::from_fn(|index| MapItem {
        hot_spot: rights[index].hot_spot + index as u32,
        ..rights[index]
    });
    check_eq!(ps[0].take(&spread), Ok(()), "eight items");
    check_eq!((ps[0].account().tables, ps[0].account().mappings), (2, 9));
}
