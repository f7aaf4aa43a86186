//! argv and environment, as a loader would look through them before it uses them.

/// Whether `bytes` are `argv` strings and then `environment` strings, each with a 0 behind it, those of the
/// environment with a `=` in them, and nothing else.
pub fn is_whole(bytes: &[u8], argv: u32, environment: u32) -> bool {
    let Some(strings) = bytes.strip_suffix(&[0]) else {
        return bytes.is_empty() && argv == 0 && environment == 0;
    };
    let mut strings = strings.split(|&byte| byte == 0);
    let arguments = strings.by_ref().take(argv as usize).count();
    let variables = strings.by_ref().take(environment as usize).filter(|string| string.contains(&b'='));
    arguments == argv as usize && variables.count() == environment as usize && strings.next().is_none()
}
