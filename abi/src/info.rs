//! What the kernel tells: to the first program about the machine, and to any program about itself.

use crate::layout;

/// Kinds of capability, as `CapInfo` reports them and the kernel stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An empty slot.
    Empty = 0,
    /// A range of a Table's entries.
    Container = 1,
    /// An address space.
    Space = 2,
    /// A thread.
    Thread = 3,
    /// Where messages meet.
    Endpoint = 4,
    /// A word of bits to wait for.
    Notification = 5,
    /// The right to answer one call, once.
    Reply = 6,
    /// An interrupt line.
    Irq = 7,
    /// A range of I/O ports.
    IoPorts = 8,
}

impl Kind {
    /// The kind with this number.
    pub const fn from_bits(bits: u32) -> Kind {
        match bits {
            1 => Kind::Container,
            2 => Kind::Space,
            3 => Kind::Thread,
            4 => Kind::Endpoint,
            5 => Kind::Notification,
            6 => Kind::Reply,
            7 => Kind::Irq,
            8 => Kind::IoPorts,
            _ => Kind::Empty,
        }
    }
}

/// `KernelInfo`: what ESI can ask for. The answer is in EBX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kernel {
    /// Bytes of the kernel's image in memory, with its stack.
    ImageBytes = 0,
    /// Bytes of the frame table and the boot Tables.
    BootBytes = 1,
    /// Bytes that became kernel memory after boot. 0, always: see docs/calls.md for what moves it.
    AllocatedBytes = 2,
    /// Ticks since boot.
    Ticks = 3,
    /// Most units of work between two checks for interrupts so far.
    MaxUnits = 4,
    /// Frames of RAM that the kernel manages.
    Frames = 5,
    /// 1 if the processor has SYSENTER and the kernel uses it.
    Sysenter = 6,
    /// Loads of CR3 so far, modulo 2³².
    SpaceSwitches = 7,
    /// Bytes of the kernel's stack that nothing has used so far.
    StackUnused = 8,
    /// Calls that went the ordinary way so far, not by one of the short paths; modulo 2³².
    OrdinaryCalls = 9,
    /// Number of the [`Design`](crate::designs::Design).
    Design = 10,
    /// Bytes of the kernel's pool; 0: the design has none.
    PoolBytes = 11,
    /// Bytes of it that are in use.
    PoolUsed = 12,
    /// The most that ever were.
    PoolPeak = 13,
    /// Frames of type Data: 16 + the number of a frame type asks for any type's count.
    FrameType = 16,
}

/// Names of the frame types, in the order of their numbers.
pub const FRAME_TYPES: [&str; 12] = [
    "Data",
    "Directory",
    "Table",
    "Sidecar",
    "Thread",
    "Utcb",
    "CapNode",
    "Device",
    "Kernel",
    "Dying",
    "Hole",
    "Pooled",
];

/// States of a thread, as `ThreadInfo` reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not started, or stopped.
    Stopped = 0,
    /// Running or waiting for the processor.
    Ready = 1,
    /// Waits for a receiver, in a send.
    Sending = 2,
    /// Waits for a receiver, in a call.
    Calling = 3,
    /// Waits for a reply (or, after a fault, for its pager's).
    AwaitingReply = 4,
    /// Waits for a message.
    Receiving = 5,
    /// Waits for a notification.
    Waiting = 6,
    /// In a transfer of strings, which its partner carries out, or whose partner's pager is at work.
    Transferring = 7,
}

impl State {
    /// The state with this number.
    pub const fn from_bits(bits: u32) -> State {
        match bits {
            1 => State::Ready,
            2 => State::Sending,
            3 => State::Calling,
            4 => State::AwaitingReply,
            5 => State::Receiving,
            6 => State::Waiting,
            7 => State::Transferring,
            _ => State::Stopped,
        }
    }
}

/// `SpaceInfo` with this index asks for the summary: EBX Tables T, ESI area base | (pages − 1), EDI
/// threads, EBP capability nodes. With index i < T: EBX live entries of Table i (the area's own is 0),
/// ESI hooks on it, EDI its frame number, EBP 0.
pub const SPACE_SUMMARY: u32 = u32::MAX;

