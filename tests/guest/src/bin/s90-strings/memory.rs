//! Memory that an actor and the first thread see at the same addresses: 8 MiB in two Tables side by side.
//!
//! What must hold: a page that is missing in the actor's space is missing here too; its frame and what it holds
//! stay, so that it can be put back. Every byte of the source is told by its address.

use alloc::vec::Vec;

use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{Frames, update};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Rights, calls, memory};

/// What stands where nothing has arrived.
pub const GUARD: u8 = 0xA5;

/// The Tables and the frames behind their entries.
pub struct Memory {
    /// Directory index of the first Table.
    index: u32,
    _tables: Frames,
    slots: [Slot; 2],
    /// First page, and the frames from there on.
    frames: Vec<(u32, Extent)>,
}

impl Memory {
    /// Two Tables at `index` in this space and in `home`, without a page.
    pub fn new(index: u32, home: &Home) -> Memory {
        let tables = Frames::take(8, 4);
        let slots = [Slot::take().expect("a slot"), Slot::take().expect("a slot")];
        for (number, slot) in slots.iter().enumerate() {
            let at = tables.at(4 * number as u32);
            check_eq!(calls::make_table(tables.container(), at, slot.reference(), CapName::NONE), Ok(()));
        }
        let memory = Memory { index, _tables: tables, slots, frames: Vec::new() };
        memory.hook(&Home::own());
        if home.space() != CapName::NONE {
            memory.hook(home);
        }
        memory
    }

    /// Shows it in another space, too.
    pub fn hook(&self, home: &Home) {
        for (number, slot) in self.slots.iter().enumerate() {
            let hooked = calls::hook(slot.name(), home.space(), self.index + number as u32, Rights::WRITE);
            check_eq!(hooked, Ok(()));
        }
    }

    /// Shows the first Table in another space once more, at `index`.
    pub fn hook_at(&self, home: &Home, index: u32) {
        check_eq!(calls::hook(self.slots[0].name(), home.space(), index, Rights::WRITE), Ok(()));
    }

    /// Lets the two Tables of `home` change places.
    pub fn hook_crosswise(&self, home: &Home) {
        for (place, slot) in (self.index..).zip(self.slots.iter().rev()) {
            check_eq!(calls::unhook(home.space(), place), Ok(()));
            check_eq!(calls::hook(slot.name(), home.space(), place, Rights::WRITE), Ok(()));
        }
    }

    /// First address.
    pub const fn base(&self) -> u32 {
        self.index * BLOCK
    }

    /// Address of page `page`.
    pub const fn page(&self, page: u32) -> u32 {
        self.base() + page * FRAME
    }

    /// Puts fresh frames behind `count` pages from `page` on.
    pub fn back(&mut self, page: u32, count: u32) {
        let mut done = 0;
        while done < count {
            let extent = memory::take_up_to(count - done, 1).expect("memory for a test");
            self.frames.push((page + done, extent));
            self.map(page + done, extent, Rights::WRITE);
            done += extent.count;
        }
    }

    /// Takes all frames back.
    pub fn clear(&mut self) {
        for (_, extent) in self.frames.drain(..) {
            check_eq!(memory::release(extent), Ok(()), "a test's frames");
        }
    }

    fn map(&self, page: u32, extent: Extent, rights: Rights) {
        let mut done = 0;
        while done < extent.count {
            let at = page + done;
            let count = (extent.count - done).min(1024 - at % 1024);
            let source = (extent.container, extent.first + done);
            let table = self.slots[at as usize / 1024].name();
            check_eq!(calls::update(&[update(source, count, table, at % 1024, rights, 0)]), Ok(()));
            done += count;
        }
    }

    /// Lets `count` pages from `page` on be missing.
    pub fn remove(&self, page: u32, count: u32) {
        for at in page..page + count {
            check_eq!(calls::unmap(self.slots[at as usize / 1024].name(), at % 1024, 1), Ok(()));
        }
    }

    /// Puts a missing page back, with these rights.
    pub fn restore_as(&self, page: u32, rights: Rights) {
        let behind = |&&(first, extent): &&(u32, Extent)| (first..first + extent.count).contains(&page);
        let (first, extent) = self.frames.iter().find(behind).expect("a page that was backed");
        let (_, rest) = extent.split(page - first);
        self.map(page, rest.split(1).0, rights);
    }

    /// Puts missing pages back.
    pub fn restore(&self, page: u32, count: u32) {
        (page..page + count).for_each(|page| self.restore_as(page, Rights::WRITE));
    }

    /// The page that holds `address`.
    pub fn page_of(&self, address: u32) -> u32 {
        (address - self.base()) / FRAME
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What stands at an address of the source.
pub const fn pattern(address: u32) -> u8 {
    (address.wrapping_mul(0x9E37_79B1) >> 23) as u8
}

pub fn byte(address: u32) -> u8 {
    // SAFETY: a page that the test has mapped; no reference to it exists.
    unsafe { (address as *const u8).read_volatile() }
}

pub fn set_byte(address: u32, value: u8) {
    // SAFETY: as above.
    unsafe { (address as *mut u8).write_volatile(value) }
}

/// Fills source memory.
pub fn fill(region: Part) {
    (region.address..region.address + region.bytes).for_each(|address| set_byte(address, pattern(address)));
}

/// Fills memory of the destination.
pub fn guard(region: Part) {
    (region.address..region.address + region.bytes).for_each(|address| set_byte(address, GUARD));
}

/// Whether the first `bytes` of `strings` stand at the beginning of `buffers`, and all other bytes of `regions`
/// are as [`guard`] left them. Puts guards everywhere again.
pub fn arrived(strings: &[Part], buffers: &[Part], bytes: u32, regions: &[Part]) -> bool {
    let (mut from, mut to) = (strings.iter().copied(), buffers.iter().copied());
    let (mut source, mut destination) = (Part { address: 0, bytes: 0 }, Part { address: 0, bytes: 0 });
    let mut right = true;
    for _ in 0..bytes {
        if source.bytes == 0 {
            source = from.next().expect("so many bytes are sent");
        }
        if destination.bytes == 0 {
            destination = to.next().expect("so many bytes fit");
        }
        right &= byte(destination.address) == pattern(source.address);
        set_byte(destination.address, GUARD);
        source = Part { address: source.address + 1, bytes: source.bytes - 1 };
        destination = Part { address: destination.address + 1, bytes: destination.bytes - 1 };
    }
    let clean = |region: &Part| {
        (region.address..region.address.wrapping_add(region.bytes)).all(|address| byte(address) == GUARD)
    };
    right && regions.iter().all(clean)
}
