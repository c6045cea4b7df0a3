//! The parts of the test suite: what each needs and does.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::browser::Browser;
use crate::package::{self, Optimisation};
use crate::project::Project;
use crate::setup::Requirement::{self, Browsers, Node, NodePackages, WasmTarget};
use crate::{domain, reference, setup, size, wasm_tests};

/// One part of the suite.
pub struct Part {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it needs of the machine.
    pub requirements: &'static [Requirement],
    /// Does it; an error is a failure.
    pub run: fn(&Project) -> Result<()>,
}

/// All of them, in the order of running: later ones use what earlier ones made. Those from `size` on look at
/// `dist/`, as `build` left it.
pub const PARTS: &[Part] = &[
    Part { name: "format", requirements: &[], run: format },
    Part { name: "lint", requirements: &[WasmTarget], run: lint },
    Part { name: "docs", requirements: &[], run: docs },
    Part { name: "native", requirements: &[], run: native },
    Part { name: "wasm", requirements: &[WasmTarget, Browsers], run: wasm_tests::run },
    Part { name: "build", requirements: package::REQUIREMENTS, run: build },
    Part { name: "size", requirements: &[Node, NodePackages], run: size::check },
    Part { name: "types", requirements: &[Node, NodePackages], run: types },
    Part { name: "reference", requirements: &[Node, NodePackages], run: reference::build },
    Part { name: "node", requirements: &[Node, NodePackages], run: |project| node(project, "tests/ts") },
    Part { name: "e2e", requirements: Requirement::ALL, run: |project| node(project, "tests/e2e") },
    Part { name: "packaging", requirements: Requirement::ALL, run: packaging },
];

/// How long one file of Node tests may run.
const NODE_FILE_TIMEOUT_MS: u32 = 300_000;

/// How the names of those files end that hold something to a time, and have the machine for themselves.
const TIMED_ENDING: &str = ".timed.test.mjs";

/// So many lives of each kind are simulated by `native`.
const SIMULATED_LIVES: u32 = 2_000;

/// The names of all parts, for messages.
pub fn names() -> String {
    PARTS.iter().map(|part| part.name).collect::<Vec<_>>().join(" ")
}

fn format(project: &Project) -> Result<()> {
    Ok(cmd!(project.shell, "cargo fmt --all --check").run()?)
}

/// The library is judged twice: as it is shipped, in wasm, and with everything that tests use, natively.
fn lint(project: &Project) -> Result<()> {
    let shell = &project.shell;
    cmd!(shell, "cargo clippy --locked --workspace --all-targets -- -D warnings").run()?;
    cmd!(shell, "cargo clippy --locked --lib --target wasm32-unknown-unknown -- -D warnings").run()?;
    let domain = cmd!(shell, "cargo clippy --locked --package bank-domain --lib");
    domain.args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]).run()?;
    let tests = cmd!(shell, "cargo clippy --locked --test wasm_window --test wasm_worker");
    Ok(tests.args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]).run()?)
}

fn docs(project: &Project) -> Result<()> {
    let doc = cmd!(project.shell, "cargo doc --locked --no-deps --lib --document-private-items");
    Ok(doc.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// Optimised a little: what thousands of simulated lives save is more than what that costs to compile.
fn native(project: &Project) -> Result<()> {
    // In one go, so that the library is compiled once for all of them.
    let packages = ["--package", "everfold", "--package", "bank-domain", "--package", "file-storage"];
    let tests = cmd!(project.shell, "cargo test --locked --profile tools").args(packages);
    // Who asks for more has it.
    let seeds = std::env::var("EVERFOLD_SEEDS").unwrap_or_else(|_| SIMULATED_LIVES.to_string());
    tests.env("EVERFOLD_SEEDS", seeds).run()?;
    Ok(cmd!(project.shell, "cargo test --locked --profile tools --package xtask --bin xtask").run()?)
}

fn build(project: &Project) -> Result<()> {
    package::build(project, Optimisation::Full)?;
    domain::build(project, Optimisation::Full)
}

/// What it builds with is installed for it alone: it is much more than everything else from npm together.
fn packaging(project: &Project) -> Result<()> {
    setup::provide_node_packages(project, "tests/packaging")?;
    node(project, "tests/packaging")
}

/// The types' tests compile or do not; lines that must not are marked `@ts-expect-error`.
fn types(project: &Project) -> Result<()> {
    let tests = project.files("tests/types", ".ts")?;
    ensure!(!tests.is_empty(), "tests/types holds no tests");
    Ok(project.npm_tool("typescript/bin/tsc")?.args(["-p", "tests/types/tsconfig.json"]).run()?)
}

/// The files of a folder, two at a time, for two cores; but those that hold something to a time alone, and before the others.
fn node(project: &Project, folder: &str) -> Result<()> {
    let files = project.files(folder, ".test.mjs")?;
    ensure!(!files.is_empty(), "{folder} holds no tests");
    let is_timed = |file: &PathBuf| file.to_string_lossy().ends_with(TIMED_ENDING);
    let (timed, others): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(is_timed);
    // Whatever the first come to: a failure of theirs keeps nothing from being run.
    let outcomes = [node_files(project, &timed, 1), node_files(project, &others, 2)];
    outcomes.into_iter().collect()
}

fn node_files(project: &Project, files: &[PathBuf], at_once: usize) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let options = [format!("--test-concurrency={at_once}"), format!("--test-timeout={NODE_FILE_TIMEOUT_MS}")];
    let mut tests = cmd!(project.shell, "node --test {options...} {files...}");
    for browser in Browser::ALL {
        tests = tests.envs(browser.environment());
    }
    Ok(tests.run()?)
}
