//! A new program from an ELF file: its space, its first memory, its capabilities, its first thread.
//!
//! What must hold: everything that belongs to the program stands on frames in a row (and further rows
//! for more memory), lent through one capability each, so that reclaiming them ends all of it. Every
//! capability that is given hangs on a proxy in a slot of the giver's, so that taking it back from this
//! one receiver is deleting the proxy. The child gets what is listed, and nothing else.

use alloc::vec::Vec;

use freehold_abi::info::{place, start as names};
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME, NODE_SLOTS};
use freehold_abi::update::{UPDATES_MAX, Update};
use freehold_abi::{CapName, Error, Rights, SlotRef};

use crate::calls::{self, Lend, ThreadPlace};
use crate::child::Child;
use crate::image::{Image, ImageError, Page};
use crate::layout::SCRATCH;
use crate::lock::Mutex;
use crate::roots::Extent;
use crate::slots::Slot;
use crate::start_page::{Full, Memory, StartPage};
use crate::{memory, start};

/// Which part of the giver's capability is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it (an endpoint or notification keeps its badge).
    Whole,
    /// An endpoint or notification under this badge.
    Badge(u32),
    /// Entries of a container.
    Range {
        /// First entry, counted in the giver's range.
        first: u32,
        /// Entries, 1 to 1,024.
        count: u32,
    },
    /// I/O ports.
    Ports {
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
}

/// A capability that a program is given.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The name under which the program finds it, 1 to 16 bytes. `console`, `records`, `exit` and `pager`
    /// (which hears of the first thread's faults) mean something to the runtime.
    pub name: &'a str,
    /// The giver's capability.
    pub source: CapName,
    /// Rights, as far as the giver has them.
    pub rights: Rights,
    /// Which part of it.
    pub part: Part,
    /// What may be derived from it.
    pub total: u32,
}

