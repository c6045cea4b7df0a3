//! Runs the benchmarks.

use anyhow::Result;
use xshell::cmd;

use crate::browser::Browser;
use crate::package::{self, Optimisation};
use crate::project::Project;
use crate::setup::{self, Requirement};

/// The argument that asks where time goes. wasm-opt drops the names of functions, which a profile is made of.
const PROFILE: &str = "--profile";

/// Builds the package as it is shipped, always: an older or a quicker build must never be what is measured. Then
/// hands the arguments to `benches/browser/run.mjs`.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    setup::provide(project, Requirement::ALL)?;
    let is_profile = arguments.iter().any(|argument| argument == PROFILE);
    package::build(project, if is_profile { Optimisation::None } else { Optimisation::Full })?;
    let mut bench = cmd!(project.shell, "node benches/browser/run.mjs {arguments...}");
    for browser in Browser::ALL {
        bench = bench.envs(browser.environment());
    }
    Ok(bench.run()?)
}
