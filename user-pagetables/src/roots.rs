//! Roots: how a frame comes into the world, becomes an object, and is data again.
//!
//! What must hold: only a root without descendants is donated, so no mapping of an object's frame
//! exists (1); the object's frames become data again only after every translation of them is gone
//! from the TLB ([`Settled`]) and they were cleared (10, 15).

use freehold_captree::{Link, Slots, UNLIMITED, plant};

use crate::layout::{self, TABLE_FRAMES};
use crate::{Entry, Flush, FrameType, Kind, Memory, Meta, Settled, Tables, total};

/// Why a root was not donated. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DonateError {
    /// The index of a four-frame object is not divisible by four.
    Misaligned,
    /// A root is donated already, or has no frame.
    NotData,
    /// A root has descendants.
    HasDescendants,
}

/// Leave to make an object of roots that were found fit for it, until anything else changes: what
/// [`Tables::check_donation`] gives and [`Tables::donate`] takes.
#[derive(Debug)]
#[must_use = "nothing is donated yet"]
pub struct Donation {
    frame: u32,
    kind: FrameType,
}

impl Donation {
    /// The frame, or the first of four.
    pub const fn frame(&self) -> u32 {
        self.frame
    }
}

/// Rights of a root.
const RIGHTS: u8 = 7;

/// The node of a root of data from which nothing is derived.
#[derive(Clone, Copy, Debug)]
pub struct FreshRoot(Meta);

impl FreshRoot {
    /// With a total of `code`, as in [`total`], and all its credits.
    pub const fn new(code: u32) -> FreshRoot {
        FreshRoot(Meta::new(0, RIGHTS, Kind::Root, code))
    }
}

/// Frames that an object of this type takes.
pub const fn frames_of(kind: FrameType) -> u32 {
    match kind {
        FrameType::Directory | FrameType::Table => TABLE_FRAMES,
        _ => 1,
    }
}

impl<M: Memory> Tables<M> {
    /// Makes the frame at `frame`, so far a hole, data that can be given away. The frame at 0 is
    /// never adopted: as an owner or a space, 0 is nobody.
    pub fn adopt(&mut self, frame: u32) {
        debug_assert!(frame != 0);
        self.set_type(frame, FrameType::Data);
        let root = self.root(frame);
        self.memory.store(root.address(), Entry::user(frame, true).0);
        self.set_meta(root, Meta::new(0, RIGHTS, Kind::Root, total::UNLIMITED_CODE));
        plant(self, root, RIGHTS, UNLIMITED);
    }

    /// Makes the frame at `frame`, so far a hole, the kernel's own.
    pub fn reserve(&mut self, frame: u32) {
        self.set_type(frame, FrameType::Kernel);
    }

    /// Makes the four frames at `table` one of the boot containers: a Table without a root to give.
    pub fn reserve_table(&mut self, table: u32) {
        self.set_type(table, FrameType::Table);
        for part in 1..TABLE_FRAMES {
            self.set_type(table + part * layout::FRAME, FrameType::Sidecar);
        }
    }

    /// Whether the root of `frame` (and the three behind it, for a Table or Directory) can be donated.
    ///
    /// # Errors
    /// [`DonateError`].
    pub fn check_donation(&self, frame: u32, kind: FrameType) -> Result<Donation, DonateError> {
        let count = frames_of(kind);
        if !(frame / layout::FRAME).is_multiple_of(count) {
            return Err(DonateError::Misaligned);
        }
        for part in 0..count {
            let frame = frame + part * layout::FRAME;
            if self.frame_type(frame) != FrameType::Data {
                return Err(DonateError::NotData);
            }
            if !self.root_is_leaf(self.root(frame)) {
                return Err(DonateError::HasDescendants);
            }
        }
        Ok(Donation { frame, kind })
    }

    /// Turns a root, or the four of a Table or Directory, into an object: no longer mapped anywhere, its
    /// root the head of the object's list, with all its credits. The contents are what they were.
    #[inline(always)]
    pub fn donate(&mut self, donation: Donation) -> Flush {
        let Donation { frame, kind } = donation;
        debug_assert!(self.check_donation(frame, kind).is_ok(), "something has changed since");
        for part in 0..frames_of(kind) {
            let frame = frame + part * layout::FRAME;
            let root = self.root(frame);
            self.memory.swap(root.address(), 0);
            let (role, kind) =
                if part == 0 { (Kind::Donated, kind) } else { (Kind::Part, FrameType::Sidecar) };
            let code = self.meta(root).code();
            self.set_meta(root, Meta::new(0, RIGHTS, role, code));
            self.retype(frame, FrameType::Data, kind);
        }
        self.flush_table(layout::table_of(self.root(frame).address()))
    }

    /// Ends the dying object at `frame`, whose list is empty and whose frames are cleared: they are data
    /// again, with the node `fresh`.
    pub fn restore(&mut self, frame: u32, kind: FrameType, fresh: FreshRoot, _: &Settled) {
        for part in 0..frames_of(kind) {
            let frame = frame + part * layout::FRAME;
            let old = if part == 0 { FrameType::Dying } else { FrameType::Sidecar };
            self.retype(frame, old, FrameType::Data);
            let root = self.root(frame);
            debug_assert!(self.root_is_leaf(root), "restoring a root with descendants");
            debug_assert!(
                self.memory.zeros(frame, layout::FRAME / 4) == layout::FRAME / 4,
                "restoring what is not clear"
            );
            self.memory.store(root.address(), Entry::user(frame, true).0);
            self.set_meta(root, fresh.0);
        }
    }

    /// Fixes the total of a root without descendants, before its memory is lent.
    ///
    /// # Errors
    /// `false` if the root has descendants or is donated.
    #[must_use]
    pub fn fix_total(&mut self, root: Link, fresh: FreshRoot) -> bool {
        let meta = self.meta(root);
        match meta.kind() {
            Kind::Hole => true,
            Kind::Root if self.root_is_leaf(root) => {
                self.set_meta(root, fresh.0);
                true
            }
            _ => false,
        }
    }

    /// What is due when an entry of `table` has changed: all, if it is hooked anywhere.
    pub(crate) fn flush_table(&self, table: u32) -> Flush {
        if self.links(table) == 0 { Flush::None } else { Flush::All }
    }

    /// Whether the list of `root`, in which there are its descendants only, is empty.
    pub fn root_is_leaf(&self, root: Link) -> bool {
        self.next(root).is_none()
    }
}