/// Names in the first program's space, and in any program that `rt` starts.
pub mod start {
    use crate::CapName;
    use crate::layout::NODE_SLOTS;

    /// The program's own space, with Edit.
    pub const SPACE: CapName = CapName(1);
    /// Its first thread.
    pub const THREAD: CapName = CapName(2);
    /// First program: all I/O ports.
    pub const PORTS: CapName = CapName(3);
    /// First program: interrupt lines 0–15, one after the other.
    pub const IRQ: CapName = CapName(16);
    /// First program: the boot containers, one for each 4 MiB block, in order.
    pub const BLOCKS: CapName = CapName(32);
    /// Capability nodes of the first program.
    pub const NODES: u32 = 4;
    /// First program: the Table that covers its image, stack and UTCB; the last slot that it has.
    pub const TABLE: CapName = CapName::new(NODES - 1, NODE_SLOTS - 1);
}

/// Where the first program finds itself.
pub mod place {
    /// The boot information, one read-only page.
    pub const BOOT_INFO: u32 = 0x007F_F000;
    /// The first thread's UTCB.
    pub const UTCB: u32 = 0x007F_E000;
    /// The end of the first stack; the page above it stays unmapped.
    pub const STACK_END: u32 = 0x007F_D000;
    /// Bytes of the first stack.
    pub const STACK_BYTES: u32 = 64 << 10;
    /// Where programs are linked.
    pub const IMAGE: u32 = 0x0040_0000;
    /// The page-table area: one Table, the last below [`crate::layout::USER_END`].
    pub const AREA: u32 = 0xBFC0_0000;
    /// Pages of the first program's area.
    pub const AREA_PAGES: u32 = 1024;
}

/// First word of the boot information.
pub const BOOT_MAGIC: u32 = 0x4672_6565;
/// Modules that are passed on.
pub const MODULES_MAX: usize = 32;
/// Ranges of free memory that are passed on.
pub const RANGES_MAX: usize = 16;
/// Bytes of all command lines together.
pub const TEXT_MAX: usize = 2048;

/// Physical bytes [start, end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Range {
    /// First byte.
    pub start: u32,
    /// First byte behind.
    pub end: u32,
}

/// A boot module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Module {
    /// Where it lies; `start` is a multiple of 4,096.
    pub memory: Range,
    /// Its command line's place in [`BootInfo::text`].
    pub text_at: u32,
    /// Bytes of its command line.
    pub text_len: u32,
}

impl Module {
    /// Whether the module lies in the frame at this physical address, if only in part.
    pub const fn contains(&self, frame: u32) -> bool {
        self.memory.start <= frame && frame < self.memory.end
    }

    /// Its frames.
    pub fn frames(&self) -> impl Iterator<Item = u32> + use<> {
        (self.memory.start..self.memory.end).step_by(layout::FRAME as usize)
    }
}

/// What the kernel tells the first program, in one page at [`place::BOOT_INFO`].
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct BootInfo {
    /// [`BOOT_MAGIC`].
    pub magic: u32,
    /// 4 MiB blocks of RAM; block b's container is named [`start::BLOCKS`] + b.
    pub blocks: u32,
    /// Frames of RAM that the kernel left unused because it cannot reach them.
    pub unreachable_frames: u32,
    /// Features of the processor: [`CPU_SYSENTER`] and the like.
    pub cpu: u32,
    /// Free ranges of RAM: roots without descendants, in order.
    pub free: [Range; RANGES_MAX],
    /// How many of them there are.
    pub free_count: u32,
    /// Modules behind the first, which is the first program itself.
    pub modules: [Module; MODULES_MAX],
    /// How many of them there are.
    pub module_count: u32,
    /// The kernel's command line: bytes of `text` from 0.
    pub command_len: u32,
    /// Command lines.
    pub text: [u8; TEXT_MAX],
}

/// [`BootInfo::cpu`]: SYSENTER and SYSEXIT.
pub const CPU_SYSENTER: u32 = 1;
/// [`BootInfo::cpu`]: SSE, with FXSAVE.
pub const CPU_SSE: u32 = 2;
/// [`BootInfo::cpu`]: global pages.
pub const CPU_GLOBAL: u32 = 4;
