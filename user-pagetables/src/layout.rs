//! Where things lie in the 16 KiB of a Table or Directory and in the frame of a capability node.
//!
//! | offset | Table, Directory |
//! |---|---|
//! | 0 | 1,024 hardware entries |
//! | 4 KiB | next\[1024\] |
//! | 8 KiB | prev\[1024\] |
//! | 12 KiB | meta\[1024\] |
//!
//! Both are aligned to 16 KiB, so the address of an entry gives its table, its index and its sidecar
//! words. A Directory's entries from 768 on are the kernel's and have no nodes; their sidecar words
//! hold the fields of the Space.

use freehold_captree::Link;

/// Bytes of a frame.
pub const FRAME: u32 = 4096;
/// Bytes of a Table or Directory with its sidecar.
pub const TABLE: u32 = 16 << 10;
/// Frames of it.
pub const TABLE_FRAMES: u32 = TABLE / FRAME;
/// Entries of it.
pub const ENTRIES: u32 = 1024;
/// Directory entries that belong to the user.
pub const USER_TABLES: u32 = 768;
/// From an entry's address to its next link.
pub const NEXT: u32 = 4 << 10;
/// From an entry's address to its previous link.
pub const PREV: u32 = 8 << 10;
/// From an entry's address to its packed node.
pub const META: u32 = 12 << 10;

/// Link kind: an entry of a Table.
pub const IN_TABLE: u32 = 1;
/// Link kind: an entry of a Directory.
pub const IN_DIRECTORY: u32 = 2;
/// Link kind: a slot of a capability node.
pub const IN_NODE: u32 = 3;

/// Bytes of a capability slot.
pub const SLOT: u32 = 32;
/// Capability slot: the object's address.
pub const OBJECT: u32 = 0;
/// Capability slot: badge, or the range of a container or of ports.
pub const BADGE: u32 = 4;
/// Capability slot: next link.
pub const SLOT_NEXT: u32 = 8;
/// Capability slot: previous link.
pub const SLOT_PREV: u32 = 12;
/// Capability slot: total.
pub const TOTAL: u32 = 16;
/// Capability slot: credits.
pub const CREDITS: u32 = 20;
/// Capability slot: depth, rights, kind, flags.
pub const SLOT_META: u32 = 24;
/// Capability slot: a word for the object that lives here, or for this kind of capability.
pub const SPARE: u32 = 28;

/// Space: addresses of its capability nodes, 32 words.
pub const SPACE_NODES: u32 = NEXT + 4 * USER_TABLES;
/// Space: first word of its other fields.
pub const SPACE_FIELDS: u32 = PREV + 4 * USER_TABLES;
/// Space: how many there are.
pub const SPACE_FIELD_COUNT: u32 = 6;
/// Space: base address of the page-table area.
pub const AREA_BASE: u32 = SPACE_FIELDS;
/// Space: pages of the area, the most Tables that it can list.
pub const AREA_PAGES: u32 = SPACE_FIELDS + 4;
/// Space: Tables donated to it, T.
pub const AREA_TABLES: u32 = SPACE_FIELDS + 8;
/// Space: the area's own Table; 0: none yet.
pub const AREA_TABLE: u32 = SPACE_FIELDS + 16;
/// Space: not 0: the area's own Table is not hooked, so the space does not see its entries.
pub const AREA_HIDDEN: u32 = SPACE_FIELDS + 20;
/// Space: first of its threads.
pub const SPACE_THREADS: u32 = SPACE_FIELDS + 12;

/// Space: first of the words that designs with a pool keep. All are zero in a space that has nothing of it.
pub const POOL_FIELDS: u32 = META + 4 * USER_TABLES;
/// Space: how many there are.
pub const POOL_FIELD_COUNT: u32 = 10;
/// Space: its tables in the pool.
pub const POOL_TABLES: u32 = POOL_FIELDS;
/// Space: its mappings in the pool.
pub const POOL_MAPPINGS: u32 = POOL_FIELDS + 4;
/// Space: bytes that it may have of the pool.
pub const POOL_QUOTA: u32 = POOL_FIELDS + 8;
/// Space: while it ends, the directory entries that have no table of the pool any more.
pub const POOL_CURSOR: u32 = POOL_FIELDS + 12;
/// Space: whether it is trusted, and who looks at its messages.
pub const POOL_TRUST: u32 = POOL_FIELDS + 16;
/// Space: the space that gave it its quota.
pub const POOL_GIVER: u32 = POOL_FIELDS + 24;
/// Space: the first of those that it has given a quota to.
pub const POOL_FIRST_GIVEN: u32 = POOL_FIELDS + 28;
/// Space: the next of those that its giver has given to.
pub const POOL_GIVEN_NEXT: u32 = POOL_FIELDS + 32;
/// Space: address of the word that names it in that list; 0: it is in none.
pub const POOL_GIVEN_BEFORE: u32 = POOL_FIELDS + 36;

/// The slot of entry `index` of the Table at `table`.
pub const fn in_table(table: u32, index: u32) -> Link {
    Link::new(table + 4 * index, IN_TABLE)
}

/// The slot of entry `index` of the Directory at `directory`.
pub const fn in_directory(directory: u32, index: u32) -> Link {
    Link::new(directory + 4 * index, IN_DIRECTORY)
}

/// The slot `index` of the capability node at `node`.
pub const fn in_node(node: u32, index: u32) -> Link {
    Link::new(node + SLOT * index, IN_NODE)
}

/// The slot `number` entries behind `slot`, in the same Table.
#[inline(always)]
pub const fn behind(slot: Link, number: u32) -> Link {
    Link::from_word(slot.word() + 4 * number)
}

/// The Table or Directory that an entry's address lies in.
pub const fn table_of(address: u32) -> u32 {
    address & !(TABLE - 1)
}

/// The index of the entry at `address`.
pub const fn index_of(address: u32) -> u32 {
    address >> 2 & (ENTRIES - 1)
}
