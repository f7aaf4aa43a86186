//! Words that all threads see, in whichever space: the program's image is hooked into all of them.

use core::sync::atomic::{AtomicU32, Ordering};

/// How many words there are.
pub const WORDS: usize = 256;

static BOARD: [AtomicU32; WORDS] = [const { AtomicU32::new(0) }; WORDS];

/// Reads a word.
pub fn get(index: usize) -> u32 {
    BOARD[index].load(Ordering::SeqCst)
}

/// Writes a word.
pub fn set(index: usize, word: u32) {
    BOARD[index].store(word, Ordering::SeqCst);
}

/// Adds to a word; returns what it was.
pub fn add(index: usize, word: u32) -> u32 {
    BOARD[index].fetch_add(word, Ordering::SeqCst)
}

/// Clears all words.
pub fn clear() {
    for word in &BOARD {
        word.store(0, Ordering::SeqCst);
    }
}
