//! The first program as the one that others ask for pages: where a design lets no other send map items, and where a program
//! maps for itself.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::designs::Fpage;
use freehold_abi::fault::{PAGE_FAULT, RESUME};
use freehold_abi::layout::FRAME;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;

use super::partner::Partner;
use super::pool::{self, Given};
use crate::ipc::{BESIDE, SERVED};
use crate::stub;

/// Orders, whose first word is a number of pages, a power of two, and the second an address in the space that they go to.
/// MAP: the pages come with the answer. PASS: they go to the third party. TAKE: they are taken back from everybody.
pub const MAP: u16 = 1;
pub const PASS: u16 = 2;
pub const TAKE: u16 = 3;

/// The first page, and the third party's endpoint.
static FIRST: AtomicU32 = AtomicU32::new(0);
static THIRD: AtomicU32 = AtomicU32::new(0);

/// A thread of this space that does so, and pages, too: with the first page, wherever one is missing.
pub struct Root(Partner);

impl Root {
    /// Starts it, with these pages.
    pub fn start(given: &Given, third: CapName) -> Root {
        FIRST.store(given.at(0), Ordering::Relaxed);
        THIRD.store(third.0, Ordering::Relaxed);
        Root(Partner::start(&Home::own(), BESIDE, SERVED, serve))
    }

    /// The capability to send to it.
    pub fn name(&self) -> CapName {
        self.0.name()
    }
}

/// The first `pages` pages, a power of two, with rights.
fn fpage(pages: u32, rights: Rights) -> Fpage {
    Fpage::new(FIRST.load(Ordering::Relaxed), pages.ilog2(), rights.bits())
}

fn serve(served: u32) {
    let third = CapName(THIRD.load(Ordering::Relaxed));
    let mut received = stub::call(Call::Receive, [served, 0, 0, 0]);
    while let (stub::OK, [_, tag, first, second]) = received {
        let answer = match Tag(tag).label() {
            PAGE_FAULT => with_item(RESUME, pool::item(fpage(1, Rights::WRITE), first & !(FRAME - 1))),
            MAP => with_item(0, pool::item(fpage(first, Rights::WRITE), second)),
            PASS => {
                let [_, tag, one, two] = with_item(0, pool::item(fpage(first, Rights::WRITE), second));
                [0, 0, stub::status(Call::Call, [third.0, tag, one, two]), 0]
            }
            _ => [0, 0, pool::unmap(fpage(first, Rights::NONE), false), 0],
        };
        received = stub::call(Call::ReplyReceive, [served, answer[1], answer[2], answer[3]]);
    }
}

/// The registers of a message of one item.
const fn with_item(label: u16, item: [u32; 2]) -> [u32; 4] {
    [0, Tag::new(label, 0).with_items(1).0, item[0], item[1]]
}
