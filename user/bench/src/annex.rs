//! Tables that exist for a while.

use freehold_abi::info::start::SPACE;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::Frames;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, calls};

/// First directory index that nothing else uses.
pub const INDEX: u32 = 300;

/// A Table of a space, hooked there; gone when this is dropped.
#[derive(Debug)]
pub struct Annex {
    /// Reclaimed first, which takes the hook back, too.
    _frames: Frames,
    /// The hook hangs on the capability.
    slot: Slot,
}

impl Annex {
    /// Makes one in the program's own space.
    ///
    /// # Panics
    /// If memory or slots are used up, or the kernel refuses.
    pub fn own(index: u32) -> Annex {
        Annex::build(SPACE, CapName::NONE, index)
    }

    /// Makes one in another space.
    ///
    /// # Panics
    /// As [`Annex::own`].
    pub fn of(home: &Home, index: u32) -> Annex {
        Annex::build(home.space(), home.space(), index)
    }

    /// The capability to it.
    pub fn name(&self) -> CapName {
        self.slot.name()
    }

    fn build(owner: CapName, space: CapName, index: u32) -> Annex {
        let (frames, slot) = (Frames::take(4, 4), Slot::take().expect("a slot"));
        calls::make_table(frames.container(), frames.at(0), slot.reference(), owner).expect("a Table");
        calls::hook(slot.name(), space, index, Rights::WRITE).expect("a hook");
        Annex { _frames: frames, slot }
    }
}
