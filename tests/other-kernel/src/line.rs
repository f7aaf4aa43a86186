//! The command line: `only=NAME,NAME seed=S rounds=N`.

/// It, as the boot loader left it.
#[derive(Clone, Copy)]
pub struct Line(pub &'static [u8]);

impl Line {
    /// What stands behind `prefix` in the word that begins with it.
    fn value(&self, prefix: &str) -> Option<&'static [u8]> {
        self.0.split(|byte| *byte == b' ').find_map(|word| word.strip_prefix(prefix.as_bytes()))
    }

    /// The number there.
    pub fn number(&self, prefix: &str) -> Option<u32> {
        core::str::from_utf8(self.value(prefix)?).ok()?.parse().ok()
    }

    /// Whether a row is asked for: nothing is named, or it, or the beginning of its name up to a dot.
    pub fn wants(&self, name: &str) -> bool {
        let Some(only) = self.value("only=") else { return true };
        only.split(|byte| *byte == b',').any(|part| {
            let rest = name.as_bytes().strip_prefix(part);
            rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'.'))
        })
    }
}
