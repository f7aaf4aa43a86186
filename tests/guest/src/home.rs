//! Spaces that the tests' threads live in.
//!
//! What must hold: in every one of them the program's image lies where it lies in the first, by a hook on
//! the same Table, so that any function of the program can run in any of them and sees the same statics.
//! The heap is the first space's alone. Threads stand at [`BLOCKS_INDEX`], in a Table of the space's own.

use freehold_abi::info::place;
use freehold_abi::layout::{BLOCK, ENTRIES};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, SlotRef, calls, memory};

/// The capability to the Table that holds the first program's image: the kernel keeps it in the last slot
/// of the last node.
pub const IMAGE_TABLE: CapName = CapName::new(freehold_abi::info::start::NODES - 1, 127);
/// Directory index of the Table in which threads have their blocks.
pub const BLOCKS_INDEX: u32 = 256;
/// First address of the threads' blocks.
pub const BLOCKS: u32 = BLOCKS_INDEX * BLOCK;

/// Frames of a space: Directory, two Tables, a node.
pub const FRAMES: u32 = 13;

/// A space.
#[derive(Debug)]
pub struct Home(Option<Foreign>);

#[derive(Debug)]
struct Foreign {
    frames: Extent,
    space: Slot,
    table: Slot,
}

impl Home {
    /// The program's own space.
    pub const fn own() -> Home {
        Home(None)
    }

    /// Makes the Table for threads in the own space.
    pub(crate) fn prepare_own() {
        memory::grow(BLOCKS_INDEX).expect("memory for a Table");
    }

    /// Makes another space.
    ///
    /// # Panics
    /// If memory or slots are used up, or the kernel refuses.
    pub fn new() -> Home {
        Home::with_area(place::AREA)
    }

    /// The same with its page-table area at `area`.
    ///
    /// # Panics
    /// As [`Home::new`].
    pub fn with_area(area: u32) -> Home {
        let frames = memory::take(FRAMES, 4).expect("memory for a space");
        Home::build(frames, frames.container, frames.first, area)
    }

    /// Makes another space of frames that were lent: `lent` is a container that begins with them.
    ///
    /// # Panics
    /// As [`Home::new`].
    pub fn of_lent(frames: Extent, lent: CapName) -> Home {
        Home::build(frames, lent, 0, place::AREA)
    }

    /// Makes another space whose Directory somebody else makes, of the first four of the frames, and which it has a
    /// capability to in the slot.
    ///
    /// # Panics
    /// As [`Home::new`].
    pub fn made_by(maker: impl FnOnce(Extent, &Slot)) -> Home {
        let frames = memory::take(FRAMES, 4).expect("memory for a space");
        let space = Slot::take().expect("a slot");
        maker(frames, &space);
        Home::furnish(frames, frames.container, frames.first, space)
    }

    fn build(frames: Extent, container: CapName, first: u32, area: u32) -> Home {
        let space = Slot::take().expect("a slot");
        calls::make_space(container, first, space.reference(), area, ENTRIES).expect("a space");
        Home::furnish(frames, container, first, space)
    }

    fn furnish(frames: Extent, container: CapName, first: u32, space: Slot) -> Home {
        let table = Slot::take().expect("a slot");
        calls::make_table(container, first + 4, SlotRef::default(), space.name()).expect("an area");
        calls::make_table(container, first + 8, table.reference(), space.name()).expect("a Table");
        calls::hook(table.name(), space.name(), BLOCKS_INDEX, Rights::WRITE).expect("a hook");
        calls::hook(IMAGE_TABLE, space.name(), place::IMAGE / BLOCK, Rights::WRITE).expect("the image");
        calls::make_cap_node(container, first + 12, space.name(), 0).expect("a node");
        Home(Some(Foreign { frames, space, table }))
    }

    /// The capability to the space; [`CapName::NONE`] for the own one.
    pub fn space(&self) -> CapName {
        self.0.as_ref().map_or(CapName::NONE, |foreign| foreign.space.name())
    }

    /// The capability to the Table at [`BLOCKS_INDEX`] of another space.
    ///
    /// # Panics
    /// For the own space.
    pub fn table(&self) -> CapName {
        self.0.as_ref().expect("another space").table.name()
    }

    /// The frames of another space: Directory (4), the area's Table (4), a Table (4), a node (1).
    ///
    /// # Panics
    /// For the own space.
    pub fn frames(&self) -> Extent {
        self.0.as_ref().expect("another space").frames
    }

    /// Slot `name` of the space.
    pub fn slot(&self, name: CapName) -> SlotRef {
        SlotRef::of(self.space(), name)
    }

    /// Gives the space a capability, derived from one of the program's own.
    ///
    /// # Panics
    /// If the kernel refuses.
    pub fn give(&self, name: CapName, source: CapName, rights: Rights, argument: u32) {
        calls::derive(source, self.slot(name), rights, argument, 0).expect("a capability given");
    }
}

impl Default for Home {
    fn default() -> Home {
        Home::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(foreign) = &self.0 {
            let released = memory::release(foreign.frames);
            crate::check_eq!(released, Ok(()), "a space's frames");
        }
    }
}
