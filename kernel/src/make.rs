//! Objects made from frames that the caller supplies.
//!
//! What must hold: all that can fail is checked before the first change; a frame is cleared, after
//! every translation of it is gone, before it is an object.

use freehold_abi::info::Kind;
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME, NODES, UNITS, USER_END};
use freehold_abi::{CapName, Error, Rights};
use freehold_captree::{Link, plant};
use freehold_user_pagetables::layout::{self, IN_NODE, SPACE_NODES, SPACE_THREADS};
use freehold_user_pagetables::{Budget, Donation, FrameType, Memory, total};

use crate::arch::paging;
use crate::caps::Content;
use crate::container::Container;
use crate::errors::cause;
use crate::hooks;
use crate::kernel::Kernel;
use crate::queue::{self, SIBLINGS};
use crate::syscall::{CallResult, Outcome};
use crate::thread::ThreadRef;

/// MakeEndpoint: it lives in the slot.
pub fn endpoint(k: &mut Kernel, t: ThreadRef) -> CallResult {
    in_slot(k, t, Kind::Endpoint)
}

/// MakeNotification: it lives in the slot.
pub fn notification(k: &mut Kernel, t: ThreadRef) -> CallResult {
    in_slot(k, t, Kind::Notification)
}

fn in_slot(k: &mut Kernel, t: ThreadRef, kind: Kind) -> CallResult {
    let slot = k.empty_slot(t, t.args()[0])?;
    k.make_in_slot(slot, kind, 0, 0);
    Ok(Outcome::Done)
}

/// MakeCapNode: 128 slots at an index of a space.
pub fn cap_node(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [container, index, space, node] = t.args();
    let container = Container::of_roots(k, t, container)?;
    let frame = container.frame(k, index, 1)?;
    let directory = k.space(t, CapName::from_word(space))?;
    if node >= NODES {
        return Err(Error::OutOfRange);
    }
    if k.tables.space_field(directory, SPACE_NODES + 4 * node) != 0 {
        return Err(Error::Occupied);
    }
    if !k.units.spend(UNITS / 4) {
        return Ok(Outcome::Again);
    }
    k.make_cap_node(frame, directory, node)?;
    Ok(Outcome::Done)
}

/// MakeSpace: an empty space with a page-table area.
pub fn space(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [container, index, destination, area] = t.args();
    let container = Container::of_roots(k, t, container)?;
    let frame = container.frame(k, index, layout::TABLE_FRAMES)?;
    let slot = k.empty_slot(t, destination)?;
    let (base, pages) = (area & !(ENTRIES - 1), (area & (ENTRIES - 1)) + 1);
    if base % BLOCK != 0 {
        return Err(Error::Misaligned);
    }
    if base >= USER_END {
        return Err(Error::BadAddress);
    }
    if !k.units.spend(UNITS) {
        return Ok(Outcome::Again);
    }
    k.make_space(frame, slot, base, pages)?;
    if k.has_pool {
        hooks::made_space(k, t, frame);
    }
    if t.immediate() & 1 != 0 {
        k.tables.hide_area(frame);
    }
    Ok(Outcome::Done)
}

/// MakeTable: a Table of its own, or one more for a space.
pub fn table(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [container, index, destination, space] = t.args();
    let container = Container::of_roots(k, t, container)?;
    let frame = container.frame(k, index, layout::TABLE_FRAMES)?;
    let space = CapName::from_word(space);
    let directory = match space.0 {
        0 => None,
        _ => Some(k.space(t, space)?),
    };
    // The area's own Table is the kernel's to write, so nobody gets a capability to it.
    let is_area = directory.is_some_and(|directory| k.tables.area_table(directory).is_none());
    let slot = if is_area { None } else { Some(k.empty_slot(t, destination)?) };
    if !k.units.spend(UNITS) {
        return Ok(Outcome::Again);
    }
    k.make_table(frame, slot, directory)?;
    Ok(Outcome::Done)
}

