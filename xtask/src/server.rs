//! Serves the demo.

use anyhow::Result;

use crate::project::Project;

/// Serves `www/` and `dist/` until it is interrupted; the server prints its address.
pub fn run(project: &Project) -> Result<()> {
    Ok(xshell::cmd!(project.shell, "node www/serve.mjs").quiet().run()?)
}
