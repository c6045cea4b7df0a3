//! The project's tools. `cargo xtask` without arguments lists them.

mod bench;
mod browser;
mod build_lock;
mod domain;
mod glue;
mod inline;
mod package;
mod part;
mod project;
mod reference;
mod screen;
mod server;
mod setup;
mod short_names;
mod size;
mod split;
mod suite;
mod wasm_tests;

use std::process::ExitCode;

use anyhow::{Result, bail};

use package::Optimisation;
use project::Project;
use setup::Requirement;

const USAGE: &str = "\
cargo xtask <command>

  setup            install what is missing: Rust's wasm target and source, browsers, drivers, npm packages
  build [--dev]    make the npm package's content in dist/; --dev leaves the wasm unoptimised, which is quicker
  domain           make the package of the example of a domain in Rust, in examples/rust-aggregate/pkg/
  size             weigh the package in dist/ and fail above the budget
  test [part...]   run the named parts, or all of them, and sum up
  reference        make the reference of the package and of the core, in target/
  start            build, then serve the demo; PORT names the port
  bench [arg...]   build, then run the benchmarks in a browser";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{USAGE}\n\nParts of `test`: {}", part::names());
        return Ok(());
    };
    let project = Project::find()?;
    match (command.as_str(), rest) {
        ("setup", []) => set_up(&project),
        ("build", []) => build(&project, Optimisation::Full),
        ("build", [flag]) if flag == "--dev" => build(&project, Optimisation::None),
        ("domain", []) => build_domain(&project),
        ("size", []) => size::check(&project),
        ("test", parts) => suite::run(&project, parts),
        ("reference", []) => reference(&project),
        ("start", []) => start(&project),
        ("bench", rest) => bench::run(&project, rest),
        _ => bail!("`{}` is not a command\n\n{USAGE}", arguments.join(" ")),
    }
}

fn set_up(project: &Project) -> Result<()> {
    setup::provide(project, Requirement::ALL)?;
    println!("set-up: nothing is missing");
    Ok(())
}

fn build(project: &Project, optimisation: Optimisation) -> Result<()> {
    setup::provide(project, package::REQUIREMENTS)?;
    package::build(project, optimisation)
}

fn reference(project: &Project) -> Result<()> {
    build(project, Optimisation::Full)?;
    reference::build(project)
}

fn build_domain(project: &Project) -> Result<()> {
    setup::provide(project, package::REQUIREMENTS)?;
    domain::build(project, Optimisation::Full)
}

fn start(project: &Project) -> Result<()> {
    // Minutes later would be too late to say it.
    server::check_port(project)?;
    build(project, Optimisation::Full)?;
    server::run(project)
}