/// MakeThread: a stopped thread in a space, with its UTCB.
pub fn thread(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [container, indices, destination, place] = t.args();
    let container = Container::of_roots(k, t, container)?;
    let frame = container.frame(k, indices & 0x3FF, 1)?;
    let utcb = container.frame(k, indices >> 10 & 0x3FF, 1)?;
    let directory = k.space(t, CapName::from_word(place))?;
    let slot = k.empty_slot(t, destination)?;
    let address = place & !(FRAME - 1);
    if !k.units.spend(UNITS / 2) {
        return Ok(Outcome::Again);
    }
    let thread = k.make_thread(frame, utcb, slot, directory, address)?;
    thread.set_fpu_use(t.immediate() & 1 != 0);
    Ok(Outcome::Done)
}

impl Kernel {
    /// Makes an object that lives in the empty `slot`.
    pub fn make_in_slot(&mut self, slot: Link, kind: Kind, badge: u32, spare: u32) {
        let limit = self.tables.total_limit(slot.address() & !0xFFF);
        plant(&mut self.tables, slot, Rights::ALL.0, limit);
        let content = Content { kind, object: slot.address(), badge, spare };
        self.fill(slot, content, true);
        debug_assert!(slot.kind() == IN_NODE);
    }

    /// Makes the root `frame` a capability node of a space.
    ///
    /// # Errors
    /// As donation.
    #[inline(never)]
    pub fn make_cap_node(&mut self, frame: u32, directory: u32, node: u32) -> Result<(), Error> {
        let donation = self.tables.check_donation(frame, FrameType::CapNode).map_err(cause)?;
        self.donate(donation);
        let _settled = self.settle();
        self.tables.memory.clear(frame, FRAME);
        self.tables.set_owner(frame, directory | node);
        self.tables.memory.store(directory + SPACE_NODES + 4 * node, frame);
        Ok(())
    }

    /// Makes the four roots at `frame` a space, with a capability to it in `slot`.
    ///
    /// # Errors
    /// NoCredits if the roots were lent with a total of 0; as donation.
    pub fn make_space(&mut self, frame: u32, slot: Link, base: u32, pages: u32) -> Result<(), Error> {
        self.make_bare_space(frame, base, pages)?;
        self.name_object(frame, slot, Kind::Space, 0)
    }

    /// Makes the four roots at `frame` a space that nothing names yet.
    ///
    /// # Errors
    /// As for [`Kernel::make_space`].
    #[inline(never)]
    pub fn make_bare_space(&mut self, frame: u32, base: u32, pages: u32) -> Result<(), Error> {
        let donation = self.check_new(frame, FrameType::Directory)?;
        self.donate(donation);
        let _settled = self.settle();
        // Clearing first what is then copied would make more than 64 units of this.
        self.tables.memory.clear(frame, 4 * layout::USER_TABLES);
        // SAFETY: the frame has just become a Directory, and is no thread's yet.
        let end = unsafe { paging::copy_kernel_half(frame) };
        self.tables.memory.clear(end, frame + layout::TABLE - end);
        self.tables.declare_area(frame, base, pages);
        Ok(())
    }

    /// Makes the four roots at `frame` a Table, for `directory` if that is given, with a capability
    /// to all of it in `slot`, unless it is the area's own.
    ///
    /// # Errors
    /// NoCredits as for a space; as donation; what attaching it to the area can meet.
    pub fn make_table(
        &mut self,
        frame: u32,
        slot: Option<Link>,
        directory: Option<u32>,
    ) -> Result<(), Error> {
        let donation = self.check_new(frame, FrameType::Table)?;
        if let Some(directory) = directory {
            self.tables.check_attach(directory).map_err(cause)?;
        }
        self.donate(donation);
        let _settled = self.settle();
        self.tables.memory.clear(frame, layout::TABLE);
        if let Some(directory) = directory {
            self.tables.attach(directory, frame).map_err(cause)?;
        }
        match slot {
            Some(slot) => self.name_object(frame, slot, Kind::Container, (ENTRIES - 1) << 10),
            None => Ok(()),
        }
    }

