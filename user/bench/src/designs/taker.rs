//! A thread that lets map items come to any address of its space.

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_abi::message::ITEMS_MAX;
use freehold_abi::{CapName, Rights};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_rt::{Message, Utcb, calls};

use super::partner::{self, Partner};
use super::pool::Given;
use crate::ipc::{BESIDE, SERVED};

/// The thread.
#[derive(Debug)]
pub struct Taker(Partner);

impl Taker {
    /// Starts it in `home`.
    pub fn start(home: &Home) -> Taker {
        Taker(Partner::start(home, BESIDE, SERVED, take))
    }

    /// Maps the first page of `given` at `count` pages from page number `first` on.
    pub fn map(&self, given: &Given, first: u32, count: u32) {
        let fpage = Fpage::new(given.at(0), 0, Rights::WRITE.bits());
        let mut done = 0;
        while done < count {
            let batch = (count - done).min(ITEMS_MAX);
            let items = (0..batch).map(|item| MapItem { fpage, hot_spot: first + done + item, grant: false });
            if !self.take(items) {
                return;
            }
            done += batch;
        }
    }

    /// Maps pages of this space, a power of two, to an address.
    pub fn map_on(&self, fpage: Fpage, address: u32) {
        self.take([MapItem { fpage, hot_spot: address / FRAME, grant: false }].into_iter());
    }

    fn take(&self, items: impl Iterator<Item = MapItem>) -> bool {
        let mut message = Message::new(0);
        items.for_each(|item| message.push_map(item));
        let call = || calls::call(self.0.name(), &message).map(|_| ());
        check_eq!(Utcb::current().within((FOREVER, FOREVER), call), Ok(()), "map items")
    }
}

fn take(served: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    partner::serve(served, |_, _| [0, 0]);
}

/// Mappings of the pool's in a space.
pub fn mappings(space: CapName) -> u32 {
    calls::account(space).expect("a space").mappings
}
