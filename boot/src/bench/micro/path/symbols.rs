//! Names for addresses: symbols and source lines, from an ELF file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use addr2line::{Context as Lines, demangle_auto};
use anyhow::{Context, Result};
use gimli::{Dwarf, EndianArcSlice, LittleEndian, SectionId};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::workspace;

/// Of the standard library's code, inlined in ours, it matters for whom it is.
const LIBRARY: &str = "/library/";
/// Where the kernel's assembly code is, below the workspace.
const ASSEMBLY: &str = "kernel/src/arch";

/// The symbols of a file, and what it says of source lines.
pub struct Symbols {
    /// Address and name, sorted.
    symbols: Vec<(u32, String)>,
    lines: Lines<EndianArcSlice<LittleEndian>>,
}

/// Where an instruction comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, below the workspace.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The function, inlined or not.
    pub function: String,
}

impl Symbols {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no ELF file.
    pub fn of(path: &Path) -> Result<Symbols> {
        let context = || format!("cannot read {}", path.display());
        let bytes = fs::read(path).with_context(context)?;
        let file = object::File::parse(bytes.as_slice()).with_context(context)?;
        // Labels of assembly code have no type, and count as well.
        let named = file.symbols().filter_map(|symbol| {
            let name = symbol.name().ok().filter(|name| !name.is_empty())?;
            let is_place = symbol.section_index().is_some();
            is_place.then(|| (symbol.address() as u32, demangled(name)))
        });
        let mut symbols: Vec<(u32, String)> = named.collect();
        symbols.sort();
        symbols.dedup_by_key(|(address, _)| *address);
        let section = |id: SectionId| -> Result<_> {
            let data = match file.section_by_name(id.name()) {
                Some(section) => section.uncompressed_data().with_context(context)?,
                None => Cow::Borrowed(&[][..]),
            };
            Ok(EndianArcSlice::new(Arc::from(&*data), LittleEndian))
        };
        let lines = Lines::from_dwarf(Dwarf::load(section)?).with_context(context)?;
        Ok(Symbols { symbols, lines })
    }

    /// The last symbol that is not behind an address, and how far behind it the address is.
    pub fn symbol(&self, address: u32) -> Option<(&str, u32)> {
        let behind = self.symbols.partition_point(|(start, _)| *start <= address);
        let (start, name) = self.symbols.get(behind.checked_sub(1)?)?;
        Some((name, address - start))
    }

    /// Where an instruction comes from: of the functions inlined into each other the innermost that is not the standard
    /// library's. `None`: it is assembly, or the file does not say.
    pub fn source(&self, address: u32) -> Option<Source> {
        let mut frames = self.lines.find_frames(address.into()).skip_all_loads().ok()?;
        while let Ok(Some(frame)) = frames.next() {
            let (Some(function), Some(location)) = (frame.function, frame.location) else { continue };
            let (Some(file), Some(line)) = (location.file, location.line) else { continue };
            if file.contains(LIBRARY) {
                continue;
            }
            let function = demangled(&function.raw_name().ok()?);
            return Some(Source { file: below_workspace(file), line, function });
        }
        None
    }
}

fn demangled(name: &str) -> String {
    demangle_auto(name.into(), None).into_owned()
}

/// The file's path below the workspace, or below the place where cargo keeps the sources of others, which differs
/// from machine to machine.
fn below_workspace(file: &str) -> String {
    let root = workspace::root().to_string_lossy();
    let others = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
    let own = file.strip_prefix(&*root).map(|rest| rest.trim_start_matches('/'));
    others.map(|(_, rest)| rest).or(own).unwrap_or(file).into()
}

/// The labels in the kernel's assembly code, and the functions with the names of C, of which the compiler says no lines;
/// and the file below the workspace in which each is.
///
/// # Errors
/// A source file cannot be read.
pub fn labels() -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut directories = vec![workspace::root().join(ASSEMBLY)];
    while let Some(directory) = directories.pop() {
        let context = || format!("cannot read {}", directory.display());
        for entry in fs::read_dir(&directory).with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).with_context(context)?;
            for line in text.lines() {
                let word = line.trim().trim_matches(['"', ',']).split_whitespace().next().unwrap_or_default();
                let of_c = line.split_once("extern \"C\" fn ").and_then(|(_, rest)| rest.split_once('('));
                if let Some(label) = word.strip_suffix(':').or(of_c.map(|(name, _)| name)) {
                    labels.insert(label.into(), below_workspace(&path.to_string_lossy()));
                }
            }
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_everywhere() {
        let own = workspace::root().join("kernel/src/ipc.rs");
        assert_eq!(below_workspace(&own.to_string_lossy()), "kernel/src/ipc.rs");
        assert_eq!(below_workspace("kernel/src/ipc.rs"), "kernel/src/ipc.rs");
        assert_eq!(
            below_workspace("/h/registry/src/some-mirror/x86-0.52.0/src/msr.rs"),
            "x86-0.52.0/src/msr.rs"
        );
    }

    #[test]
    fn labels_and_functions_of_c_are_found() {
        let labels = labels().expect("sources");
        let file = |label: &str| labels.get(label).map(String::as_str);
        assert_eq!(file("sysenter_entry"), Some("kernel/src/arch/ia32/entry.rs"));
        assert_eq!(file("memset"), Some("kernel/src/arch/ia32/mem.rs"));
        assert_eq!(file("sysexit_entry"), None);
    }
}
