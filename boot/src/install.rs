//! Gets what is missing on the machine: Debian packages, and what rustup can add.
//!
//! Nothing is installed without a line that says what and why, and nothing that is there already.
//! Where it cannot be installed, the error holds the commands that would do it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A Debian package and the reason to install it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Name in Debian and its derivatives.
    pub name: &'static str,
    /// What Freehold needs it for; completes "NAME: …".
    pub why: &'static str,
}

/// QEMU without its graphical parts.
pub const QEMU: Package =
    Package { name: "qemu-system-x86", why: "the PC emulator in which the kernel boots" };
/// The debugger.
pub const GDB: Package = Package { name: "gdb", why: "the debugger for ./x gdb" };
/// A linker for ELF32, where neither rustup nor binutils has one.
pub const LLD: Package = Package { name: "lld", why: "a linker that can make ia32 executables" };

/// The file that `command` would run, searched in PATH.
pub fn find_in_path(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(command)).find(|file| file.is_file())
}

/// Whether `command` can be run and succeeds; its output is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Makes sure that `command` is there, installing `package` if not.
///
/// # Errors
/// It is missing and cannot be installed.
pub fn ensure_command(command: &str, package: Package) -> Result<PathBuf> {
    if let Some(file) = find_in_path(command) {
        return Ok(file);
    }
    apt_install(&[package])?;
    match find_in_path(command) {
        Some(file) => Ok(file),
        None => bail!("the package {} is installed, but there is still no {command} in PATH", package.name),
    }
}

/// By what right packages can be installed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// This is root.
    Root,
    /// `sudo` works without asking.
    Sudo,
    /// The package manager is not apt.
    NoApt,
    /// There is apt, but neither root nor a sudo that does not ask.
    NoRight,
}

/// The means that follow from what is known about the machine.
fn means(apt: bool, root: bool, sudo: bool) -> Means {
    match (apt, root, sudo) {
        (false, _, _) => Means::NoApt,
        (true, true, _) => Means::Root,
        (true, false, true) => Means::Sudo,
        (true, false, false) => Means::NoRight,
    }
}

/// The means on this machine.
fn means_here() -> Means {
    let (apt, root) = (find_in_path("apt-get").is_some(), is_root());
    let sudo = apt && !root && succeeds(Command::new("sudo").args(["-n", "true"]));
    means(apt, root, sudo)
}

/// Whether packages can be installed here by apt.
pub fn can_apt() -> bool {
    matches!(means_here(), Means::Root | Means::Sudo)
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The commands that install `packages` by hand.
pub fn apt_commands(packages: &[Package]) -> String {
    let names: Vec<_> = packages.iter().map(|package| package.name).collect();
    format!("    apt-get update\n    apt-get install --no-install-recommends {}", names.join(" "))
}

/// Whether Debian's package database says that a package is installed.
fn is_installed(package: &Package) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package.name])
        .output();
    query.is_ok_and(|output| output.stdout.trim_ascii() == b"installed")
}

/// Installs those of some Debian packages that are missing, after saying which and why.
///
/// # Errors
/// The machine has no apt, the user no right to use it, or apt fails (no network, unknown package).
pub fn apt_install(packages: &[Package]) -> Result<()> {
    let packages: Vec<_> = packages.iter().filter(|p| !is_installed(p)).copied().collect();
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = apt_commands(&packages);
    let list = packages.iter().map(|p| format!("\n    {}: {}", p.name, p.why)).collect::<String>();
    let means = means_here();
    match means {
        Means::NoApt => bail!(
            "missing here, and there is no apt to install it with:{list}\n\
             Install what your system calls these. On Debian or Ubuntu, as root:\n{by_hand}"
        ),
        Means::NoRight => bail!(
            "missing here, and only root may install it:{list}\nRun as root, then try again:\n{by_hand}"
        ),
        Means::Root | Means::Sudo => {}
    }
    eprintln!("freehold: installing from Debian's packages:{list}");
    // A list of packages that one source fails to deliver may still be good enough.
    apt_get(means, &["update"]);
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(packages.iter().map(|package| package.name));
    if !apt_get(means, &install) {
        bail!("apt could not install this (is there a network?). Run as root, then try again:\n{by_hand}");
    }
    Ok(())
}

/// Runs apt-get quietly; on failure shows what it said.
fn apt_get(means: Means, arguments: &[&str]) -> bool {
    let mut command = match means {
        Means::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo
        }
        _ => {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive");
            apt
        }
    };
    match command.arg("--quiet").args(arguments).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
            false
        }
        Err(error) => {
            eprintln!("freehold: cannot run apt-get: {error}");
            false
        }
    }
}

/// Runs `rustup` with `arguments`, after saying so. `false` if there is no rustup or it fails.
pub fn rustup(arguments: &[&str], why: &str) -> bool {
    if find_in_path("rustup").is_none() {
        return false;
    }
    eprintln!("freehold: rustup {}: {why}", arguments.join(" "));
    Command::new("rustup").args(arguments).stdin(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(means(true, true, false), Means::Root);
        assert_eq!(means(true, true, true), Means::Root);
    }

    #[test]
    fn a_user_needs_a_sudo_that_does_not_ask() {
        assert_eq!(means(true, false, true), Means::Sudo);
        assert_eq!(means(true, false, false), Means::NoRight);
    }

    #[test]
    fn without_apt_nothing_is_installed() {
        for (root, sudo) in [(false, false), (false, true), (true, false), (true, true)] {
            assert_eq!(means(false, root, sudo), Means::NoApt);
        }
    }

    #[test]
    fn the_commands_by_hand_name_every_package() {
        let text = apt_commands(&[QEMU, GDB]);
        assert!(text.ends_with("apt-get install --no-install-recommends qemu-system-x86 gdb"));
        assert!(text.contains("apt-get update"));
    }
}
