//! Frames that are the pool's to map, given to the test's own space.

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::Frames;
use freehold_rt::calls::{self, range};
use freehold_rt::{CapName, Error, Rights};

/// Where they are mapped: nothing else is.
pub const AT: u32 = 0x6000_0000;

/// Frames, reclaimed when dropped.
pub struct Gift {
    pub frames: Frames,
}

impl Gift {
    /// `count` frames at [`AT`].
    ///
    /// # Panics
    /// If the kernel refuses.
    pub fn new(count: u32) -> Gift {
        let gift = Gift { frames: Frames::take(count, 1) };
        gift.to(CapName::NONE, AT, Rights::WRITE).expect("frames given");
        gift
    }

    /// Gives the frames to a space.
    ///
    /// # Errors
    /// The kernel's.
    pub fn to(&self, space: CapName, address: u32, rights: Rights) -> Result<(), Error> {
        let range = range(self.frames.at(0), self.frames.count());
        calls::give(self.frames.container(), range, space, address, rights)
    }
}

/// Address of page `number` of a gift.
pub const fn own(number: u32) -> u32 {
    AT + number * FRAME
}
