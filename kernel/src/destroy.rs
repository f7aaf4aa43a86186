//! The end of things: capabilities deleted and revoked, objects destroyed, memory taken back.
//!
//! What must hold: an object that is being destroyed is Dying from the first step, so nothing new
//! enters it; every step can be the last before an interrupt, and anyone entitled takes it up from
//! there; no frame is cleared or becomes data before the TLB has let go (docs/invariants.md, 8, 10, 15, 20, 21).

use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{ENTRIES, FRAME, NODE_SLOTS, NODES, UNIT_BYTES, USER_TABLES};
use freehold_abi::{Error, Rights};
use freehold_captree::{Link, remove};
use freehold_user_pagetables::layout::{
    self, AREA_TABLES, IN_NODE, SPACE_FIELD_COUNT, SPACE_FIELDS, SPACE_NODES,
};
use freehold_user_pagetables::{
    Budget, FrameType, FreshRoot, Kind as EntryKind, Memory, Progress, frames_of,
};

use crate::caps::DYING;
use crate::container::Container;
use crate::kernel::Kernel;
use crate::queue::{self, SIBLINGS};
use crate::syscall::{CallResult, Outcome};
use crate::thread::{Errand, ThreadRef, reg};
use crate::{device, hooks, ipc, transfer, units};

/// Revoke: takes back all that was derived from a capability.
pub fn revoke(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let slot = k.slot_ref(t, t.args()[0])?;
    match k.read(slot).kind {
        Kind::Empty if k.tables.cap_kind(slot) == DYING => return Err(Error::Gone),
        Kind::Empty => return Ok(Outcome::Done),
        Kind::Reply => return Err(Error::WrongKind),
        _ => {}
    }
    outcome(k.revoke_slot(slot))
}

/// Delete: empties a slot; an object that lives there ends.
pub fn delete(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let slot = k.slot_ref(t, t.args()[0])?;
    outcome(k.delete_slot(slot))
}

/// Reclaim: everything that became of a range of roots ends; they are clear data again.
/// ESI and EDI advance.
pub fn reclaim(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let container = Container::of_roots(k, t, t.args()[0])?;
    let fresh = container.fresh_root(k);
    loop {
        let [_, index, left, _] = t.args();
        if left == 0 {
            return Ok(Outcome::Done);
        }
        let reclaimed = k.reclaim_roots(container, index, fresh);
        if t.directory.get() == 0 {
            // The caller, or its space, was among what was taken back. A frame that is cleared by now reads
            // the same.
            return Ok(Outcome::Waits);
        }
        let done = reclaimed?.min(left);
        if done == 0 {
            return Ok(Outcome::Again);
        }
        t.set(reg::ESI, index + done);
        t.set(reg::EDI, left - done);
        if left == done {
            return Ok(Outcome::Done);
        }
        // The capability itself may have lain in what was taken back. Nobody has filled its slot again.
        let gone = k.tables.cap_kind(container.cap) == 0;
        if gone || k.scheduler.current() != Some(t) {
            // Or somebody of a higher priority was woken.
            return Ok(Outcome::Again);
        }
    }
}

fn outcome(progress: Progress) -> CallResult {
    Ok(match progress {
        Progress::Done => Outcome::Done,
        Progress::Preempted => Outcome::Again,
    })
}

/// Goes on only if there is budget left.
macro_rules! spend {
    ($k:expr, $units:expr) => {
        if !$k.units.spend($units) {
            return Progress::Preempted;
        }
    };
}

/// Goes on only if that part of the work is done.
macro_rules! finish {
    ($progress:expr) => {
        if $progress == Progress::Preempted {
            return Progress::Preempted;
        }
    };
}

/// Goes on only if nobody of a higher priority than the caller was woken, who should not have to wait for
/// the next interrupt. A caller that has ended itself goes on: nobody else would at once.
macro_rules! yield_to_woken {
    ($k:expr, $running:expr) => {
        if let (Some(before), Some(now)) = ($running, $k.scheduler.current())
            && before != now
        {
            return Progress::Preempted;
        }
    };
}

impl Kernel {
    /// Takes back all that was derived from the node in `slot`.
    fn revoke_slot(&mut self, slot: Link) -> Progress {
        if slot.kind() == IN_NODE {
            self.revoking(slot);
        }
        let (progress, flush) = self.tables.revoke(slot, &mut self.units.at(units::OFFSPRING));
        self.owe(flush);
        progress
    }

