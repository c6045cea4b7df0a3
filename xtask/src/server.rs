//! Serves the demo.

use anyhow::{Result, ensure};

use crate::project::Project;

/// Sees whether the port that is asked for can be had.
///
/// # Errors
///
/// What the server says of it.
pub fn check_port(project: &Project) -> Result<()> {
    let output =
        xshell::cmd!(project.shell, "node www/serve.mjs --check").quiet().ignore_status().output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.trim().trim_start_matches("error: "));
    Ok(())
}

/// Serves `www/` and `dist/` until it is interrupted; the server prints its address.
pub fn run(project: &Project) -> Result<()> {
    Ok(xshell::cmd!(project.shell, "node www/serve.mjs").quiet().run()?)
}
