//! The compiler, the linker and the flags for guest code. No other module knows any of them.
//!
//! Guest code is compiled for the built-in target [`TARGET`], used as a bare-metal target: a
//! Pentium's instructions, so neither CMOV nor SSE, and no target specification file. Its `core` and
//! `alloc` are either prebuilt (rustup's target, stable Rust) or built from the compiler's own
//! sources (Debian's packages). The same flags serve both, so both make the same kind of kernel.
//!
//! [`facts`] looks at the machine, [`plan`] decides what to do (a pure function), and
//! [`Toolchain::ready`] carries it out, installing what is missing.

pub mod facts;
pub mod plan;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::install;
use crate::workspace::{self, Metadata};
use facts::Facts;
use plan::{Plan, Step};

/// The target triple of all guest code.
pub const TARGET: &str = "i586-unknown-linux-gnu";
/// No padding before loops. The target's processor has no long NOP, so that what comes to a loop from above would go
/// through up to 15 short ones, each an instruction. The option is LLVM's own, hidden, and older than any LLVM that
/// [`OLDEST`] can be built with; one that has dropped it refuses to compile, rather than pad.
const UNPADDED: &str = "-Cllvm-args=-max-bytes-for-alignment=1";

/// The oldest compiler that knows the language of this workspace (`rust-version` in Cargo.toml).
pub const OLDEST: (u32, u32) = (1, 95);

/// Where `core` and `alloc` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// The compiler's sysroot holds them for [`TARGET`].
    Prebuilt,
    /// They are built from the sources in the compiler's sysroot.
    Source,
}

/// A linker for ELF32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linker {
    /// LLVM's, under the name `ld.lld`.
    Lld(PathBuf),
    /// GNU's, which must be told the emulation.
    Gnu(PathBuf),
}

/// A compiler, a core and a linker that together make guest code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// The directory with the compiler's `bin` and `lib`.
    pub sysroot: PathBuf,
    /// Where `core` comes from.
    pub core: Core,
    /// The linker.
    pub linker: Linker,
}

impl Toolchain {
    /// Finds a toolchain for guest code, installing one if there is none.
    ///
    /// # Errors
    /// There is none and none can be installed; the message holds the commands to do it by hand.
    pub fn ready() -> Result<Toolchain> {
        let mut tried = Vec::new();
        loop {
            match plan::decide(&Facts::gather()?, &tried) {
                Plan::Use(toolchain) => return Ok(toolchain),
                Plan::Try(step) => {
                    if let Err(error) = carry_out(step) {
                        eprintln!("freehold: {error:#}");
                    }
                    tried.push(step);
                }
                Plan::GiveUp(missing) => bail!("{missing}"),
            }
        }
    }

    /// A cargo command for guest code: compiler, target and flags set, nothing inherited that could
    /// change them. The caller adds packages and, after `--`, the tool's own arguments.
    ///
    /// # Errors
    /// The workspace cannot be read.
    pub fn cargo(&self, subcommand: &str) -> Result<Command> {
        self.cargo_in(workspace::root(), &target_dir()?, subcommand)
    }

    /// The same for another workspace than this one, with a build directory of its own.
    ///
    /// # Errors
    /// A path is not UTF-8.
    pub fn cargo_in(&self, root: &Path, target: &Path, subcommand: &str) -> Result<Command> {
        self.cargo_by(&workspace::cargo_path(), root, target, subcommand)
    }

    /// Like [`Toolchain::cargo`] for clippy, which must be the compiler's own.
    ///
    /// # Errors
    /// The compiler has no clippy and none can be installed, or the workspace cannot be read.
    pub fn clippy(&self) -> Result<Command> {
        let driver = self.bin("cargo-clippy");
        if !driver.is_file() {
            let package = install::Package {
                name: "rust-web-clippy",
                why: "clippy of the compiler that builds the guest",
            };
            if self.sysroot == Path::new("/usr") {
                install::apt_install(&[package])?;
            } else {
                install::rustup(&["component", "add", "clippy"], "lints for ./x check");
            }
        }
        if !driver.is_file() {
            bail!("{} is missing: install clippy for this compiler", driver.display());
        }
        let mut command = self.cargo_by(&driver, workspace::root(), &target_dir()?, "clippy")?;
        command.env("CARGO", workspace::cargo_path());
        Ok(command)
    }

