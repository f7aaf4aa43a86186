//! Where the workspace is, where its build output goes, and what its packages are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The directory of the workspace's Cargo.toml.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is a directory of the workspace")
}

/// The cargo that runs this program, else the one in PATH.
pub fn cargo_path() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// A cargo command for host code: the caller's environment, the workspace as current directory.
pub fn host_cargo(subcommand: &str) -> Command {
    let mut command = Command::new(cargo_path());
    command.arg(subcommand).current_dir(root());
    command
}

/// What cargo says about the workspace.
pub struct Metadata {
    /// Where cargo puts the workspace's build output.
    pub target_dir: PathBuf,
    /// Names of all packages.
    pub packages: Vec<String>,
    /// Names of the packages that run on the host.
    pub host_packages: Vec<String>,
    /// Of each package the names of its programs, sorted.
    pub programs: BTreeMap<String, Vec<String>>,
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    /// cargo cannot be run, rejects the workspace, or answers something else than metadata.
    pub fn read() -> Result<Metadata> {
        let output = host_cargo("metadata")
            .args(["--format-version=1", "--no-deps"])
            .output()
            .context("cannot run cargo")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let value: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
        Metadata::from_json(&value).context("cargo metadata lacks what every cargo since 1.71 says")
    }

    fn from_json(value: &Value) -> Option<Metadata> {
        let defaults = value["workspace_default_members"].as_array()?;
        let mut metadata = Metadata {
            target_dir: value["target_directory"].as_str()?.into(),
            packages: Vec::new(),
            host_packages: Vec::new(),
            programs: BTreeMap::new(),
        };
        for package in value["packages"].as_array()? {
            let name = package["name"].as_str()?;
            metadata.packages.push(name.into());
            let is_program = |target: &&Value| target["kind"][0] == "bin";
            let targets = package["targets"].as_array()?.iter().filter(is_program);
            let mut programs: Vec<String> =
                targets.filter_map(|target| Some(target["name"].as_str()?.into())).collect();
            programs.sort();
            metadata.programs.insert(name.into(), programs);
            if defaults.contains(&package["id"]) {
                metadata.host_packages.push(name.into());
            }
        }
        Some(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn host_packages_are_the_default_members() {
        let metadata = Metadata::from_json(&json!({
            "packages": [
                {"id": "a#1", "name": "host", "targets": [{"kind": ["lib"], "name": "host"}]},
                {"id": "b#1", "name": "guest", "targets": [
                    {"kind": ["custom-build"], "name": "build-script-build"},
                    {"kind": ["bin"], "name": "two"},
                    {"kind": ["bin"], "name": "one"},
                ]},
            ],
            "workspace_default_members": ["a#1"],
            "target_directory": "/t",
        }))
        .expect("complete");
        assert_eq!(metadata.packages, ["host", "guest"]);
        assert_eq!(metadata.host_packages, ["host"]);
        assert_eq!(metadata.target_dir, Path::new("/t"));
        assert_eq!(metadata.programs["guest"], ["one", "two"]);
        assert!(metadata.programs["host"].is_empty());
    }

    #[test]
    fn incomplete_metadata_is_refused() {
        assert!(Metadata::from_json(&json!({"packages": []})).is_none());
    }
}
