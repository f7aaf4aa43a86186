//! What is kept in the repository: files of figures, and documents of which parts are made from them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::markers;

/// A file's text.
///
/// # Errors
/// It cannot be read.
pub fn read(root: &Path, path: &str) -> Result<String> {
    let path = root.join(path);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// A document with its generated parts made anew.
///
/// # Errors
/// It cannot be read, or its markers are not as they must be.
pub fn filled(root: &Path, path: &str, part: impl Fn(&str) -> Option<String>) -> Result<String> {
    markers::fill(&read(root, path)?, part).context(path.to_string())
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    let path = root.join(path);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
