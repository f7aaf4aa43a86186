//! How many frames there are of each type.
//!
//! What must hold: when everything that was made has been destroyed, all counts are what they were.

use freehold_rt::calls;

const TYPES: usize = freehold_rt::abi::info::FRAME_TYPES.len();

/// A count of all frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames([u32; TYPES]);

impl Frames {
    /// The frames as they are now.
    ///
    /// # Panics
    /// If the kernel does not know one of the types.
    pub fn now() -> Frames {
        Frames(core::array::from_fn(|kind| calls::frames_of_type(kind as u32).expect("a type of frames")))
    }

    /// Frames of the type with this number.
    ///
    /// # Panics
    /// If there is no such type.
    pub fn of(&self, kind: usize) -> u32 {
        self.0[kind]
    }

    /// Frames that can be mapped.
    pub fn data(&self) -> u32 {
        self.0[0]
    }
}
