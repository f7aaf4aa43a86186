//! What is asked of the server: one match, an operation each.
//!
//! What must hold: nothing is read but the request as it lies in the server's own memory, whole; nothing is written
//! but the room for the reply. Per byte, whatever the way: READ and WRITE copy it once, between the file and the
//! buffer; LIST writes it once; EXECUTE looks at it twice; OPEN compares it, name by name, as often as the
//! directories are deep. SET copies 8 or 32 bytes.

use freehold_protocol::files::{
    ATTRIBUTES, DIGEST, EXECUTE, GET, INVALID, LIST, NO_ROOM, NOT_FOUND, NOTHING, OK, OPEN, READ, SET, WRITE,
    WRONG_KIND,
};

use crate::digest::digest;
use crate::tree::{Node, Tree};
use crate::{execute, list};

/// What an operation comes to: bytes of the reply, or the status that says why there is none.
type Outcome = Result<usize, u32>;

/// Does what is asked. Returns the status, and the bytes of the reply, which lie at the beginning of `room`.
pub fn answer(tree: &mut Tree, op: u16, args: [u32; 2], data: &[u8], room: &mut [u8]) -> (u32, usize) {
    let outcome = match op {
        OPEN => open(tree, data, room),
        READ => read(tree, args, room),
        WRITE => write(tree, args, data),
        LIST => entries(tree, args, room),
        EXECUTE => strings(args, data, room),
        SET => set(tree, data),
        GET => get(tree, args[0], room),
        DIGEST => part_digest(tree, args, room),
        NOTHING => Ok(0),
        _ => Err(INVALID),
    };
    match outcome {
        Ok(bytes) => (OK, bytes),
        Err(status) => (status, 0),
    }
}

fn open(tree: &Tree, path: &[u8], room: &mut [u8]) -> Outcome {
    let file = tree.find(path).ok_or(NOT_FOUND)?;
    let node = node(tree, file)?;
    put(room, &[file, node.size() as u32, list::kind(node)])
}

fn read(tree: &Tree, [file, offset]: [u32; 2], room: &mut [u8]) -> Outcome {
    let bytes = node(tree, file)?.bytes().ok_or(WRONG_KIND)?;
    let bytes = bytes.get(offset as usize..).ok_or(INVALID)?;
    let count = bytes.len().min(room.len());
    room[..count].copy_from_slice(&bytes[..count]);
    Ok(count)
}

fn write(tree: &mut Tree, [file, offset]: [u32; 2], data: &[u8]) -> Outcome {
    let bytes = tree.node_mut(file).ok_or(NOT_FOUND)?.bytes_mut().ok_or(WRONG_KIND)?;
    let place = bytes.get_mut(offset as usize..).and_then(|rest| rest.get_mut(..data.len()));
    place.ok_or(INVALID)?.copy_from_slice(data);
    Ok(0)
}

fn entries(tree: &Tree, [directory, first]: [u32; 2], room: &mut [u8]) -> Outcome {
    let entries = node(tree, directory)?.entries().ok_or(WRONG_KIND)?;
    Ok(list::write(tree, entries, first, room))
}

fn strings([argv, environment]: [u32; 2], data: &[u8], room: &mut [u8]) -> Outcome {
    if !execute::is_whole(data, argv, environment) {
        return Err(INVALID);
    }
    put(room, &[argv + environment, digest(data)])
}

fn set(tree: &mut Tree, data: &[u8]) -> Outcome {
    let (words, []) = data.as_chunks::<4>() else { return Err(INVALID) };
    let (file, values) = words.split_first().ok_or(INVALID)?;
    let node = tree.node_mut(u32::from_le_bytes(*file)).ok_or(NOT_FOUND)?;
    if values.is_empty() || values.len() > ATTRIBUTES {
        return Err(INVALID);
    }
    for (place, value) in node.attributes.iter_mut().zip(values) {
        *place = u32::from_le_bytes(*value);
    }
    Ok(0)
}

fn get(tree: &Tree, file: u32, room: &mut [u8]) -> Outcome {
    put(room, &node(tree, file)?.attributes)
}

fn part_digest(tree: &Tree, [file, count]: [u32; 2], room: &mut [u8]) -> Outcome {
    let bytes = node(tree, file)?.bytes().ok_or(WRONG_KIND)?;
    put(room, &[digest(bytes.get(..count as usize).ok_or(INVALID)?)])
}

fn node(tree: &Tree, number: u32) -> Result<&Node, u32> {
    tree.node(number).ok_or(NOT_FOUND)
}

/// Writes words at the beginning of the reply.
fn put(room: &mut [u8], words: &[u32]) -> Outcome {
    let bytes = 4 * words.len();
    let place = room.get_mut(..bytes).ok_or(NO_ROOM)?;
    for (place, word) in place.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Ok(bytes)
}
