//! The frame table: what each physical frame is, and who holds on to it.
//!
//! 16 bytes a frame, fixed at boot: type:8 links:24, aux, owner, was. A frame has exactly one type at
//! a time; [`Tables::set_type`] is the only place that changes it, and keeps the counts by type, so
//! a frame that became kernel memory after boot would show.

use crate::{Memory, Tables};

/// Bytes of an element.
pub const ELEMENT: u32 = 16;
/// Links that a frame's element can count.
pub const LINKS_MAX: u32 = 0xFF_FFFF;
/// In the first word of an element: the lowest bit of the links; the type is below.
pub const LINKS: u32 = 8;
/// In a Table's element: live entries.
pub const LIVE: u32 = AUX;
const AUX: u32 = 4;
/// In an element: whose the frame is.
pub const OWNER: u32 = 8;
const WAS: u32 = 12;

/// What a frame is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameType {
    /// Memory of programs: it can be mapped.
    Data = 0,
    /// First frame of a Directory (a Space).
    Directory = 1,
    /// First frame of a Table.
    Table = 2,
    /// A further frame of either: derivation links.
    Sidecar = 3,
    /// A thread.
    Thread = 4,
    /// A thread's message registers; it has at most one mapping.
    Utcb = 5,
    /// Capability slots.
    CapNode = 6,
    /// Memory of a device.
    Device = 7,
    /// The kernel's own, since boot.
    Kernel = 8,
    /// An object that is being destroyed; its list and contents go.
    Dying = 9,
    /// No frame: a hole in RAM, or beyond its end.
    Hole = 10,
    /// Memory of programs that is mapped by a mapping database of the kernel's (designs with a pool), which hangs on
    /// its element: aux.
    Pooled = 11,
}

/// Number of types.
pub const TYPES: usize = 12;

impl FrameType {
    /// Every type, in the order of their numbers.
    pub const ALL: [FrameType; TYPES] = [
        FrameType::Data,
        FrameType::Directory,
        FrameType::Table,
        FrameType::Sidecar,
        FrameType::Thread,
        FrameType::Utcb,
        FrameType::CapNode,
        FrameType::Device,
        FrameType::Kernel,
        FrameType::Dying,
        FrameType::Hole,
        FrameType::Pooled,
    ];

    const fn from_bits(bits: u32) -> FrameType {
        FrameType::ALL[if bits < TYPES as u32 { bits as usize } else { FrameType::Hole as usize }]
    }
}

/// Where the frame table lies: enough to count while the memory is lent to somebody else.
#[derive(Clone, Copy)]
pub(crate) struct Elements(u32);

impl Elements {
    #[inline(always)]
    fn of(self, frame: u32) -> u32 {
        self.0 + ELEMENT * (frame >> 12)
    }

    /// One live entry less in the Table at `table`. Returns the links of that.
    #[inline(always)]
    pub fn one_less(self, memory: &mut impl Memory, table: u32) -> u32 {
        let element = self.of(table);
        let live = memory.load(element + AUX);
        memory.store(element + AUX, live - 1);
        memory.load(element) >> 8
    }
}

impl<M: Memory> Tables<M> {
    /// The frame table.
    #[inline(always)]
    pub(crate) fn elements(&self) -> Elements {
        Elements(self.frame_table)
    }

    #[inline(always)]
    fn element(&self, frame: u32) -> u32 {
        self.elements().of(frame)
    }

    /// Whether a frame that exists is of this type.
    #[inline(always)]
    pub fn is(&self, frame: u32, kind: FrameType) -> bool {
        debug_assert!(frame >> 12 < self.frame_count());
        self.memory.load(self.element(frame)) & 0xFF == kind as u32
    }

    /// The type of the frame at physical address `frame`; [`FrameType::Hole`] beyond the table.
    pub fn frame_type(&self, frame: u32) -> FrameType {
        if frame >> 12 >= self.frame_count() {
            return FrameType::Hole;
        }
        FrameType::from_bits(self.memory.load(self.element(frame)) & 0xFF)
    }

