//! `./x check`: format, lints and documentation, of host and of guest code. A warning is a failure.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::guest;
use crate::install::{self, Package};
use crate::toolchain::Toolchain;
use crate::workspace::{self, Metadata};

/// `./x check`. All checks are made, also after one has failed.
///
/// # Errors
/// A tool is missing and cannot be installed.
pub fn all() -> Result<ExitCode> {
    ensure_tool("fmt", "rustfmt", Package { name: "rustfmt-web", why: "the formatter for ./x check" })?;
    ensure_tool("clippy", "clippy", Package { name: "rust-web-clippy", why: "the lints for ./x check" })?;
    let toolchain = Toolchain::ready()?;

    let mut format = workspace::host_cargo("fmt");
    format.args(["--all", "--check"]);
    let mut host_lints = workspace::host_cargo("clippy");
    host_lints.args(["--quiet", "--all-targets", "--", "--deny", "warnings"]);
    let mut guest_lints = toolchain.clippy()?;
    guest_lints.args(["--quiet", "--release", "--lib", "--bins"]);
    for_guests(&mut guest_lints);
    guest_lints.args(["--", "--deny", "warnings"]);
    let mut host_documents = workspace::host_cargo("doc");
    host_documents
        .args(["--quiet", "--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", "--deny warnings");
    // A library that is built for both is whole, so that its links lead somewhere, only for the guest.
    let metadata = Metadata::read()?;
    let is_hosts = |package: &&String| !guest::LIBRARIES.contains(&package.as_str());
    for package in metadata.host_packages.iter().filter(is_hosts) {
        host_documents.args(["--package", package]);
    }
    let mut guest_documents = toolchain.cargo("doc")?;
    guest_documents.args(["--quiet", "--release", "--no-deps", "--document-private-items"]);
    guest_documents.env("RUSTDOCFLAGS", "--deny warnings");
    for_guests(&mut guest_documents);

    let mut failed = Vec::new();
    for (name, mut command) in [
        ("format", format),
        ("lints, host", host_lints),
        ("lints, guest", guest_lints),
        ("documentation, host", host_documents),
        ("documentation, guest", guest_documents),
    ] {
        println!("check: {name}");
        if !command.status().context("cannot run cargo")?.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        println!("check: all is well");
        return Ok(ExitCode::SUCCESS);
    }
    println!("check: FAILED: {}", failed.join("; "));
    Ok(ExitCode::FAILURE)
}

fn for_guests(command: &mut Command) {
    for package in guest::all_packages().iter().map(String::as_str).chain(guest::LIBRARIES.iter().copied()) {
        command.args(["--package", package]);
    }
}

/// Makes sure that `cargo SUBCOMMAND` works: by rustup's component, else by Debian's package.
fn ensure_tool(subcommand: &str, component: &str, package: Package) -> Result<()> {
    let works = || install::succeeds(workspace::host_cargo(subcommand).arg("--version"));
    if works() {
        return Ok(());
    }
    if install::rustup(&["component", "add", component], package.why) && works() {
        return Ok(());
    }
    install::apt_install(&[package])?;
    if !works() {
        bail!("`cargo {subcommand}` does not work. With rustup:\n    rustup component add {component}");
    }
    Ok(())
}
