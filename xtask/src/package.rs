//! Makes the content of the npm package, `dist/`: the compiled facade, the glue and the wasm beside it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;
use xshell::cmd;

use crate::project::Project;
use crate::setup::Requirement;
use crate::short_names::{self, ShortNames};

/// What building needs of the machine.
pub const REQUIREMENTS: &[Requirement] =
    &[Requirement::Node, Requirement::WasmTarget, Requirement::NodePackages];

/// The folder of what an npm user gets.
pub const DIST: &str = "dist";
/// The folder of the generated glue, which `tsconfig.json` lays over `ts/`: the facade imports
/// `./everfold.js` as if it stood beside it, as it does in [`DIST`].
const GLUE: &str = "pkg";
/// The stem of the glue's files.
const STEM: &str = "everfold";
const WASM: &str = "everfold_bg.wasm";
/// The level of wasm-opt, together with `opt-level` in Cargo.toml.
const WASM_OPT_LEVEL: &str = "-Oz";

/// How much of the wasm is left to the optimiser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Optimisation {
    /// What is shipped, measured and tested.
    Full,
    /// As it comes from the compiler: for trying things out.
    None,
}

/// Builds everything anew; only cargo's own cache is used.
pub fn build(project: &Project, optimisation: Optimisation) -> Result<()> {
    let shell = &project.shell;
    compile(project)?;
    empty(&project.path(GLUE))?;
    bind(project)?;
    if optimisation == Optimisation::Full {
        optimise(project)?;
    }
    empty(&project.path(DIST))?;
    project.npm_tool("typescript/bin/tsc")?.args(["-p", "tsconfig.json"]).run()?;
    for file in shell.read_dir(project.path(GLUE))? {
        shell.copy_file(&file, project.path(DIST))?;
    }
    println!("built {DIST}/");
    Ok(())
}

/// Compiles the core, as a `cdylib` alone: cargo forgoes link-time optimisation where an `rlib` is made beside it.
///
/// Panics name the files of the libraries where they happened: by the names of the libraries, not by the paths
/// of the machine that built them, which are long and nobody's business.
fn compile(project: &Project) -> Result<()> {
    let shell = &project.shell;
    let sysroot = cmd!(shell, "rustc --print sysroot").read()?;
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cargo"),
    };
    let registry = cargo_home.join("registry/src");
    let mut remaps =
        vec![format!("{sysroot}/lib/rustlib/src/rust/library="), format!("{}=", project.path("").display())];
    for index in shell.read_dir(&registry).unwrap_or_default() {
        remaps.push(format!("{}=", index.display()));
    }
    let flags: Vec<String> = remaps.into_iter().map(|remap| format!("--remap-path-prefix={remap}")).collect();
    let _flags = shell.push_env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "));
    cmd!(shell, "cargo rustc --locked --release --lib --crate-type cdylib --target wasm32-unknown-unknown")
        .run()?;
    Ok(())
}

/// Writes the glue. The library leaves out what its command line puts in by default: the types, and the
/// literal `new URL("everfold_bg.wasm", import.meta.url)` by which bundlers find the wasm.
fn bind(project: &Project) -> Result<()> {
    let compiled = project.target("wasm32-unknown-unknown/release/everfold.wasm");
    Bindgen::new()
        .input_path(compiled)
        .out_name(STEM)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .remove_producers_section(true)
        .generate(project.path(GLUE))
        .context("wasm-bindgen could not write the glue")
}

/// Runs npm's Binaryen by its own path: Debian's older wasm-opt of the same name writes a module that validates
/// and cannot be started, because it exports another table than it was given.
fn optimise(project: &Project) -> Result<()> {
    let wasm = project.path(GLUE).join(WASM);
    let before_bytes = fs::metadata(&wasm)?.len();
    let wasm_opt = project.npm_tool("binaryen/bin/wasm-opt")?;
    let command = wasm_opt.args([WASM_OPT_LEVEL, short_names::WASM_OPT_FLAG]).arg(&wasm).arg("-o").arg(&wasm);
    ShortNames::read(&command.read()?)?.apply(&project.path(GLUE))?;
    println!("wasm-opt {WASM_OPT_LEVEL}: {before_bytes} -> {} bytes", fs::metadata(&wasm)?.len());
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("could not empty {}", folder.display()))?;
    }
    Ok(fs::create_dir_all(folder)?)
}
