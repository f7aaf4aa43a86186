//! Capabilities: names looked up, slots filled, moved and emptied.
//!
//! What must hold: a slot that is not empty names an object that lives; an object's end revokes or
//! clears every slot that names it before its memory is used again. Nothing here waits.

use freehold_abi::info::Kind;
use freehold_abi::layout::{NODE_SLOTS, UNLIMITED};
use freehold_abi::{CapName, Error, Rights, SlotRef};
use freehold_captree::{Link, Slots, barred, derive, relocate};
use freehold_user_pagetables::layout::{self, BADGE, IN_NODE, OBJECT, SPACE_NODES, SPARE};
use freehold_user_pagetables::{FrameType, Memory};

use crate::errors::cause;
use crate::kernel::Kernel;
use crate::reply::ReplyPlace;
use crate::thread::ThreadRef;

/// Kind of the slot of an object that is being deleted: its copies no longer work.
pub const DYING: u32 = 15;

/// A capability, as read from its slot.
#[derive(Clone, Copy)]
pub struct Cap {
    /// Where it is.
    pub slot: Link,
    /// What it is to.
    pub kind: Kind,
    /// What it allows.
    pub rights: Rights,
    /// Address of the object: a frame, or the slot that the object lives in.
    pub object: u32,
    /// Badge, or range.
    pub badge: u32,
}

impl Cap {
    /// The capability itself, if it is of `kind` and allows `rights`.
    ///
    /// # Errors
    /// WrongKind, NoRight.
    #[inline]
    pub fn expect(self, kind: Kind, rights: Rights) -> Result<Cap, Error> {
        if self.kind != kind {
            return Err(Error::WrongKind);
        }
        if !self.rights.contains(rights) {
            return Err(Error::NoRight);
        }
        Ok(self)
    }
}

/// What is put into a slot.
#[derive(Clone, Copy)]
pub struct Content {
    /// What it is to.
    pub kind: Kind,
    /// Address of the object.
    pub object: u32,
    /// Badge, or range.
    pub badge: u32,
    /// The kind's own word.
    pub spare: u32,
}

impl Kernel {
    /// The slot `name` of a space.
    ///
    /// # Errors
    /// NoCapability if the space has no such node, or for name 0.
    #[inline]
    pub fn slot(&self, directory: u32, name: CapName) -> Result<Link, Error> {
        let node = self.tables.space_field(directory, SPACE_NODES + 4 * name.node());
        if name.0 == 0 || node == 0 {
            return Err(Error::NoCapability);
        }
        Ok(layout::in_node(node, name.slot()))
    }

    /// The slot that `thread` refers to, in its own space or in one that it may edit.
    ///
    /// # Errors
    /// As [`Kernel::slot`] and [`Kernel::space`].
    pub fn slot_ref(&self, thread: ThreadRef, reference: u32) -> Result<Link, Error> {
        let reference = SlotRef(reference);
        let directory = self.space(thread, reference.space())?;
        self.slot(directory, reference.name())
    }

    /// The Directory of the space that `name` is a capability to, with Edit; 0: the thread's own.
    ///
    /// # Errors
    /// NoCapability, WrongKind, NoRight, Gone.
    #[inline(always)]
    pub fn space(&self, thread: ThreadRef, name: CapName) -> Result<u32, Error> {
        let directory = match name.0 {
            0 => thread.directory.get(),
            _ => self.tables.cap_field(self.cap_to(thread, name, Kind::Space, Rights::EDIT)?, OBJECT),
        };
        match self.tables.is(directory, FrameType::Directory) {
            true => Ok(directory),
            false => Err(Error::Gone),
        }
    }

    /// The slot `name` of `thread`'s space, if the capability there is of `kind` and allows `rights`.
    ///
    /// # Errors
    /// NoCapability, Gone, WrongKind, NoRight.
    #[inline(always)]
    fn cap_to(&self, thread: ThreadRef, name: CapName, kind: Kind, rights: Rights) -> Result<Link, Error> {
        let slot = self.slot(thread.directory.get(), name)?;
        if self.tables.cap_allows(slot, kind as u32, rights.0) {
            return Ok(slot);
        }
        Err(self.refusal(thread, name, kind))
    }

    /// Why the capability `name`, which is none to `kind` with the rights that are needed, does not do.
    #[cold]
    fn refusal(&self, thread: ThreadRef, name: CapName, kind: Kind) -> Error {
        match self.cap(thread, name) {
            Ok(cap) if cap.kind == kind => Error::NoRight,
            Ok(_) => Error::WrongKind,
            Err(error) => error,
        }
    }

    /// An empty slot that `thread` refers to, to be filled.
    ///
    /// # Errors
    /// As [`Kernel::slot_ref`]; Occupied.
    pub fn empty_slot(&self, thread: ThreadRef, reference: u32) -> Result<Link, Error> {
        let slot = self.slot_ref(thread, reference)?;
        match self.tables.cap_kind(slot) {
            0 => Ok(slot),
            _ => Err(Error::Occupied),
        }
    }

    /// What is in a slot.
    #[inline]
    pub fn read(&self, slot: Link) -> Cap {
        Cap {
            slot,
            kind: Kind::from_bits(self.tables.cap_kind(slot)),
            rights: Rights(self.tables.cap_rights(slot)),
            object: self.tables.cap_field(slot, OBJECT),
            badge: self.tables.cap_field(slot, BADGE),
        }
    }

