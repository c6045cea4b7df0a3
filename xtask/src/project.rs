//! The checkout that the tools work on: its folders, and a shell that stands in its root.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::{Cmd, Shell, cmd};

/// The checkout and where its products go.
pub struct Project {
    /// A shell whose current folder is the root; it prints each command that it runs.
    pub shell: Shell,
    root: PathBuf,
    target: PathBuf,
}

impl Project {
    /// Finds the checkout from where cargo runs this program, and asks cargo for the target folder. Where it was
    /// compiled does not count: checkouts that share a target folder share the compiled program too.
    pub fn find() -> Result<Project> {
        let package = env::var_os("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
        let root =
            Path::new(&package).parent().context("the tools do not stand in a checkout")?.to_path_buf();
        let shell = Shell::new()?;
        shell.change_dir(&root);
        let metadata = cmd!(shell, "cargo metadata --locked --no-deps --format-version 1").quiet().read()?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let target = metadata
            .get("target_directory")
            .and_then(|directory| directory.as_str())
            .context("`cargo metadata` names no target_directory")?
            .into();
        Ok(Project { shell, root, target })
    }

    /// A path inside the checkout.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path inside cargo's target folder, which need not be in the checkout.
    pub fn target(&self, relative: &str) -> PathBuf {
        self.target.join(relative)
    }

    /// A tool that an npm package brings, run by its own path: never one of the same name from elsewhere.
    pub fn npm_tool(&self, script: &str) -> Result<Cmd<'_>> {
        let script = self.path("node_modules").join(script);
        ensure!(script.is_file(), "{} is missing: run `cargo xtask setup`", script.display());
        Ok(cmd!(self.shell, "node {script}"))
    }

    /// The files directly in a folder, or below it, whose name ends so; sorted. What npm has installed there is no part of it.
    pub fn files(&self, folder: &str, ending: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            let entries = self.shell.read_dir(&folder)?;
            for entry in entries {
                if entry.is_dir() {
                    if !entry.ends_with("node_modules") {
                        folders.push(entry);
                    }
                } else if entry.to_string_lossy().ends_with(ending) {
                    found.push(entry);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}
