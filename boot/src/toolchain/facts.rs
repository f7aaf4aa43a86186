//! What is on this machine that could make guest code.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::{Linker, TARGET};
use crate::install;

/// A Rust compiler and what lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The directory with its `bin` and `lib`.
    pub sysroot: PathBuf,
    /// Major and minor version.
    pub version: (u32, u32),
    /// `core` for the guest's target is there.
    pub prebuilt: bool,
    /// The sources of `core` are there.
    pub source: bool,
    /// rustup's copy of LLVM's linker.
    pub lld: Option<PathBuf>,
}

/// Everything that [`super::plan::decide`] looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The compiler in PATH, then the system's own.
    pub compilers: Vec<Compiler>,
    /// There is a rustup.
    pub rustup: bool,
    /// There is an apt and the right to use it.
    pub apt: bool,
    /// LLVM's linker in PATH.
    pub lld: Option<PathBuf>,
    /// GNU's linker in PATH, if it can make ELF32 for ia32.
    pub gnu_ld: Option<PathBuf>,
}

impl Facts {
    /// Looks at the machine.
    ///
    /// # Errors
    /// No compiler could be asked at all: something is badly wrong, as cargo itself needs one.
    pub fn gather() -> Result<Facts> {
        let mut compilers: Vec<Compiler> = Vec::new();
        for rustc in ["rustc", "/usr/bin/rustc"] {
            if let Some(compiler) = Compiler::ask(Path::new(rustc))
                && !compilers.iter().any(|known| known.sysroot == compiler.sysroot)
            {
                compilers.push(compiler);
            }
        }
        ensure!(!compilers.is_empty(), "no rustc in PATH answers `rustc -vV`: install Rust 1.95 or later");
        Ok(Facts {
            compilers,
            rustup: install::find_in_path("rustup").is_some(),
            apt: install::can_apt(),
            lld: install::find_in_path("ld.lld"),
            gnu_ld: install::find_in_path("ld").filter(|ld| links_ia32(ld)),
        })
    }

    /// The linker to use: rustup's, else LLVM's, else GNU's.
    pub fn linker(&self) -> Option<Linker> {
        let lld =
            self.compilers.iter().find_map(|compiler| compiler.lld.clone()).or_else(|| self.lld.clone());
        lld.map(Linker::Lld).or_else(|| self.gnu_ld.clone().map(Linker::Gnu))
    }
}

impl Compiler {
    /// What `rustc` says about itself; `None` if it is not there or says nothing of use.
    fn ask(rustc: &Path) -> Option<Compiler> {
        let version = answer(Command::new(rustc).arg("-vV"))?;
        let sysroot = PathBuf::from(answer(Command::new(rustc).args(["--print", "sysroot"]))?.trim());
        let library = sysroot.join("lib/rustlib");
        let lld = library.join(field(&version, "host: ")?).join("bin/gcc-ld/ld.lld");
        Some(Compiler {
            version: parse_version(field(&version, "release: ")?)?,
            prebuilt: holds_core(&library.join(TARGET).join("lib")),
            source: library.join("src/rust/library/core/src/lib.rs").is_file(),
            lld: lld.is_file().then_some(lld),
            sysroot,
        })
    }
}

fn holds_core(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libcore-") && name.ends_with(".rlib")
        })
    })
}

/// Whether a GNU ld knows the emulation for ia32.
fn links_ia32(ld: &Path) -> bool {
    answer(Command::new(ld).arg("-V"))
        .is_some_and(|text| text.split_whitespace().any(|word| word == "elf_i386"))
}

/// The standard output of a command that succeeds.
fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The rest of the line that starts with `name`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

/// Major and minor of "1.95.0" or "1.97.0-nightly".
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(parse_version("1.95.0"), Some((1, 95)));
        assert_eq!(parse_version("1.97.0-nightly"), Some((1, 97)));
        assert_eq!(parse_version("one"), None);
    }

    #[test]
    fn a_core_is_an_rlib_of_that_name() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(!holds_core(directory.path()));
        std::fs::write(directory.path().join("libcore-0123.rmeta"), "").expect("a file");
        assert!(!holds_core(directory.path()));
        std::fs::write(directory.path().join("libcore-0123.rlib"), "").expect("a file");
        assert!(holds_core(directory.path()));
        assert!(!holds_core(&directory.path().join("absent")));
    }

    #[test]
    fn rustups_linker_comes_first() {
        let lld = Some(PathBuf::from("/rustup/ld.lld"));
        let mut facts = Facts {
            compilers: vec![Compiler {
                sysroot: "/r".into(),
                version: (1, 95),
                prebuilt: false,
                source: false,
                lld,
            }],
            lld: Some("/bin/ld.lld".into()),
            gnu_ld: Some("/bin/ld".into()),
            ..Facts::default()
        };
        assert_eq!(facts.linker(), Some(Linker::Lld("/rustup/ld.lld".into())));
        facts.compilers[0].lld = None;
        assert_eq!(facts.linker(), Some(Linker::Lld("/bin/ld.lld".into())));
        facts.lld = None;
        assert_eq!(facts.linker(), Some(Linker::Gnu("/bin/ld".into())));
        facts.gnu_ld = None;
        assert_eq!(facts.linker(), None);
    }
}