    /// Changes the type of a frame that is in charge. Links, aux and owner become 0.
    pub fn set_type(&mut self, frame: u32, new: FrameType) {
        self.retype(frame, self.frame_type(frame), new);
    }

    /// The same for a frame whose type is known to be `old`.
    #[inline(always)]
    pub(crate) fn retype(&mut self, frame: u32, old: FrameType, new: FrameType) {
        debug_assert!(self.is(frame, old));
        self.counts[old as usize] -= 1;
        self.counts[new as usize] += 1;
        let element = self.element(frame);
        self.memory.store(element, new as u32);
        for field in [AUX, OWNER, WAS] {
            self.memory.store(element + field, 0);
        }
    }

    /// Marks an object of type `kind` as being destroyed, if it is not yet. What it was stays known
    /// ([`Tables::was`]), and so do its links, aux and owner, which its end still needs.
    #[inline(always)]
    pub fn condemn(&mut self, frame: u32, kind: FrameType) {
        if self.is(frame, FrameType::Dying) {
            return;
        }
        debug_assert!(self.is(frame, kind));
        self.counts[kind as usize] -= 1;
        self.counts[FrameType::Dying as usize] += 1;
        let element = self.element(frame);
        let word = self.memory.load(element);
        self.memory.store(element, word & !0xFF | FrameType::Dying as u32);
        self.memory.store(element + WAS, kind as u32);
    }

    /// The type of a frame that is in charge, or what it was if it is dying.
    pub fn nature(&self, frame: u32) -> FrameType {
        debug_assert!(frame >> 12 < self.frame_count());
        match FrameType::from_bits(self.memory.load(self.element(frame)) & 0xFF) {
            FrameType::Dying => self.was(frame),
            kind => kind,
        }
    }

    /// What a dying frame was.
    pub fn was(&self, frame: u32) -> FrameType {
        FrameType::from_bits(self.memory.load(self.element(frame) + WAS) & 0xFF)
    }

    /// How far the emptying of a dying object has come: what lies before is empty.
    pub fn cursor(&self, frame: u32) -> u32 {
        self.memory.load(self.element(frame) + WAS) >> 8
    }

    /// Sets [`Tables::cursor`].
    pub fn set_cursor(&mut self, frame: u32, cursor: u32) {
        let element = self.element(frame);
        let was = self.memory.load(element + WAS) & 0xFF;
        self.memory.store(element + WAS, was | cursor << 8);
    }

    /// How many frames have this type.
    pub fn count(&self, kind: FrameType) -> u32 {
        self.counts[kind as usize]
    }

    /// Typed links that hold the frame: hooks of a Table, threads of a Directory.
    pub fn links(&self, frame: u32) -> u32 {
        self.memory.load(self.element(frame)) >> 8
    }

    /// One more link.
    pub fn link(&mut self, frame: u32) {
        let element = self.element(frame);
        let word = self.memory.load(element);
        self.memory.store(element, word + 0x100);
    }

    /// One link less.
    pub fn unlink(&mut self, frame: u32) {
        let element = self.element(frame);
        let word = self.memory.load(element);
        debug_assert!(word >= 0x100, "unlinking a frame without links");
        self.memory.store(element, word - 0x100);
    }

    /// Live entries: mappings of a Table, hooks of a Directory. Views are none.
    pub fn aux(&self, frame: u32) -> u32 {
        self.memory.load(self.element(frame) + AUX)
    }

    /// Sets [`Tables::aux`].
    pub fn set_aux(&mut self, frame: u32, aux: u32) {
        let element = self.element(frame);
        self.memory.store(element + AUX, aux);
    }

    /// Table: its space's Directory | place in the area. CapNode: Directory | index. Utcb: thread.
    /// 0: nobody's.
    pub fn owner(&self, frame: u32) -> u32 {
        self.memory.load(self.element(frame) + OWNER)
    }

    /// Sets [`Tables::owner`].
    pub fn set_owner(&mut self, frame: u32, owner: u32) {
        let element = self.element(frame);
        self.memory.store(element + OWNER, owner);
    }
}
