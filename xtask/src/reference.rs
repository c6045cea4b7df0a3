//! Makes the reference: of the package from the documents in its TypeScript, of the core from those in its Rust.

use anyhow::Result;
use xshell::cmd;

use crate::project::Project;
use crate::setup;

/// What makes the one of the package, with a compiler of its own.
const FOLDER: &str = "docs/reference";
/// Where the one of the core stands, beside that of the package.
const CORE: &str = "doc/everfold/index.html";
const PACKAGE: &str = "reference/index.html";

/// Makes both. A link that leads nowhere, and a type that is named and cannot be looked up, is a failure.
pub fn build(project: &Project) -> Result<()> {
    let shell = &project.shell;
    setup::provide_node_packages(project, FOLDER)?;
    cmd!(shell, "node {FOLDER}/node_modules/typedoc/bin/typedoc --options {FOLDER}/typedoc.json").run()?;
    cmd!(shell, "cargo doc --locked --no-deps --lib").env("RUSTDOCFLAGS", "-D warnings").run()?;
    println!("the package: {}", project.path("target").join(PACKAGE).display());
    println!("the core:    {}", project.target(CORE).display());
    Ok(())
}
