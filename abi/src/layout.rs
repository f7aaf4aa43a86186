//! Sizes and addresses that kernel and programs share.

/// Bytes in a frame.
pub const FRAME: u32 = 4096;
/// Bytes that one Table covers, and one boot container holds.
pub const BLOCK: u32 = 4 << 20;
/// Entries of a Table.
pub const ENTRIES: u32 = 1024;
/// End of the addresses that belong to programs.
pub const USER_END: u32 = 0xC000_0000;
/// Directory entries below [`USER_END`].
pub const USER_TABLES: u32 = USER_END / BLOCK;
/// Slots of a capability node.
pub const NODE_SLOTS: u32 = 128;
/// Capability nodes of a space.
pub const NODES: u32 = 32;
/// Deepest derivation; a root has depth 0.
pub const MAX_DEPTH: u32 = 63;
/// The total that means "no bound".
pub const UNLIMITED: u32 = u32::MAX;
/// Priorities are 0 (lowest) to this.
pub const MAX_PRIORITY: u32 = 31;
/// Milliseconds between timer ticks; time limits are rounded up to ticks.
pub const TICK_MS: u32 = 1;
/// Ticks after which a thread goes to the end of its priority's queue.
pub const SLICE_TICKS: u32 = 10;
/// The time limit that never passes, in milliseconds.
pub const FOREVER: u32 = u32::MAX;
/// The software interrupt that makes a call where the processor has no SYSENTER.
pub const CALL_VECTOR: u32 = 0x80;
/// Units of work (one node, entry, queued thread or expired timer; 256 bytes copied or cleared)
/// between two checks for interrupts, at most.
pub const UNITS: u32 = 64;
/// Bytes copied or cleared that count as one unit.
pub const UNIT_BYTES: u32 = 256;

/// Bit of a page-table entry, as the page-table area shows it: it maps.
pub const ENTRY_PRESENT: u32 = 1;
/// A page-table entry's page can be written.
pub const ENTRY_WRITABLE: u32 = 1 << 1;
/// Bit of a page-table entry, and of what Unmap tells: the page was used.
pub const ENTRY_ACCESSED: u32 = 1 << 5;
/// Bit of a page-table entry, and of what Unmap tells: the page was written.
pub const ENTRY_DIRTY: u32 = 1 << 6;

/// Bytes that the strings of one message can have.
pub const STRING_BYTES_MAX: u32 = 4 << 20;

/// Words of a thread's UTCB: the message registers first, then what follows.
pub mod utcb {
    /// Message registers, MR 0 (the tag) to MR 63. The first three travel in processor registers.
    pub const MESSAGE: usize = 0;
    /// Milliseconds that a send may wait for its receiver.
    pub const SEND_LIMIT: usize = 64;
    /// Milliseconds that a receive (or a call's reply) may take.
    pub const RECEIVE_LIMIT: usize = 65;
    /// First own slot for capability items that arrive.
    pub const SLOTS_FIRST: usize = 66;
    /// How many consecutive slots, beginning there, may be filled.
    pub const SLOTS_COUNT: usize = 67;
    /// Number of ranges declared for `copy`, at most [`RANGES_MAX`].
    pub const RANGES_COUNT: usize = 68;
    /// The ranges: address, then bytes | [`RANGE_WRITABLE`] each.
    pub const RANGES: usize = 69;
    /// Ranges that one message can declare.
    pub const RANGES_MAX: usize = 4;
    /// Set in a range's byte count: the other side may write it.
    pub const RANGE_WRITABLE: u32 = 1 << 31;
    /// Bytes of strings that the last message brought; the kernel writes it.
    pub const ARRIVED: usize = 77;
    /// Milliseconds that a transfer of strings which the thread sends may wait for its own pager ...
    pub const SEND_FAULT_MINE: usize = 78;
    /// ... and for the receiver's.
    pub const SEND_FAULT_OTHER: usize = 79;
    /// Milliseconds that a transfer of strings which the thread receives may wait for its own pager ...
    pub const RECEIVE_FAULT_MINE: usize = 80;
    /// ... and for the sender's.
    pub const RECEIVE_FAULT_OTHER: usize = 81;
    /// Number of strings to send, 1 to [`STRINGS_MAX`].
    pub const STRINGS_COUNT: usize = 82;
    /// Number of buffers for strings that arrive, 1 to [`STRINGS_MAX`].
    pub const BUFFERS_COUNT: usize = 83;
    /// Where the thread goes on when it faults, if its pager is [`crate::fault::UPCALL`] ...
    pub const UPCALL_EIP: usize = 84;
    /// ... and with which stack pointer.
    pub const UPCALL_ESP: usize = 85;
    /// The upcall that is not finished: its label, a reserved word, five words, then EIP, ESP and EFLAGS of
    /// the fault. Label 0: there is none.
    pub const UPCALL: usize = 86;
    /// Words of [`UPCALL`].
    pub const UPCALL_WORDS: usize = 10;
    /// Where map items may go: an [`Fpage`](crate::designs::Fpage) (designs with a pool).
    pub const WINDOW: usize = 96;
    /// The strings to send: address, bytes each.
    pub const STRINGS: usize = 128;
    /// The buffers for strings that arrive: address, bytes each.
    pub const BUFFERS: usize = 192;
    /// Strings, and buffers, that one message can have.
    pub const STRINGS_MAX: usize = 32;
    /// First byte that the kernel never reads or writes: the thread's own.
    pub const FREE_BYTES: u32 = 1024;
}
