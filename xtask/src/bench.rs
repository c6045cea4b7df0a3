//! Runs the benchmarks.

use anyhow::Result;
use xshell::cmd;

use crate::browser::Browser;
use crate::package::{self, Optimisation};
use crate::project::Project;
use crate::setup::{self, Requirement};

/// Builds the package as it is shipped and hands the arguments to `benches/run.mjs`.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    setup::provide(project, Requirement::ALL)?;
    package::build(project, Optimisation::Full)?;
    let mut bench = cmd!(project.shell, "node benches/run.mjs {arguments...}");
    for browser in Browser::ALL {
        bench = bench.envs(browser.environment());
    }
    Ok(bench.run()?)
}
