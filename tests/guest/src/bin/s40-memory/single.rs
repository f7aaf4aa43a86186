//! One page mapped or unmapped in a call: what the kernel's short paths do, at the edges where they are left.
//!
//! Each case is done twice, by one call for one page and as a part of a call that no short path takes, and both must
//! come to the same.

use freehold_abi::layout::{BLOCK, FRAME};
use freehold_abi::update::Update;
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::pages::{self, Frames, address, peek, poke, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq, midway};
use freehold_rt::calls::{self, Lend, Stop, Used};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights};

use crate::mappings::{absent, read_only};

const NONE: CapName = CapName::NONE;

/// Makes one mapping, by a call of its own or behind one at a page that is taken back at once.
fn map(alone: bool, one: Update, spare: Update) -> Result<(), Error> {
    if alone {
        return calls::update(&[one]).map_err(|stop| stop.error);
    }
    let result = calls::update(&[spare, one]);
    check_eq!(calls::unmap(NONE, spare.page, 1), Ok(()));
    result.map_err(|Stop { error, done }| {
        check_eq!(done, 1);
        error
    })
}

/// Unmaps one page, by a call of its own or together with an empty one behind it.
fn unmap(alone: bool, page: u32) -> Result<Used, Error> {
    calls::unmap_used(NONE, page, if alone { 1 } else { 2 }).map_err(|stop| stop.error)
}

/// What the space's own Table says of entries in use.
fn live() -> u32 {
    calls::space_table(NONE, pages::view_index()).expect("a Table").live
}

/// Parents of all sorts: with and without a bound, spent, being the deepest; children with a total; sources and
/// destinations that do not do.
pub fn mapped() {
    let (frames, lent) = (Frames::take(2, 1), Slot::take().expect("a slot"));
    let range = calls::range(frames.at(0), 2);
    check_eq!(
        calls::lend(frames.container(), lent.reference(), Rights::ALL, range, Lend::exactly(2), 0),
        Ok(())
    );
    let (page, own) = (address(0) / FRAME, pages::table());
    let from = |index, at, rights, code| update((own, index), 1, NONE, page + at, rights, code);
    for alone in [true, false] {
        let map = |one| map(alone, one, update((lent.name(), 1), 1, NONE, page + 99, Rights::NONE, 0));
        let root = |at, rights, code| update((lent.name(), 0), 1, NONE, page + at, rights, code);
        // The root is bounded: 2 credits, one spent by each child; one that asks for a total pays for it.
        check_eq!(map(root(0, Rights::WRITE, 0)), Ok(()));
        check_eq!(map(root(0, Rights::WRITE, 0)), Err(Error::Occupied));
        check_eq!(map(root(1, Rights::NONE, 1)), Err(Error::NoCredits));
        check_eq!(map(root(1, Rights::NONE, 0)), Ok(()));
        check_eq!(map(root(2, Rights::NONE, 0)), Err(Error::NoCredits));
        check_eq!(live(), 2);
        poke(address(0), 77);
        check_eq!(peek(address(1)), 77);
        // Neither of them can have children; what is empty cannot either.
        check_eq!(map(from(0, 3, Rights::WRITE, 0)), Err(Error::NoCredits));
        check_eq!(map(from(3, 4, Rights::WRITE, 0)), Err(Error::EmptySource));
        check_eq!(map(from(1024 - 1, 4, Rights::WRITE, 0)), Err(Error::EmptySource));
        check_eq!(map(update((lent.name(), 2), 1, NONE, page, Rights::NONE, 0)), Err(Error::OutOfRange));
        // The younger is behind its parent, and pays it; the elder does so when nothing is left.
        check_eq!(unmap(alone, page + 1).map(|_| live()), Ok(1));
        check_eq!(map(root(1, Rights::NONE, 0)), Ok(()));
        check_eq!(unmap(alone, page), Ok(Used { accessed: true, dirty: true }));
        check_eq!(unmap(alone, page + 1).map(|_| live()), Ok(0));
        check_eq!(map(root(1, Rights::NONE, 1)), Ok(()), "all credits are back");
        check_eq!(unmap(alone, page + 1), Ok(Used::default()));
    }
}

/// A source of which a part is taken back, by a revoke that was stopped half-way: it is Busy until that is done, though
/// there is room, and though it has credits.
pub fn unfinished() {
    const CHILDREN: u32 = 1000;
    /// Codes of totals: 4,095, and none.
    const CODES: [u32; 2] = [62, 63];
    fn revoke(table: u32) {
        let _ = calls::revoke_range(CapName(table), 0, 1);
    }
    let page = address(0) / FRAME;
    for code in CODES {
        let (frame, other) = (Frames::take(1, 1), Frames::take(1, 1));
        check_eq!(pages::map(&frame, address(0), Rights::WRITE, code), Ok(()));
        let spare = update((other.container(), other.at(0)), 1, NONE, page + 1020, Rights::NONE, 0);
        let prepare = || {
            calls::revoke_range(pages::table(), 0, 1).expect("no children");
            for at in 0..CHILDREN {
                calls::update(&[child(page + at)]).expect("a child");
            }
        };
        // The parent, and some of its children.
        let caught = || (2..=CHILDREN).contains(&live());
        check!(midway::stop(revoke, pages::table().0, prepare, caught), "never half-way");
        for alone in [true, false] {
            check_eq!(map(alone, child(page + CHILDREN), spare), Err(Error::Busy), "code {code}");
        }
        check_eq!(calls::revoke_range(pages::table(), 0, 1).map(|()| live()), Ok(1));
        for alone in [true, false] {
            check_eq!(map(alone, child(page + CHILDREN), spare), Ok(()));
            check_eq!(unmap(alone, page + CHILDREN + 1), Ok(Used::default()));
        }
        check_eq!(calls::unmap(NONE, page, 1).map(|()| live()), Ok(0));
    }
}