    /// Empties a slot of a capability node.
    fn delete_slot(&mut self, slot: Link) -> Progress {
        self.revoking(slot);
        let kind = self.tables.cap_kind(slot);
        if kind == Kind::Empty as u32 {
            return Progress::Done;
        }
        spend!(self, units::CAPABILITY);
        if kind == Kind::Reply as u32 {
            // SAFETY: the slot names its caller until it is cleared, which is now.
            let caller = unsafe { ThreadRef::new(self.read(slot).object) };
            self.drop_reply(caller);
            ipc::end_wait(self, caller, Error::PeerGone);
            return Progress::Done;
        }
        if self.tables.cap_is_origin(slot) {
            if kind != DYING {
                device::forget(self, slot);
                self.tables.set_cap_kind(slot, DYING, true);
            }
            finish!(self.revoke_slot(slot));
            while let Some(waiter) = self.head(slot) {
                spend!(self, units::of_wait(waiter));
                let running = self.scheduler.current();
                self.dequeue(slot, waiter);
                ipc::end_wait(self, waiter, Error::Canceled);
                yield_to_woken!(self, running);
            }
        } else {
            finish!(self.revoke_slot(slot));
            let removed = remove(&mut self.tables, slot);
            debug_assert!(removed.is_ok(), "revoked, so without descendants");
        }
        self.clear(slot);
        Progress::Done
    }

    /// Makes entry `index` of a container of roots clear data again, with the node `fresh`, whatever became
    /// of it; and the other roots of an object. Returns how many that are; 0: interrupted.
    #[inline(always)]
    fn reclaim_roots(&mut self, container: Container, index: u32, fresh: FreshRoot) -> Result<u32, Error> {
        container.check(index, 1)?;
        if !self.units.spend(units::ROOT) {
            return Ok(0);
        }
        let root = container.slot(index);
        let frame = self.tables.frame_of_root(root);
        let (progress, count) = match self.tables.meta(root).kind() {
            EntryKind::Root => (self.reclaim_data(root, frame, fresh), 1),
            EntryKind::Donated => {
                let kind = self.tables.nature(frame);
                let count = frames_of(kind);
                container.check(index, count)?;
                (self.destroy(root, frame, kind, fresh), count)
            }
            // Its first frame comes before it, and is not in the range.
            EntryKind::Part => return Err(Error::OutOfRange),
            _ => (Progress::Done, 1),
        };
        Ok(if progress == Progress::Done { count } else { 0 })
    }

    fn reclaim_data(&mut self, root: Link, frame: u32, fresh: FreshRoot) -> Progress {
        finish!(self.revoke_slot(root));
        spend!(self, FRAME / UNIT_BYTES);
        let _settled = self.settle();
        self.tables.memory.clear(frame, FRAME);
        let fixed = self.tables.fix_total(root, fresh);
        debug_assert!(fixed);
        Progress::Done
    }

    /// Destroys the object at `frame`, which is or was of type `kind`.
    #[inline(always)]
    fn destroy(&mut self, root: Link, frame: u32, kind: FrameType, fresh: FreshRoot) -> Progress {
        self.tables.condemn(frame, kind);
        // What could still run in it, or on it, stops first.
        match kind {
            FrameType::Directory => finish!(self.stop_threads(frame)),
            // SAFETY: the frame was a Thread's until just now, and is cleared only below.
            FrameType::Thread => self.end_thread(unsafe { ThreadRef::new(frame) }),
            FrameType::Utcb => self.end_utcb(frame),
            _ => {}
        }
        let (progress, flush) = self.tables.disband(root, &mut self.units);
        self.owe(flush);
        finish!(progress);
        finish!(match kind {
            FrameType::Directory => self.empty_space(frame),
            FrameType::Table => self.empty_table(frame),
            FrameType::CapNode => self.empty_node(frame),
            FrameType::Pooled => hooks::end_frame(self, frame),
            _ => Progress::Done,
        });
        spend!(self, FRAME / UNIT_BYTES);
        let settled = self.settle();
        match kind {
            // Without live entries and links there is nothing left in a Table, and in a Directory the kernel
            // half and the fields of the space.
            FrameType::Table => {}
            FrameType::Directory => {
                self.tables.memory.clear(frame + 4 * USER_TABLES, 4 * (ENTRIES - USER_TABLES));
                self.tables.memory.clear(frame + SPACE_FIELDS, 4 * SPACE_FIELD_COUNT);
            }
            _ => self.tables.memory.clear(frame, FRAME),
        }
        self.tables.restore(frame, kind, fresh, &settled);
        Progress::Done
    }

    fn stop_threads(&mut self, directory: u32) -> Progress {
        while let Some(thread) = self.first_thread(directory) {
            spend!(self, units::THREAD);
            let running = self.scheduler.current();
            self.end_thread(thread);
            yield_to_woken!(self, running);
        }
        Progress::Done
    }

