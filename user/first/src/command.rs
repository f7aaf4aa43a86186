//! The kernel's command line.

use freehold_rt::start;

/// Whether it has this word. (The first word is the kernel's name.)
pub fn says(word: &str) -> bool {
    words().any(|known| known == word)
}

/// What is behind this beginning in the words that have it.
pub fn values(beginning: &str) -> impl Iterator<Item = &str> {
    words().filter_map(move |word| word.strip_prefix(beginning))
}

fn words() -> impl Iterator<Item = &'static str> {
    let line = start::boot_info().and_then(|boot| boot.text.get(..boot.command_len as usize)).unwrap_or(&[]);
    core::str::from_utf8(line).unwrap_or("").split_ascii_whitespace().skip(1)
}
