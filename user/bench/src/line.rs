//! The kernel's command line.

use freehold_rt::start;

/// What follows `prefix` in the word that begins with it: of `only=map.1` behind `only=`, `map.1`.
pub fn value(prefix: &str) -> Option<&'static str> {
    let boot = start::boot_info()?;
    let line = boot.text.get(..boot.command_len as usize)?;
    let line = core::str::from_utf8(line).ok()?;
    line.split(' ').find_map(|word| word.strip_prefix(prefix))
}

/// The number there; `None` if there is none.
pub fn number(prefix: &str) -> Option<u32> {
    value(prefix)?.parse().ok()
}