    /// Makes the roots `frame` and `utcb` a thread of a space, stopped, with a capability in `slot`
    /// and its UTCB mapped at `address`.
    ///
    /// # Errors
    /// BadAddress, PageTableArea, NoTable, Occupied; as donation, for both frames.
    pub fn make_thread(
        &mut self,
        frame: u32,
        utcb: u32,
        slot: Link,
        directory: u32,
        address: u32,
    ) -> Result<ThreadRef, Error> {
        if address >= USER_END {
            return Err(Error::BadAddress);
        }
        let place = self.tables.slot_at(directory, address).map_err(cause)?;
        if !self.tables.is_empty(place) {
            return Err(Error::Occupied);
        }
        // Whether the second donation will succeed must be known before the first is made.
        let donations = [self.check_new(frame, FrameType::Thread)?, self.check_new(utcb, FrameType::Utcb)?];
        if utcb == frame {
            return Err(Error::NotData);
        }
        for donation in donations {
            self.donate(donation);
        }
        let _settled = self.settle();
        self.tables.memory.clear(frame, FRAME);
        self.tables.memory.clear(utcb, FRAME);
        self.tables.map_utcb(utcb, place).map_err(cause)?;
        self.tables.set_owner(utcb, frame);
        // SAFETY: the frame is a Thread, cleared, and has no name yet.
        let thread = unsafe { ThreadRef::init(frame) };
        thread.directory.set(directory);
        thread.set_utcb(utcb);
        self.tables.link(directory);
        self.with_threads(directory, |head| queue::push_back(head, thread, SIBLINGS));
        self.name_object(frame, slot, Kind::Thread, 0)?;
        Ok(thread)
    }

    /// Runs `f` on the list of a space's threads.
    pub fn with_threads(&mut self, directory: u32, f: impl FnOnce(&core::cell::Cell<Option<ThreadRef>>)) {
        let head = core::cell::Cell::new(self.first_thread(directory));
        f(&head);
        let word = head.get().map_or(0, ThreadRef::frame);
        self.tables.memory.store(directory + SPACE_THREADS, word);
    }

    /// The first of a space's threads.
    pub fn first_thread(&self, directory: u32) -> Option<ThreadRef> {
        match self.tables.space_field(directory, SPACE_THREADS) {
            0 => None,
            // SAFETY: only threads are put there, and they leave before they end.
            frame => Some(unsafe { ThreadRef::new(frame) }),
        }
    }

    /// Donates a root. What that leaves must be flushed before the frame is cleared.
    #[inline(never)]
    fn donate(&mut self, donation: Donation) {
        let flush = self.tables.donate(donation);
        self.owe(flush);
    }

    /// Whether an object of type `kind` can be made at `frame`. It needs a capability (a UTCB: its
    /// mapping), which costs its root one credit.
    #[inline(always)]
    fn check_new(&self, frame: u32, kind: FrameType) -> Result<Donation, Error> {
        let donation = self.tables.check_donation(frame, kind).map_err(cause)?;
        match self.tables.total_limit(frame) {
            0 if self.tables.memory.is_bounded() => Err(Error::NoCredits),
            _ => Ok(donation),
        }
    }

    /// The first capability to the object at `frame`.
    ///
    /// # Errors
    /// None if the root has a credit: see [`Kernel::first_total`].
    pub fn name_object(&mut self, frame: u32, slot: Link, kind: Kind, badge: u32) -> Result<(), Error> {
        let root = self.tables.root(frame);
        let total = self.first_total(root, slot);
        let spare = if kind == Kind::Container { total::UNLIMITED_CODE } else { 0 };
        let content = Content { kind, object: frame, badge, spare };
        self.derive_cap(root, slot, Rights::ALL, total, content)
    }
}
