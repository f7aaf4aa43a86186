//! A directory's entries as records.
//!
//! A record: size (32 bits), kind (16 bits), length of the name (16 bits), the name, zeroes up to a multiple of
//! four bytes.

use freehold_protocol::files::{DIRECTORY, FILE};

use crate::tree::{Content, Entries, Node, Tree};

/// Bytes of a record before the name.
const HEAD: usize = 8;

/// Writes the records of `entries` from number `first` on, as many as fit. Returns their bytes.
pub fn write(tree: &Tree, entries: &Entries, first: u32, room: &mut [u8]) -> usize {
    let mut used = 0;
    for (name, &number) in entries.iter().skip(first as usize) {
        let bytes = HEAD + name.len().next_multiple_of(4);
        let place = room.get_mut(used..used + bytes);
        let (Some(place), Some(node)) = (place, tree.node(number)) else { break };
        let (head, rest) = place.split_at_mut(HEAD);
        head[..4].copy_from_slice(&(node.size() as u32).to_le_bytes());
        head[4..6].copy_from_slice(&(kind(node) as u16).to_le_bytes());
        head[6..].copy_from_slice(&(name.len() as u16).to_le_bytes());
        rest[..name.len()].copy_from_slice(name);
        rest[name.len()..].fill(0);
        used += bytes;
    }
    used
}

/// The number that says what a node is.
pub fn kind(node: &Node) -> u32 {
    match node.content {
        Content::File(_) => FILE,
        Content::Directory(_) => DIRECTORY,
    }
}
