//! The guest's packages, and building them.
//!
//! This is the one list of what is built for ia32. A new program is a line here (and a member of the
//! workspace); a new test program of `freehold-guest-tests` needs none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::args::{BuildArgs, Profile};
use crate::qemu::Module;
use crate::toolchain::{self, Toolchain};
use crate::workspace;

/// The kernel; its program is called `kernel`.
pub const KERNEL: &str = "freehold-kernel";

/// The programs of the tour and of its monitor, in the order in which they are loaded; the first one is the first
/// program. A package `freehold-NAME` makes the program `NAME`.
pub const PROGRAMS: &[&str] =
    &["init", "hello", "attacker", "server", "client", "pager", "transfer", "caller", "files"];

/// The program that measures the kernel's operations: the first program of a boot of its own.
pub const BENCH: &str = "bench";

/// The program that looks at the messages of spaces that are not trusted.
pub const REDIRECTOR: &str = "redirector";

/// Programs that test the kernel from inside, one boot each.
pub const TESTS: Option<&str> = Some("freehold-guest-tests");

/// The programs of the arena beside the attacks: the first program, and the victim.
pub const ARENA: &[&str] = &["referee", "victim"];

/// The programs that attack, one for each attack (docs/attacks.md).
pub const ATTACKS: &str = "freehold-attacks";

/// Guest packages that make no program of their own: they are built with those that use them. They can be default
/// members as well: the parts of them that do not touch the machine have their tests on the host.
pub const LIBRARIES: &[&str] = &["freehold-rt", "freehold-protocol", "freehold-first"];

/// Guests that fail on purpose and need no kernel.
pub const BROKEN: &str = "freehold-broken";

/// A kernel that is not Freehold: what another one has to do to be compared (docs/join.md).
pub const OTHER: &str = "other-kernel";

/// The package of a program of the tour.
pub fn package_of(program: &str) -> String {
    format!("freehold-{program}")
}

/// The packages to build for having the guest program `name`.
pub fn packages_making(name: &str) -> Vec<String> {
    if name == "kernel" {
        vec![KERNEL.into()]
    } else if PROGRAMS.contains(&name) || ARENA.contains(&name) || [BENCH, REDIRECTOR, OTHER].contains(&name)
    {
        vec![package_of(name)]
    } else {
        TESTS.into_iter().chain([ATTACKS, BROKEN]).map(String::from).collect()
    }
}

/// The kernel and the programs of the tour.
pub fn tour_packages() -> Vec<String> {
    std::iter::once(KERNEL.into()).chain(PROGRAMS.iter().map(|program| package_of(program))).collect()
}

/// Every guest package, for what must hold for all of them.
pub fn all_packages() -> Vec<String> {
    let others =
        [package_of(BENCH), package_of(REDIRECTOR), package_of(OTHER), ATTACKS.into(), BROKEN.into()];
    let arena = ARENA.iter().map(|program| package_of(program));
    tour_packages().into_iter().chain(arena).chain(TESTS.map(String::from)).chain(others).collect()
}

/// Guest programs that have been built: those of the packages asked for and no others, so that no
/// program which its package no longer makes is ever run.
#[derive(Debug, Clone)]
pub struct Guests {
    programs: BTreeMap<String, PathBuf>,
}

impl Guests {
    /// Names and files of all of them.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.programs.iter().map(|(name, path)| (name.as_str(), path.as_path()))
    }

    /// The file of a program.
    ///
    /// # Errors
    /// No program of that name has been built.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let names = || self.programs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.programs
            .get(name)
            .cloned()
            .with_context(|| format!("no guest program is called {name} (there are {})", names()))
    }

    /// A program as a boot module, without arguments.
    ///
    /// # Errors
    /// No program of that name has been built.
    pub fn module(&self, name: &str) -> Result<Module> {
        Ok(Module { name: name.into(), path: self.program(name)?, arguments: String::new() })
    }

    /// These, and of `others` those that are not among them.
    #[must_use]
    pub fn or(&self, others: &Guests) -> Guests {
        let mut programs = others.programs.clone();
        programs.extend(self.programs.clone());
        Guests { programs }
    }

    /// The same programs, copied to `directory`, where no later build replaces them.
    ///
    /// # Errors
    /// A file cannot be copied.
    pub fn kept_in(&self, directory: &Path) -> Result<Guests> {
        let keep = |(name, path): (&String, &PathBuf)| -> Result<(String, PathBuf)> {
            let kept = directory.join(name);
            std::fs::copy(path, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
            Ok((name.clone(), kept))
        };
        Ok(Guests { programs: self.programs.iter().map(keep).collect::<Result<_>>()? })
    }

    /// Reads cargo's messages, one JSON object a line.
    fn from_messages(messages: &str) -> Guests {
        let executable = |line: &str| -> Option<(String, PathBuf)> {
            let message: Value = serde_json::from_str(line).ok()?;
            Some((message["target"]["name"].as_str()?.into(), message["executable"].as_str()?.into()))
        };
        Guests { programs: messages.lines().filter_map(executable).collect() }
    }
}