    fn cargo_by(&self, program: &Path, root: &Path, target: &Path, subcommand: &str) -> Result<Command> {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if decides_about_code(&name) {
                command.env_remove(name);
            }
        }
        command
            .current_dir(root)
            .arg(subcommand)
            .args(["--target", TARGET, "--target-dir"])
            .arg(target)
            .env("RUSTC", self.bin("rustc"))
            .env("RUSTDOC", self.bin("rustdoc"))
            .env("CARGO_ENCODED_RUSTFLAGS", self.rustflags()?);
        if self.core == Core::Source {
            // -Z flags on a stable compiler: what its distributor built is what is used.
            command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=core,alloc");
        }
        Ok(command)
    }

    /// The compiler's flags as cargo wants them: separated by the byte 0x1F.
    ///
    /// Linker scripts are not here: each package's build script names its own, so that cargo links
    /// again when it changes. `panic = "abort"` is in the workspace's profiles.
    fn rustflags(&self) -> Result<String> {
        let (linker, emulation) = match &self.linker {
            Linker::Lld(path) => (path, None),
            Linker::Gnu(path) => (path, Some("-Clink-arg=-melf_i386")),
        };
        let linker = linker.to_str().context("the linker's path is not UTF-8")?;
        let mut flags =
            vec![format!("-Clinker={linker}"), "-Crelocation-model=static".into(), UNPADDED.into()];
        flags.extend(emulation.map(String::from));
        Ok(flags.join("\x1f"))
    }

    /// The compiler's version, as it says it.
    ///
    /// # Errors
    /// It cannot be run, or says something else.
    pub fn version(&self) -> Result<String> {
        let output = Command::new(self.bin("rustc")).arg("--version").output().context("cannot run rustc")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.strip_prefix("rustc ").and_then(|rest| rest.split_whitespace().next());
        Ok(version.context("rustc does not say its version")?.into())
    }

    fn bin(&self, tool: &str) -> PathBuf {
        self.sysroot.join("bin").join(tool)
    }
}

impl std::fmt::Display for Toolchain {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let core = match self.core {
            Core::Prebuilt => "prebuilt core",
            Core::Source => "core built from source",
        };
        let (Linker::Lld(linker) | Linker::Gnu(linker)) = &self.linker;
        write!(f, "{}, {core}, {}", self.bin("rustc").display(), linker.display())
    }
}

/// Where guest code is built: below the workspace's target directory, but a directory of its own, so
/// that host and guest neither wait for each other nor throw each other's work away.
///
/// # Errors
/// The workspace cannot be read.
pub fn target_dir() -> Result<PathBuf> {
    Ok(Metadata::read()?.target_dir.join("guest"))
}

/// Whether a variable of the host's build could change what the guest's build makes. Variables that
/// say where things are found (homes, network, registries) or how fast to build do not.
fn decides_about_code(name: &OsString) -> bool {
    const KEEP: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_BUILD_JOBS",
        "RUSTUP_",
    ];
    let name = name.to_string_lossy();
    (name.starts_with("CARGO") || name.starts_with("RUST")) && !KEEP.iter().any(|keep| name.starts_with(keep))
}

/// Carries out one step of a plan.
fn carry_out(step: Step) -> Result<()> {
    match step {
        Step::RustupTarget => {
            if !install::rustup(&["target", "add", TARGET], "a prebuilt core for the guest") {
                bail!("rustup could not add {TARGET}");
            }
            Ok(())
        }
        Step::DebianCompiler => install::apt_install(&plan::DEBIAN_COMPILER),
        Step::DebianLinker => install::apt_install(&[install::LLD]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_decides_about_code_is_scrubbed() {
        for name in
            ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_PKG_NAME"]
        {
            assert!(decides_about_code(&name.into()), "{name}");
        }
        for name in ["PATH", "CARGO_HOME", "RUSTUP_TOOLCHAIN", "CARGO_NET_OFFLINE", "CARGO_HTTP_CAINFO"] {
            assert!(!decides_about_code(&name.into()), "{name}");
        }
    }

    #[test]
    fn gnu_ld_is_told_the_emulation_and_lld_is_not() {
        let mut toolchain = Toolchain {
            sysroot: "/usr".into(),
            core: Core::Source,
            linker: Linker::Gnu("/usr/bin/ld".into()),
        };
        assert_eq!(
            toolchain.rustflags().expect("UTF-8"),
            format!(
                "-Clinker=/usr/bin/ld\x1f-Crelocation-model=static\x1f{UNPADDED}\x1f-Clink-arg=-melf_i386"
            )
        );
        toolchain.linker = Linker::Lld("/x/ld.lld".into());
        assert_eq!(
            toolchain.rustflags().expect("UTF-8"),
            format!("-Clinker=/x/ld.lld\x1f-Crelocation-model=static\x1f{UNPADDED}")
        );
    }

    #[test]
    fn only_a_source_core_needs_unstable_flags() {
        let mut toolchain =
            Toolchain { sysroot: "/usr".into(), core: Core::Source, linker: Linker::Lld("/x/ld.lld".into()) };
        let bootstrap = |toolchain: &Toolchain| {
            let command = toolchain.cargo("build").expect("a workspace");
            command.get_envs().any(|(name, value)| name == "RUSTC_BOOTSTRAP" && value.is_some())
        };
        assert!(bootstrap(&toolchain));
        toolchain.core = Core::Prebuilt;
        assert!(!bootstrap(&toolchain));
    }
}
