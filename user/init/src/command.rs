//! The kernel's command line.

use freehold_rt::start;

/// Whether it has this word. (The first word is the kernel's name.)
pub fn says(word: &str) -> bool {
    let Some(boot) = start::boot_info() else { return false };
    let line = boot.text.get(..boot.command_len as usize).unwrap_or(&[]);
    let line = core::str::from_utf8(line).unwrap_or("");
    line.split_ascii_whitespace().skip(1).any(|known| known == word)
}
