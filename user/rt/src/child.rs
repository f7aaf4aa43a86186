//! A program that this one has made, and its end.

use alloc::vec::Vec;

use freehold_abi::info::place::STACK_END;
use freehold_abi::{CapName, Error};

use crate::calls::{self, Stop};
use crate::memory;
use crate::roots::Extent;
use crate::slots::Slot;

/// A program. It lives as long as this value: dropping it destroys the program.
#[derive(Debug)]
pub struct Child {
    /// Its frames, lent to it.
    pub(crate) extents: Vec<Extent>,
    /// The proxies through which they are lent, in the same order.
    pub(crate) lent: Vec<Slot>,
    /// The proxies of what it was given, in the order of the grants.
    pub(crate) proxies: Vec<Slot>,
    pub(crate) space: Slot,
    pub(crate) thread: Slot,
    /// Its first Table.
    pub(crate) table: Slot,
    /// Its pager's endpoint, as the child names it.
    pub(crate) pager: CapName,
    pub(crate) entry: u32,
    pub(crate) priority: u8,
}

impl Child {
    /// Frames and slots for a program of which nothing else exists yet. `None`: no slots are left, and
    /// the frames have been given back.
    pub(crate) fn new(extents: Vec<Extent>) -> Option<Child> {
        let slots = Slot::take().zip(Slot::take()).zip(Slot::take());
        let Some(((space, thread), table)) = slots else {
            extents.into_iter().for_each(memory::give_back);
            return None;
        };
        Some(Child {
            extents,
            lent: Vec::new(),
            proxies: Vec::new(),
            space,
            thread,
            table,
            pager: CapName::NONE,
            entry: 0,
            priority: 0,
        })
    }

    /// The capability to its space, with every right.
    pub fn space(&self) -> CapName {
        self.space.name()
    }

    /// The capability to its first thread.
    pub fn thread(&self) -> CapName {
        self.thread.name()
    }

    /// The proxy of grant `index`: deleting or revoking it takes back what was given.
    pub fn proxy(&self, index: usize) -> Option<CapName> {
        self.proxies.get(index).map(Slot::name)
    }

    /// Frames lent to it.
    pub fn frames(&self) -> u32 {
        self.extents.iter().map(|extent| extent.count).sum()
    }

    /// Lets its first thread run.
    ///
    /// # Errors
    /// BadState if it runs already; OutOfRange for a priority above the own highest.
    pub fn start(&self) -> Result<(), Error> {
        calls::start_thread(self.thread(), self.entry, STACK_END, self.pager, self.priority)
    }

    /// Ends it, whatever it is doing, and takes everything back: what it was given, and every frame that
    /// it or its objects stood on. Returns their number.
    ///
    /// # Errors
    /// A [`Stop`]: a frame could not be reclaimed; it and those behind it stay out of use.
    pub fn destroy(mut self) -> Result<u32, Stop> {
        self.take_back()
    }

    /// Idempotent.
    fn take_back(&mut self) -> Result<u32, Stop> {
        // What it holds goes first, so that it can do nothing with its memory while that goes.
        self.proxies.clear();
        self.lent.clear();
        let mut frames = 0;
        let mut result = Ok(());
        for extent in self.extents.drain(..) {
            match memory::release(extent) {
                Ok(()) => frames += extent.count,
                Err(stop) => result = result.and(Err(stop)),
            }
        }
        result.map(|()| frames)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // `destroy` is for those who want to know.
        let _ = self.take_back();
    }
}
