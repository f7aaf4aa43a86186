//! Where things lie in the space of a program that stands on this runtime.
//!
//! | address | what |
//! |---|---|
//! | `place::IMAGE` | the program's image, up to [`BOOKS`] |
//! | [`BOOKS`] | the books on its free frames |
//! | [`SCRATCH`] | pages that are mapped for a moment |
//! | [`BLOCK`] bytes below 8 MiB | the first thread: stack, UTCB, start page |
//! | [`THREADS`] | further threads |
//! | [`PAGER`] | frames and store of the pager, if there is one |
//! | [`HEAP`] | the heap |
//! | [`OWN`] up to [`OWN_END`] | the program's own use |
//! | `place::AREA` | the page-table area |
//!
//! Everything below 8 MiB is covered by the one Table that a program begins with.

use freehold_abi::info::place;
use freehold_abi::layout::FRAME;

/// The books on free frames; 64 KiB.
pub const BOOKS: u32 = 0x0070_0000;
/// Bytes of the books at most.
pub const BOOKS_BYTES: u32 = 64 << 10;
/// Pages that are mapped for a moment, while a program is loaded.
pub const SCRATCH: u32 = 0x0071_0000;
/// Pages of it.
pub const SCRATCH_PAGES: u32 = 16;
/// Further threads, a [`BLOCK`] each.
pub const THREADS: u32 = 0x0080_0000;
/// How many further threads there can be.
pub const THREADS_MAX: u32 = 32;
/// Where the pager sees its frames and its store; nothing that is paged lies here.
pub const PAGER: u32 = 0x0100_0000;
/// End of that.
pub const PAGER_END: u32 = HEAP;
/// The heap.
pub const HEAP: u32 = 0x1000_0000;
/// End of the heap.
pub const HEAP_END: u32 = 0x4000_0000;
/// Addresses that the runtime never uses by itself.
pub const OWN: u32 = 0x4000_0000;
/// Their end.
pub const OWN_END: u32 = place::AREA;

/// A thread's block of addresses: a multiple of this, and so large.
///
/// The stack grows down from [`STACK_END`], the page above it stays unmapped, then comes the UTCB, then a
/// page that is the start page in the first thread's block. A thread's stack pointer lies in its
/// block, and so gives the address of its UTCB.
pub const BLOCK: u32 = 128 << 10;
/// Offset in a block at which the stack ends.
pub const STACK_END: u32 = BLOCK - 3 * FRAME;
/// Offset of the UTCB in a block.
pub const UTCB: u32 = BLOCK - 2 * FRAME;
/// Offset of the start page in the first thread's block.
pub const START_PAGE: u32 = BLOCK - FRAME;

/// The address of the UTCB of the thread whose stack pointer is `stack`.
pub const fn utcb_of(stack: u32) -> u32 {
    (stack & !(BLOCK - 1)) + UTCB
}

// The kernel places the first program's first thread by the same rule.
const _: () = assert!(utcb_of(place::STACK_END - 4) == place::UTCB);
const _: () = assert!(utcb_of(place::STACK_END - place::STACK_BYTES) == place::UTCB);
const _: () = assert!(place::STACK_END % BLOCK == STACK_END);
const _: () = assert!(place::BOOT_INFO % BLOCK == START_PAGE);
const _: () = assert!(THREADS + THREADS_MAX * BLOCK <= PAGER);
const _: () = assert!(SCRATCH + SCRATCH_PAGES * FRAME <= place::STACK_END - place::STACK_BYTES);
