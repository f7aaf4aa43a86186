//! The plugin of the emulator's code generator, package `freehold-plugin`: built when something is to be watched.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::qemu::Plugin;
use crate::workspace;

const PACKAGE: &str = "freehold-plugin";

/// Builds the plugin; what a boot needs to be told to be watched in this way, [`Plugin::arguments`].
///
/// # Errors
/// It does not build.
pub fn build(arguments: impl Into<String>) -> Result<Plugin> {
    let mut cargo = workspace::host_cargo("build");
    cargo.args(["--release", "--quiet", "--message-format=json-render-diagnostics", "--package", PACKAGE]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "{PACKAGE} does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = library(&messages).context("cargo does not say where the plugin is")?;
    Ok(Plugin { path, arguments: arguments.into() })
}

/// The library among cargo's messages, one JSON object a line.
fn library(messages: &str) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let target = &message["target"];
        let is_plugin = target["kind"][0] == "cdylib" && target["name"] == PACKAGE.replace('-', "_");
        Some(message["filenames"][0].as_str().filter(|_| is_plugin)?.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_read_from_cargos_messages() {
        let line = |name: &str, kind: &str| {
            format!(
                "{{\"target\":{{\"name\":\"{name}\",\"kind\":[\"{kind}\"]}},\"filenames\":[\"/t/{name}\"]}}\n"
            )
        };
        let others = line("anyhow", "lib") + &line("freehold_plugin", "custom-build");
        assert_eq!(library(&others), None);
        assert_eq!(
            library(&(others + &line("freehold_plugin", "cdylib"))),
            Some("/t/freehold_plugin".into())
        );
    }
}