    /// A thread leaves everything that it is in, for good: its space, queues, exchanges.
    fn end_thread(&mut self, thread: ThreadRef) {
        let directory = thread.directory.get();
        if directory == 0 {
            return;
        }
        self.halt(thread);
        if let Some(caller) = thread.caller.take() {
            self.drop_reply(caller);
            ipc::end_wait(self, caller, Error::PeerGone);
        }
        self.with_threads(directory, |head| queue::remove(head, thread, SIBLINGS));
        self.tables.unlink(directory);
        thread.directory.set(0);
        if thread.utcb.get() != 0 {
            self.tables.set_owner(thread.utcb.get(), 0);
            thread.set_utcb(0);
        }
        self.unload(thread);
    }

    /// A UTCB's thread cannot exist without it.
    fn end_utcb(&mut self, frame: u32) {
        match self.tables.owner(frame) {
            0 => {}
            // SAFETY: the owner of a Utcb is its thread, and is set to 0 when that ends.
            owner => self.end_thread(unsafe { ThreadRef::new(owner) }),
        }
    }

    /// A thread stops: it is neither ready nor waiting.
    pub fn halt(&mut self, thread: ThreadRef) {
        if thread.role.get().is_some() {
            transfer::leave(self, thread);
        }
        thread.errand.set(Errand::None);
        match thread.state.get() {
            State::Stopped => {}
            State::Ready => self.scheduler.withdraw(thread),
            _ => ipc::stop_waiting(self, thread),
        }
        thread.state.set(State::Stopped);
    }

    fn empty_space(&mut self, directory: u32) -> Progress {
        spend!(self, NODES);
        let (nodes, mut node) = (directory + SPACE_NODES, 0);
        loop {
            node += self.tables.memory.zeros(nodes + 4 * node, NODES - node);
            if node == NODES {
                break;
            }
            let frame = self.tables.memory.swap(nodes + 4 * node, 0);
            self.tables.set_owner(frame, 0);
        }
        if self.has_pool {
            finish!(hooks::end_space(self, directory));
        }
        finish!(self.detach_tables(directory, 0));
        finish!(self.empty_entries(directory));
        self.leave_directory(directory);
        Progress::Done
    }

    /// Takes Tables out of a space's area until `left` are there, the area's own last.
    fn detach_tables(&mut self, directory: u32, left: u32) -> Progress {
        while let count @ 1.. = self.tables.space_field(directory, AREA_TABLES)
            && count > left
        {
            spend!(self, 2);
            let area = self.tables.area_table(directory).expect("it has Tables");
            let last = self.tables.entry(layout::in_table(area, count - 1)).address();
            match self.tables.detach(last) {
                Ok(flush) => self.owe(flush),
                Err(error) => unreachable!("the last Table can always leave: {error:?}"),
            }
        }
        Progress::Done
    }

    fn empty_table(&mut self, table: u32) -> Progress {
        let owner = self.tables.owner(table);
        if owner != 0 {
            let directory = layout::table_of(owner);
            if self.tables.area_table(directory) == Some(table) {
                finish!(self.detach_tables(directory, 0));
            } else if let Ok(flush) = self.tables.detach(table) {
                self.owe(flush);
            }
        }
        self.empty_entries(table)
    }

    /// Empties the entries of a Table or Directory, and all that hangs on them.
    fn empty_entries(&mut self, table: u32) -> Progress {
        let (progress, flush) = self.tables.empty(table, &mut self.units.at(units::ENTRY));
        self.owe(flush);
        progress
    }

    fn empty_node(&mut self, node: u32) -> Progress {
        let owner = self.tables.owner(node);
        if owner != 0 {
            let field = layout::table_of(owner) + SPACE_NODES + 4 * (owner & (layout::TABLE - 1));
            self.tables.memory.store(field, 0);
            self.tables.set_owner(node, 0);
        }
        // Empty slots are passed over, as many for a unit as 256 bytes hold.
        const STRETCH: u32 = UNIT_BYTES / layout::SLOT;
        let is_empty = |k: &Kernel, index| k.tables.cap_kind(layout::in_node(node, index)) == 0;
        let mut index = self.tables.cursor(node);
        while index < NODE_SLOTS {
            self.tables.set_cursor(node, index);
            spend!(self, units::SLOT);
            if is_empty(self, index) {
                let end = (index / STRETCH + 1) * STRETCH;
                index = (index..end).find(|&index| !is_empty(self, index)).unwrap_or(end);
            } else {
                finish!(self.delete_slot(layout::in_node(node, index)));
                index += 1;
            }
        }
        Progress::Done
    }
}

impl Container {
    /// What roots taken back through this capability begin with.
    fn fresh_root(&self, k: &Kernel) -> FreshRoot {
        debug_assert!(self.rights.contains(Rights::EDIT));
        FreshRoot::new(k.tables.cap_field(self.cap, layout::SPARE))
    }
}
