//! What is in the file system at first.

use alloc::vec::Vec;
use alloc::{format, vec};

use freehold_protocol::files::{DATA_BYTES, LISTS, NAME, PATHS, SPREAD};

use crate::tree::{Content, Tree};

/// The file system that callers find. `None`: two of its paths are the same, which would be a mistake here.
pub fn tree() -> Option<Tree> {
    let mut tree = Tree::new();
    let words = (0..DATA_BYTES / 4).map(|number| number.wrapping_mul(SPREAD));
    tree.add(b"/data", Content::File(words.flat_map(u32::to_le_bytes).collect()))?;
    tree.add(b"/scratch", Content::File(vec![0; DATA_BYTES as usize]))?;
    for count in LISTS {
        for number in 0..count {
            let path = format!("/list-{count}/file-{number:05}");
            tree.add(path.as_bytes(), Content::File(format!("{number}").into_bytes()))?;
        }
    }
    for length in PATHS {
        let path = path(length);
        tree.add(&path, Content::File(path.clone()))?;
    }
    Some(tree)
}

/// A path of so many bytes.
fn path(length: u32) -> Vec<u8> {
    let byte = |at: u32| if at.is_multiple_of(NAME + 1) { b'/' } else { b'a' + ((at + length) % 26) as u8 };
    (0..length).map(byte).collect()
}