    /// The capability `name` of `thread`'s space.
    ///
    /// # Errors
    /// NoCapability; Gone if the object is being deleted.
    #[inline]
    pub fn cap(&self, thread: ThreadRef, name: CapName) -> Result<Cap, Error> {
        let slot = self.slot(thread.directory.get(), name)?;
        let cap = self.read(slot);
        match cap.kind {
            Kind::Empty if self.tables.cap_kind(slot) == DYING => Err(Error::Gone),
            Kind::Empty => Err(Error::NoCapability),
            _ => Ok(cap),
        }
    }

    /// The thread that `name` is a capability to, with Control.
    ///
    /// # Errors
    /// NoCapability, WrongKind, NoRight, Gone.
    pub fn thread(&self, caller: ThreadRef, name: CapName) -> Result<ThreadRef, Error> {
        let cap = self.cap(caller, name)?.expect(Kind::Thread, Rights::CONTROL)?;
        if self.tables.frame_type(cap.object) != FrameType::Thread {
            return Err(Error::Gone);
        }
        // SAFETY: the frame is of type Thread, which it becomes only together with its init.
        Ok(unsafe { ThreadRef::new(cap.object) })
    }

    /// The slot that an endpoint, notification, irq or range of ports lives in.
    ///
    /// # Errors
    /// WrongKind, NoRight, Gone.
    #[inline]
    pub fn origin(&self, cap: Cap, kind: Kind, rights: Rights) -> Result<Link, Error> {
        let cap = cap.expect(kind, rights)?;
        let origin = Link::new(cap.object, IN_NODE);
        if self.tables.cap_kind(origin) == DYING {
            return Err(Error::Gone);
        }
        Ok(origin)
    }

    /// Checks that the object of a capability is not being destroyed.
    ///
    /// # Errors
    /// Gone.
    pub fn alive(&self, cap: Cap) -> Result<(), Error> {
        let kind = match cap.kind {
            Kind::Space => FrameType::Directory,
            Kind::Thread => FrameType::Thread,
            Kind::Container => FrameType::Table,
            kind => return self.origin(cap, kind, Rights::NONE).map(|_| ()),
        };
        match self.tables.frame_type(cap.object) == kind {
            true => Ok(()),
            false => Err(Error::Gone),
        }
    }

    /// Puts a capability derived from `parent` into the empty `slot`.
    ///
    /// # Errors
    /// Busy, TooDeep, NoCredits (also if the slot's node was lent with less than `total`).
    pub fn derive_cap(
        &mut self,
        parent: Link,
        slot: Link,
        rights: Rights,
        total: u32,
        content: Content,
    ) -> Result<(), Error> {
        if total > self.tables.total_limit(slot.address() & !0xFFF) && self.tables.memory.is_bounded() {
            return Err(barred(&self.tables, parent).map_or(Error::NoCredits, cause));
        }
        derive(&mut self.tables, parent, slot, rights.0, total).map_err(cause)?;
        self.fill(slot, content, false);
        Ok(())
    }

    /// Writes a slot's content; its node is written already.
    pub fn fill(&mut self, slot: Link, content: Content, origin: bool) {
        self.tables.set_cap_kind(slot, content.kind as u32, origin);
        self.tables.set_cap_field(slot, OBJECT, content.object);
        self.tables.set_cap_field(slot, BADGE, content.badge);
        self.tables.set_cap_field(slot, SPARE, content.spare);
    }

    /// The total of the first capability to an object that is made from the root `parent` and put
    /// into `slot`: all that both allow.
    pub fn first_total(&self, parent: Link, slot: Link) -> u32 {
        let limit = self.tables.total_limit(slot.address() & !0xFFF);
        match self.tables.node(parent).credits {
            UNLIMITED => limit,
            credits => limit.min(credits.saturating_sub(1)),
        }
    }

    /// Moves a capability from one slot to another, empty one.
    ///
    /// # Errors
    /// NoCapability, Unmovable, NoCredits (the new slot's node was lent with less).
    pub fn move_cap(&mut self, from: Link, to: Link) -> Result<(), Error> {
        let cap = self.read(from);
        if cap.kind == Kind::Empty {
            let dying = self.tables.cap_kind(from) == DYING;
            return Err(if dying { Error::Gone } else { Error::NoCapability });
        }
        if self.tables.cap_is_origin(from) {
            return Err(Error::Unmovable);
        }
        let spare = self.tables.cap_field(from, SPARE);
        let content = Content { kind: cap.kind, object: cap.object, badge: cap.badge, spare };
        if cap.kind == Kind::Reply {
            // SAFETY: the slot is cleared before its caller's frame is anything else.
            let caller = unsafe { ThreadRef::new(cap.object) };
            caller.reply.set(ReplyPlace::Slot(to));
        } else {
            let total = self.tables.node(from).total;
            if total > self.tables.total_limit(to.address() & !0xFFF) && self.tables.memory.is_bounded() {
                return Err(Error::NoCredits);
            }
            self.revoking(from);
            relocate(&mut self.tables, from, to);
        }
        self.fill(to, content, false);
        self.clear(from);
        Ok(())
    }

    /// Zeroes a slot that is off every list.
    pub fn clear(&mut self, slot: Link) {
        self.tables.memory.clear(slot.address(), layout::SLOT);
    }
}

const _: () = assert!(NODE_SLOTS * layout::SLOT == layout::FRAME);