/// Builds guest packages.
///
/// # Errors
/// There is no toolchain and none can be installed, or the code does not compile.
pub fn build(packages: &[String], profile: Profile) -> Result<Guests> {
    build_in(workspace::root(), &toolchain::target_dir()?, packages, profile)
}

/// The same from the sources of another workspace, with a build directory of its own.
///
/// # Errors
/// As for [`build`].
pub fn build_in(root: &Path, target: &Path, packages: &[String], profile: Profile) -> Result<Guests> {
    let toolchain = Toolchain::ready()?;
    if !target.exists() {
        eprintln!("freehold: building for ia32 with {toolchain}; the first time takes longest");
    }
    let mut cargo = toolchain.cargo_in(root, target, "build")?;
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    cargo.args(["--quiet", "--bins", "--message-format=json-render-diagnostics"]);
    for package in packages.iter().collect::<BTreeSet<_>>() {
        cargo.args(["--package", package]);
    }
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "the guest code does not build (with {toolchain})");
    Ok(Guests::from_messages(&String::from_utf8_lossy(&output.stdout)))
}

/// Builds the kernel without the designs that `user-tables` is compared with, in a build directory of its own, so that it
/// never lies where [`build`] puts the other. Returns its file.
///
/// # Errors
/// As for [`build`].
pub fn build_bare_kernel() -> Result<PathBuf> {
    let target = toolchain::target_dir()?.join("bare");
    let mut cargo = Toolchain::ready()?.cargo_in(workspace::root(), &target, "build")?;
    cargo.args(["--release", "--quiet", "--message-format=json-render-diagnostics"]);
    cargo.args(["--package", KERNEL, "--no-default-features"]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "the kernel does not build without the designs");
    Guests::from_messages(&String::from_utf8_lossy(&output.stdout)).program("kernel")
}

/// `./x build`.
///
/// # Errors
/// As for [`build`].
pub fn build_command(args: &BuildArgs) -> Result<ExitCode> {
    let packages = if args.packages.is_empty() { all_packages() } else { args.packages.clone() };
    for (name, path) in build(&packages, args.build.profile)?.programs() {
        println!("{name}: {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_messages() {
        let guests = Guests::from_messages(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"core\"},\"executable\":null}\n\
             {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"init\"},\"executable\":\"/t/init\"}\n\
             {\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(guests.programs().collect::<Vec<_>>(), [("init", Path::new("/t/init"))]);
        assert!(guests.program("core").is_err());
    }

    #[test]
    fn every_guest_package_is_a_member_but_none_runs_on_the_host() {
        let metadata = crate::workspace::Metadata::read().expect("a workspace");
        for package in all_packages() {
            assert!(metadata.packages.contains(&package), "{package} is no member of the workspace");
            assert!(!metadata.host_packages.contains(&package), "{package} is a default member");
        }
    }

    #[test]
    fn every_member_is_built_for_the_host_or_for_the_guest() {
        let metadata = crate::workspace::Metadata::read().expect("a workspace");
        for package in &metadata.packages {
            let guest = all_packages().contains(package) || LIBRARIES.contains(&package.as_str());
            assert!(guest || metadata.host_packages.contains(package), "nothing builds {package}");
        }
    }

    #[test]
    fn the_tests_of_the_runtime_run_on_the_host() {
        let metadata = crate::workspace::Metadata::read().expect("a workspace");
        assert!(metadata.host_packages.iter().any(|package| package == "freehold-rt"));
    }
}
