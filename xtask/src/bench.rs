//! Runs the benchmarks.

use std::fs;

use anyhow::Result;
use xshell::cmd;

use crate::browser::Browser;
use crate::domain;
use crate::package::{self, Optimisation};
use crate::project::Project;
use crate::setup::{self, Requirement};

/// The argument that asks where time goes. wasm-opt drops the names of functions, which a profile is made of.
const PROFILE: &str = "--profile";
/// The argument that asks for everything, which the growth of a log without a browser is part of.
const FULL: &str = "--full";
/// What `benches/growth.rs` printed, for those who write it down.
const GROWTH: &str = "growth.tsv";

/// Builds the package as it is shipped, always: an older or a quicker build must never be what is measured. Then
/// hands the arguments to `benches/browser/run.mjs`.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    setup::provide(project, Requirement::ALL)?;
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let is_profile = has(PROFILE);
    let optimisation = if is_profile { Optimisation::None } else { Optimisation::Full };
    package::build(project, optimisation)?;
    domain::build(project, optimisation)?;
    if has(FULL) {
        let growth = cmd!(project.shell, "cargo bench --locked --bench growth --features testing").read()?;
        println!("{growth}");
        fs::write(project.target(GROWTH), growth)?;
    }
    let mut bench = cmd!(project.shell, "node benches/browser/run.mjs {arguments...}");
    for browser in Browser::ALL {
        bench = bench.envs(browser.environment());
    }
    Ok(bench.run()?)
}
