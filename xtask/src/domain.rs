//! Builds the example of a domain in Rust, `examples/rust-aggregate`, into a package of its own: as a user would whose crate
//! has everfold in its wasm, with what comes with wasm-bindgen and nothing of ours.

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::build_lock::BuildLock;
use crate::package::{self, Optimisation};
use crate::project::Project;

const PACKAGE: &str = "bank-domain";
/// The stem of the files.
const STEM: &str = "bank_domain";
/// Beside what of the package is written by hand.
const GLUE: &str = "examples/rust-aggregate/pkg";

/// Builds it anew. The crates that it has in common with everfold's own wasm are compiled once for both.
/// While another build is running in this checkout it waits.
pub fn build(project: &Project, optimisation: Optimisation) -> Result<()> {
    let _lock = BuildLock::take(project)?;
    package::compile(project, PACKAGE, &[])?;
    let glue = project.path(GLUE);
    package::empty(&glue)?;
    Bindgen::new()
        .input_path(project.target(&format!("wasm32-unknown-unknown/release/{STEM}.wasm")))
        .out_name(STEM)
        .bundler(true)?
        .typescript(true)
        .remove_producers_section(true)
        .generate(&glue)
        .context("wasm-bindgen could not write the glue of the example")?;
    if optimisation == Optimisation::Full {
        let wasm = glue.join(format!("{STEM}_bg.wasm"));
        project.npm_tool("binaryen/bin/wasm-opt")?.arg("-O3").arg(&wasm).arg("-o").arg(&wasm).run()?;
    }
    println!("built {GLUE}/");
    Ok(())
}