/// The right to write comes from capability, entry and update together.
pub fn rights() {
    let frame = Frames::take(1, 1);
    let probe = Probe::new(&Home::own(), 0);
    let range = calls::range(frame.at(0), 1);
    let page = address(0) / FRAME;
    let readable = Slot::take().expect("a slot");
    check_eq!(
        calls::lend(frame.container(), readable.reference(), Rights::EDIT, range, Lend::exactly(4), 0),
        Ok(())
    );
    let shareable = derived(frame.container(), Rights::SHARE, range, 0);
    for (source, index) in [(frame.container(), frame.at(0)), (readable.name(), 0)] {
        for wanted in [Rights::NONE, Rights::WRITE] {
            let one = update((source, index), 1, NONE, page, wanted, 1);
            let short = update((source, index), 1, NONE, page, wanted, 0);
            for update in [one, short] {
                check_eq!(calls::update(&[update]), Ok(()));
                let writable = source == frame.container() && wanted == Rights::WRITE;
                let expected = if writable { Ok(()) } else { Err(read_only(address(0))) };
                check_eq!(probe.write(address(0), 5), expected);
                // And a child has no more.
                let child = calls::update(&[child(page)]);
                if update.total_code == 0 {
                    check_eq!(child.map_err(|stop| stop.error), Err(Error::NoCredits));
                } else {
                    check_eq!(child, Ok(()));
                    let expected = expected.map_err(|_| read_only(address(1)));
                    check_eq!(probe.write(address(1), 5), expected);
                }
                check_eq!(calls::unmap(NONE, page, 1), Ok(()));
                check_eq!(probe.read(address(1)), Err(absent(address(1))), "a child goes with its parent");
            }
        }
    }
    let none = calls::update(&[update((shareable.name(), 0), 1, NONE, page, Rights::NONE, 0)]);
    check_eq!(none.map_err(|stop| stop.error), Err(Error::NoRight));
}

/// A child of the first page in the second.
fn child(page: u32) -> Update {
    update((pages::table(), 0), 1, NONE, page + 1, Rights::WRITE, 0)
}

/// Siblings in the list: the youngest, the eldest, one in the middle go; the others stay, in two spaces.
pub fn siblings() {
    let frame = Frames::take(1, 1);
    let home = Home::new();
    let (here, there) = (Probe::new(&Home::own(), 0), Probe::new(&home, 1));
    let source = (frame.container(), frame.at(0));
    let page = address(0) / FRAME;
    for gone in 0..4 {
        for at in 0..4 {
            check_eq!(calls::update(&[update(source, 1, NONE, page + at, Rights::WRITE, 0)]), Ok(()));
            let other = update(source, 1, home.space(), BLOCKS / FRAME + at, Rights::NONE, 0);
            check_eq!(calls::update(&[other]), Ok(()));
        }
        poke(address(gone), gone);
        check_eq!(there.read(BLOCKS + gone * FRAME), Ok(gone));
        check_eq!(calls::unmap(NONE, page + gone, 1), Ok(()));
        check_eq!(here.read(address(gone)), Err(absent(address(gone))));
        check_eq!(calls::unmap(NONE, page + gone, 1), Ok(()), "nothing is there any more");
        for at in 0..4 {
            if at != gone {
                check_eq!(peek(address(at)), gone);
            }
            check_eq!(there.read(BLOCKS + at * FRAME), Ok(gone));
        }
        check_eq!(calls::revoke_range(source.0, source.1, 1), Ok(()));
        check_eq!((here.read(address(0)).is_err(), there.read(BLOCKS).is_err(), live()), (true, true, 0));
    }
    // A Table with two hooks: it is unmapped for both.
    check_eq!(calls::hook(pages::table(), home.space(), pages::INDEX, Rights::NONE), Ok(()));
    check_eq!(calls::update(&[update(source, 1, NONE, page, Rights::WRITE, 0)]), Ok(()));
    poke(address(0), 9);
    check_eq!(there.read(address(0)), Ok(9));
    check_eq!(calls::unmap(NONE, page, 1), Ok(()));
    check_eq!(there.read(address(0)), Err(absent(address(0))));
    check!(here.read(address(0)).is_err());
    check_eq!(calls::unhook(home.space(), pages::INDEX), Ok(()));
    // Also where the second is in the same space: nothing of it is kept, at neither address.
    let (index, twin) = (pages::INDEX + 1, address(0) + BLOCK);
    check_eq!(calls::hook(pages::table(), NONE, index, Rights::WRITE), Ok(()));
    check_eq!(calls::update(&[update(source, 1, NONE, page, Rights::WRITE, 0)]), Ok(()));
    poke(twin, 11);
    check_eq!((here.read(twin), here.read(address(0))), (Ok(11), Ok(11)));
    check_eq!(calls::unmap(NONE, page, 1), Ok(()));
    check!(here.read(twin).is_err() && here.read(address(0)).is_err());
    check_eq!(calls::unhook(NONE, index), Ok(()));
}
