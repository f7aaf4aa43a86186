//! Memory of the first program's whose pages come and go: requests and replies of clients that it plays.
//!
//! What must hold: nothing lies here that Rust knows of, but the bytes that a function below is asked for; they
//! are asked for by one thread at a time.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::abi::fault::{ACCESS_WRITE, PAGE_FAULT, RESUME, STOP};
use freehold_rt::abi::layout::{BLOCK, FRAME};
use freehold_rt::abi::update::Update;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::{CapName, Message, Rights, calls, memory, serve};

use crate::actor::new_endpoint;
use crate::failure::Failure;

/// Where it lies.
pub const AT: u32 = 0x5000_0000;
/// Pages of it.
pub const PAGES: u32 = 512;
/// Of the thread that deals with faults there: above all clients.
const PRIORITY: u8 = 13;

/// The memory.
pub struct Ground {
    table: Extent,
    frames: Extent,
    container: Slot,
    pager: Thread,
    faults: Slot,
}

/// For the pager: names of the Table and of the container of the frames, the first of them; faults so far.
static PLACE: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

impl Ground {
    /// Makes it; no page is there.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn new() -> Result<Ground, Failure> {
        let table = memory::take(4, 4).ok_or(Failure::NoMemory)?;
        let frames = memory::take(PAGES, 1).ok_or(Failure::NoMemory)?;
        let container = Slot::take().ok_or(Failure::NoSlot)?;
        calls::make_table(table.container, table.first, container.reference(), CapName::NONE)?;
        calls::hook(container.name(), CapName::NONE, AT / BLOCK, Rights::WRITE)?;
        let names = [container.name().0, frames.container.0, frames.first, 0];
        PLACE.iter().zip(names).for_each(|(place, name)| place.store(name, Ordering::Relaxed));
        let faults = new_endpoint()?;
        let pager = thread::spawn(page, faults.name().0, Options::new(PRIORITY))?;
        Ok(Ground { table, frames, container, pager, faults })
    }

    /// Who deals with the faults of a thread that touches pages which are not there: they appear, writable
    /// only when they are written.
    pub fn pager(&self) -> CapName {
        self.faults.name()
    }

    /// The capability to its Table.
    pub fn container(&self) -> CapName {
        self.container.name()
    }

    /// Faults dealt with so far.
    pub fn faults(&self) -> u32 {
        PLACE[3].load(Ordering::Relaxed)
    }

    /// Makes pages present, and what they hold visible.
    ///
    /// # Errors
    /// The kernel's.
    pub fn show(&self, first: u32, count: u32, writable: bool) -> Result<(), Failure> {
        self.hide(first, count)?;
        let rights = if writable { Rights::WRITE } else { Rights::NONE };
        Ok(calls::update(&[update(first, count, rights)])?)
    }

    /// Takes pages away. Their contents stay.
    ///
    /// # Errors
    /// The kernel's.
    pub fn hide(&self, first: u32, count: u32) -> Result<(), Failure> {
        Ok(calls::unmap(self.container.name(), first, count)?)
    }

    /// What the pages from `first` on hold; they are there.
    pub fn bytes(&self, first: u32, count: u32) -> &[u8] {
        // SAFETY: the pages are mapped, as the caller says, and nobody writes them while it looks.
        unsafe { core::slice::from_raw_parts((AT + first * FRAME) as *const u8, count as usize) }
    }

    /// Fills the `count` bytes from page `first` on, whose pages are there and writable, with `value` of each
    /// one's number.
    pub fn fill(&self, first: u32, count: u32, value: impl Fn(u32) -> u8) {
        for index in 0..count {
            // SAFETY: as above; no reference to the bytes exists.
            unsafe { ((AT + first * FRAME + index) as *mut u8).write_volatile(value(index)) };
        }
    }

    /// Gives everything back.
    ///
    /// # Errors
    /// The kernel's.
    pub fn end(self) -> Result<(), Failure> {
        let Ground { table, frames, container, pager, faults } = self;
        drop(faults);
        pager.destroy()?;
        drop(container);
        memory::release(table)?;
        Ok(memory::release(frames)?)
    }
}

fn update(first: u32, count: u32, rights: Rights) -> Update {
    let [table, container, frame, _] = &PLACE;
    Update {
        source: CapName(container.load(Ordering::Relaxed)),
        first: frame.load(Ordering::Relaxed) + first,
        count,
        destination: CapName(table.load(Ordering::Relaxed)),
        page: first,
        rights,
        total_code: 0,
    }
}

/// Serves faults until the endpoint is gone.
fn page(endpoint: u32) {
    serve::serve(CapName(endpoint), |received| {
        let message = received.ok()?.message;
        let page = message.word(0).wrapping_sub(AT) / FRAME;
        if message.label() != PAGE_FAULT || page >= PAGES {
            return Some(Message::new(STOP));
        }
        let writes = message.word(1) & ACCESS_WRITE != 0;
        let rights = if writes { Rights::WRITE } else { Rights::NONE };
        // A page that is there, read-only, is taken away first.
        let _ = calls::unmap(CapName(PLACE[0].load(Ordering::Relaxed)), page, 1);
        let there = calls::update(&[update(page, 1, rights)]).is_ok();
        PLACE[3].fetch_add(1, Ordering::Relaxed);
        Some(Message::new(if there { RESUME } else { STOP }))
    });
}