impl<'a> Grant<'a> {
    /// The right to send to an endpoint (or notify) under a badge.
    pub const fn send(name: &'a str, endpoint: CapName, badge: u32) -> Grant<'a> {
        Grant { name, source: endpoint, rights: Rights::SEND, part: Part::Badge(badge), total: 0 }
    }

    /// The right to receive from an endpoint, or to wait for a notification.
    pub const fn receive(name: &'a str, endpoint: CapName) -> Grant<'a> {
        Grant { name, source: endpoint, rights: Rights::RECEIVE, part: Part::Whole, total: 0 }
    }

    /// A space, a thread, an interrupt line; or an endpoint or notification under the badge that it has.
    pub const fn whole(name: &'a str, source: CapName, rights: Rights, total: u32) -> Grant<'a> {
        Grant { name, source, rights, part: Part::Whole, total }
    }

    /// A range of I/O ports.
    pub const fn ports(name: &'a str, ports: CapName, first: u16, last: u16) -> Grant<'a> {
        Grant { name, source: ports, rights: Rights::USE, part: Part::Ports { first, last }, total: 0 }
    }

    /// All 1,024 entries of a container. Hooking it costs 1 of `total` each time.
    pub const fn container(name: &'a str, container: CapName, rights: Rights, total: u32) -> Grant<'a> {
        let part = Part::Range { first: 0, count: ENTRIES };
        Grant { name, source: container, rights, part, total }
    }
}

/// A program to be started.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The ELF file.
    pub file: &'a [u8],
    /// Its arguments.
    pub arguments: &'a str,
    /// What it is given.
    pub grants: &'a [Grant<'a>],
    /// Free frames of its own, beside those that it begins with. A heap needs 4 for a Table and 8 more.
    pub frames: u32,
    /// What derivations each of its frames allows; at least 3.
    pub lend: Lend,
    /// What may be derived from the capabilities to its free frames.
    pub memory_total: u32,
    /// Tables that its page-table area has room for, at least 2.
    pub area_pages: u32,
    /// Pages of its first stack, 1 to 16.
    pub stack_pages: u32,
    /// Priority of its first thread.
    pub priority: u8,
    /// Whether that may use the FPU.
    pub fpu: bool,
}

impl<'a> Program<'a> {
    /// A program without arguments and capabilities, with 64 free frames, 32 KiB of stack, priority 8.
    pub const fn new(file: &'a [u8]) -> Program<'a> {
        Program {
            file,
            arguments: "",
            grants: &[],
            frames: 64,
            lend: Lend::LARGEST,
            memory_total: 256,
            area_pages: 1024,
            stack_pages: 8,
            priority: 8,
            fpu: false,
        }
    }
}

/// Why a program was not made. What had been made of it is gone again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The file is no program.
    Image(ImageError),
    /// Not so many free frames, or not in a row.
    OutOfMemory,
    /// No slot left.
    OutOfSlots,
    /// Its start page cannot hold what it is given.
    StartPage(Full),
    /// The kernel refused something; what, and why.
    Kernel(&'static str, Error),
}

impl From<Full> for LoadError {
    fn from(full: Full) -> LoadError {
        LoadError::StartPage(full)
    }
}

/// Says in which step the kernel refused.
trait Step<T> {
    fn step(self, name: &'static str) -> Result<T, LoadError>;
}

impl<T> Step<T> for Result<T, Error> {
    fn step(self, name: &'static str) -> Result<T, LoadError> {
        self.map_err(|error| LoadError::Kernel(name, error))
    }
}

impl<T> Step<T> for Result<T, calls::Stop> {
    fn step(self, name: &'static str) -> Result<T, LoadError> {
        self.map_err(|stop| LoadError::Kernel(name, stop.error))
    }
}

/// The frames that every program begins with, in the order in which they lie. Those of four come first.
mod frame {
    pub const SPACE: u32 = 0;
    pub const AREA: u32 = 4;
    pub const TABLE: u32 = 8;
    pub const NODE: u32 = 12;
    pub const THREAD: u32 = 13;
    pub const UTCB: u32 = 14;
    pub const START_PAGE: u32 = 15;
    pub const STACK: u32 = 16;
}

/// Pages at [`SCRATCH`] are used by one thread at a time.
static SCRATCH_IN_USE: Mutex<()> = Mutex::new(());

/// Makes a program; it does not run yet ([`Child::start`]).
///
/// # Errors
/// [`LoadError`].
///
/// # Panics
/// If the stack has no page, or more than the program's addresses have room for.
pub fn load(program: &Program<'_>) -> Result<Child, LoadError> {
    assert!((1..=place::STACK_BYTES / FRAME).contains(&program.stack_pages));
    let image = Image::parse(program.file).map_err(LoadError::Image)?;
    let own = (frame::STACK + program.stack_pages + image.page_count()).next_multiple_of(4);
    let extents = frames(own, own + program.frames)?;
    let loader = Loader { program, image, own, child: Child::new(extents).ok_or(LoadError::OutOfSlots)? };
    loader.run()
}

/// Takes `total` frames, the first `together` of them in a row.
fn frames(together: u32, total: u32) -> Result<Vec<Extent>, LoadError> {
    let mut extents = Vec::new();
    let mut left = total;
    while left != 0 {
        let extent = memory::take_up_to(left.min(ENTRIES), 4);
        extents.extend(extent);
        match extent {
            Some(extent) if !extents.is_empty() && extents[0].count >= together => left -= extent.count,
            _ => {
                extents.into_iter().for_each(memory::give_back);
                return Err(LoadError::OutOfMemory);
            }
        }
    }
    Ok(extents)
}

struct Loader<'a> {
    program: &'a Program<'a>,
    image: Image<'a>,
    /// Frames that the program begins with; behind them are its free ones.
    own: u32,
    child: Child,
}

impl Loader<'_> {
    /// Whatever goes wrong, dropping the child undoes it.
    fn run(mut self) -> Result<Child, LoadError> {
        self.lend()?;
        self.make_space()?;
        self.fill_image()?;
        let mut page = StartPage::new(start::cpu());
        page.set_arguments(self.program.arguments)?;
        let next = self.give_grants(&mut page)?;
        let next = self.give_memory(&mut page, next)?;
        page.first_slot = next;
        page.slots = NODE_SLOTS;
        self.child.pager = page.capability("pager").unwrap_or(CapName::NONE);
        self.make_thread()?;
        self.fill_start_page(&page)?;
        Ok(self.child)
    }

    /// A proxy for each extent: from here on the frames are the child's.
    fn lend(&mut self) -> Result<(), LoadError> {
        for extent in &self.child.extents {
            let proxy = Slot::take().ok_or(LoadError::OutOfSlots)?;
            let range = calls::range(extent.first, extent.count);
            let total = self.program.memory_total.saturating_add(1);
            calls::lend(extent.container, proxy.reference(), Rights::ALL, range, self.program.lend, total)
                .step("lend memory")?;
            self.child.lent.push(proxy);
        }
        Ok(())
    }

    /// The container of all that the program begins with.
    fn container(&self) -> CapName {
        self.child.lent[0].name()
    }

    fn make_space(&mut self) -> Result<(), LoadError> {
        let (container, space) = (self.container(), self.child.space());
        let (area, pages) = (place::AREA, self.program.area_pages);
        calls::make_space(container, frame::SPACE, self.child.space.reference(), area, pages)
            .step("make the space")?;
        calls::make_table(container, frame::AREA, SlotRef::default(), space).step("make the area's Table")?;
        calls::make_table(container, frame::TABLE, self.child.table.reference(), space)
            .step("make the first Table")?;
        let index = place::IMAGE / BLOCK;
        calls::hook(self.child.table.name(), space, index, Rights::WRITE).step("hook the first Table")?;
        calls::make_cap_node(container, frame::NODE, space, 0).step("make the capability node")?;
        self.give(self.child.space(), names::SPACE).step("give the space")?;
        let bottom = place::STACK_END - self.program.stack_pages * FRAME;
        let stack = self.mapping(frame::STACK, self.program.stack_pages, bottom, Rights::WRITE);
        calls::update(&[stack]).step("map the stack")
    }

    /// Derives a capability of the parent's to an object of the child's for the child itself.
    fn give(&self, object: CapName, name: CapName) -> Result<(), Error> {
        let total = if self.program.lend.total() >= 32 { 8 } else { 0 };
        calls::derive(object, SlotRef::of(self.child.space(), name), Rights::ALL, 0, total)
    }

    /// An update from the program's own frames to its space.
    fn mapping(&self, frame: u32, count: u32, address: u32, rights: Rights) -> Update {
        Update {
            source: self.container(),
            first: frame,
            count,
            destination: self.child.space(),
            page: address / FRAME,
            rights,
            total_code: 0,
        }
    }

    fn fill_image(&self) -> Result<(), LoadError> {
        let mut pages = self.image.pages();
        let mut frame = frame::STACK + self.program.stack_pages;
        loop {
            let batch: Vec<Page<'_>> = pages.by_ref().take(UPDATES_MAX as usize).collect();
            if batch.is_empty() {
                return Ok(());
            }
            if batch.iter().any(|page| !page.contents.is_empty()) {
                self.write(frame, batch.len() as u32, |window| {
                    for (page, place) in batch.iter().zip(window.chunks_exact_mut(FRAME as usize)) {
                        place[page.offset..page.offset + page.contents.len()].copy_from_slice(page.contents);
                    }
                })?;
            }
            let updates: Vec<Update> = batch
                .iter()
                .zip(frame..)
                .map(|(page, frame)| {
                    let rights = if page.writable { Rights::WRITE } else { Rights::NONE };
                    self.mapping(frame, 1, page.address, rights)
                })
                .collect();
            calls::update(&updates).step("map the image")?;
            frame += batch.len() as u32;
        }
    }

    /// Lets `work` write `count` of the program's frames, which are clear, through the scratch pages.
    fn write(&self, frame: u32, count: u32, work: impl FnOnce(&mut [u8])) -> Result<(), LoadError> {
        let _in_use = SCRATCH_IN_USE.lock();
        let update =
            Update { destination: CapName::NONE, ..self.mapping(frame, count, SCRATCH, Rights::WRITE) };
        calls::update(&[update]).step("map scratch pages")?;
        // SAFETY: the pages were just mapped here, writable, and the lock keeps them ours.
        work(unsafe { core::slice::from_raw_parts_mut(SCRATCH as *mut u8, (count * FRAME) as usize) });
        memory::unmap(SCRATCH, count).step("unmap scratch pages")
    }

    /// Gives what is listed, in that order; returns the next free slot of the child's.
    fn give_grants(&mut self, page: &mut StartPage) -> Result<u32, LoadError> {
        let mut next = start::GIVEN.0;
        for grant in self.program.grants {
            let name = CapName(next);
            page.name(grant.name, name)?;
            let proxy = Slot::take().ok_or(LoadError::OutOfSlots)?;
            let above = grant.total.saturating_add(1);
            self.derive(grant, grant.source, proxy.reference(), grant.part.of_source(), above)
                .step("make a grant's proxy")?;
            let slot = SlotRef::of(self.child.space(), name);
            self.derive(grant, proxy.name(), slot, grant.part.of_proxy(), grant.total)
                .step("give a grant")?;
            self.child.proxies.push(proxy);
            next += 1;
        }
        Ok(next)
    }

    fn derive(
        &self,
        grant: &Grant<'_>,
        from: CapName,
        to: SlotRef,
        argument: u32,
        total: u32,
    ) -> Result<(), Error> {
        match grant.part {
            Part::Range { .. } => calls::lend(from, to, grant.rights, argument, self.program.lend, total),
            _ => calls::derive(from, to, grant.rights, argument, total),
        }
    }

    /// Gives the free frames; returns the next free slot of the child's.
    fn give_memory(&self, page: &mut StartPage, mut next: u32) -> Result<u32, LoadError> {
        for (index, (extent, proxy)) in self.child.extents.iter().zip(&self.child.lent).enumerate() {
            let first = if index == 0 { self.own } else { 0 };
            let count = extent.count - first;
            if count == 0 {
                continue;
            }
            let (name, range) = (CapName(next), calls::range(first, count));
            page.give(Memory { container: name, count })?;
            let slot = SlotRef::of(self.child.space(), name);
            let total = self.program.memory_total;
            calls::lend(proxy.name(), slot, Rights::ALL, range, self.program.lend, total)
                .step("give memory")?;
            next += 1;
        }
        Ok(next)
    }

    fn make_thread(&mut self) -> Result<(), LoadError> {
        let place = ThreadPlace {
            container: self.container(),
            thread: frame::THREAD,
            utcb: frame::UTCB,
            space: self.child.space(),
            address: place::UTCB,
            fpu: self.program.fpu,
        };
        calls::make_thread(place, self.child.thread.reference()).step("make the thread")?;
        self.give(self.child.thread(), names::THREAD).step("give the thread")?;
        self.child.entry = self.image.entry();
        self.child.priority = self.program.priority;
        Ok(())
    }

    fn fill_start_page(&self, page: &StartPage) -> Result<(), LoadError> {
        self.write(frame::START_PAGE, 1, |window| {
            for (place, word) in window.chunks_exact_mut(4).zip(page.words()) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        })?;
        let update = self.mapping(frame::START_PAGE, 1, place::BOOT_INFO, Rights::NONE);
        calls::update(&[update]).step("map the start page")
    }
}

impl Part {
    /// The argument of the derivation from the giver's capability.
    fn of_source(self) -> u32 {
        match self {
            Part::Whole => 0,
            Part::Badge(badge) => badge,
            Part::Range { first, count } => calls::range(first, count),
            Part::Ports { first, last } => calls::ports(first, last),
        }
    }

    /// The argument of the derivation from the proxy, which has the badge and the range already.
    fn of_proxy(self) -> u32 {
        match self {
            Part::Whole | Part::Badge(_) => 0,
            Part::Range { count, .. } => calls::range(0, count),
            Part::Ports { .. } => self.of_source(),
        }
    }
}
